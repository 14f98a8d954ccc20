/* SPDX-License-Identifier: MIT */
#ifndef CONFINE_H
#define CONFINE_H

/*
 * What a process gives up for good, whoever started it: filters of system calls, seccomp(2).
 * What is refused ends with EPERM.
 *
 * Each returns NULL, or the reason why there is no filter: a kernel or an architecture that has
 * none, a sanitizer, or code loaded beside us (LD_PRELOAD: valgrind) whose needs we do not know.
 * That is worth a line in the log at debug level, once nobody waits for it.
 */

/*
 * Leaves this thread nothing but to talk through the descriptors that it has: read, write,
 * wait, ask when bytes came (arrival.h), log through a connection that openlog(3) made with
 * LOG_NDELAY, and exit. It sends to nobody but those to whom a descriptor is connected. No file
 * is opened, no socket made or connected, no program or thread started, no memory mapped.
 */
const char *confine_to_descriptors(void);

/*
 * Starts no other program and no other process any more; threads, yes. Nor does it trace
 * another process, send it a signal, or type on a terminal for the shell that reads there.
 */
const char *confine_to_program(void);

/*
 * As confine_to_program(), and connects to nobody: neither a socket of its own nor one that
 * it was passed, from which another network may be in reach.
 */
const char *confine_to_server(void);

#endif
