/* SPDX-License-Identifier: MIT */
#ifndef REFUSAL_H
#define REFUSAL_H

/*
 * A wrong setting is an answer: as long as a press waits, the socket unit would start led-mqtt
 * again and again.
 */

#include <stdint.h>

/* How long connections are answered. */
#define REFUSAL_USEC 5000000ULL

/*
 * Answers all who connect to listening sockets, for some time; not at all if nobody waits there.
 *
 * fd, n: the sockets, one after the other; closed in the end
 * why: the answer, without its ERR
 * usec: how long
 * Returns 0 or a negative errno.
 */
int refuse(int fd, int n, const char *why, uint64_t usec);

#endif
