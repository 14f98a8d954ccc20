/* SPDX-License-Identifier: MIT */
#ifndef CONFINE_H
#define CONFINE_H

/*
 * Filters of system calls, seccomp(2): rights that a process gives up for good, whatever started
 * it. Each is a list of what is permitted. A refused call ends with EPERM, or with ENOSYS as on a
 * kernel that does not have it. Other processes of the same user can neither trace a confined one
 * nor read or write its memory, and it leaves no core file.
 *
 * Each function returns NULL, or the reason why there is no filter: a kernel or an architecture
 * that has none, a sanitizer, or code loaded beside us (LD_PRELOAD: valgrind) whose needs we do not
 * know. A process that stays passes that to confine_log(); a process for one connection logs it at
 * debug level, once its client has the answer.
 */

/*
 * Confines this thread to its open descriptors: it can read, write, wait, ask when bytes came
 * (arrival.h), keep a connection alive (keepalive.h), log through a connection that openlog(3) made
 * with LOG_NDELAY, and exit. It can send only to the peers of connected sockets. It can open no
 * file, make or connect no socket, start no program or thread, and map no memory.
 */
const char *confine_to_descriptors(void);

/*
 * Confines this process to what programs like ours do: it can use files and sockets, wait, and
 * start threads. It can start no program or process, trace no other, send no signal, type on no
 * terminal for the shell that reads there, make no memory executable (so what looks up names has to
 * be loaded before: resolver.h), and has no namespaces, mounts, keys, modules, userfaultfd(2) or
 * bpf(2).
 */
const char *confine_to_program(void);

/*
 * The same, and forbids it to connect any socket: with a passed one, it could reach another
 * network.
 */
const char *confine_to_server(void);

/*
 * As confine_to_program(), and forbids it to connect a TCP socket, on kernels with Landlock for
 * that: Linux 6.7.
 */
const char *confine_to_local(void);

/*
 * Logs why there is no filter: as a warning, unless somebody has chosen to have none, with a
 * sanitizer or LD_PRELOAD. why: NULL if there is one
 */
void confine_log(const char *why);

#endif
