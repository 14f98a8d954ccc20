/* SPDX-License-Identifier: MIT */
#ifndef CONFINE_H
#define CONFINE_H

/*
 * Filters of system calls, seccomp(2): rights that a process gives up for good, whatever started
 * it. A refused call ends with EPERM.
 *
 * Each returns NULL, or the reason why there is no filter: a kernel or an architecture that has
 * none, a sanitizer, or code loaded beside us (LD_PRELOAD: valgrind) whose needs we do not
 * know. That is worth a line in the log at debug level, once nobody waits for it.
 */

/*
 * Confines this thread to its open descriptors: it can read, write, wait, ask when bytes came
 * (arrival.h), log through a connection that openlog(3) made with LOG_NDELAY, and exit. It can
 * send only to the peers of connected sockets. It can open no file, make or connect no socket,
 * start no program or thread, and map no memory.
 */
const char *confine_to_descriptors(void);

/*
 * Forbids this process to start a program or a process (threads are allowed), to trace another
 * process, to send it a signal, and to type on a terminal for the shell that reads there.
 */
const char *confine_to_program(void);

/*
 * The same, and forbids it to connect any socket: with a passed one, it could reach another
 * network.
 */
const char *confine_to_server(void);

#endif
