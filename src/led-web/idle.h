/* SPDX-License-Identifier: MIT */
#ifndef IDLE_H
#define IDLE_H

/*
 * When led-web ends because nobody looks. No I/O and no clock: all times are in microseconds of
 * CLOCK_MONOTONIC.
 */

#include <stdbool.h>
#include <stdint.h>

/* It ends so long after the last request or the end of the last stream. */
#define IDLE_USEC 60000000ULL

struct idle {
	unsigned open;  /* connections */
	uint64_t since; /* the last time that somebody got something, or stopped looking */
};

/* It starts. */
void idle_start(struct idle *idle, uint64_t now);

/* A connection has been made. */
void idle_opened(struct idle *idle);

/* A connection has ended. */
void idle_closed(struct idle *idle);

/*
 * Something was asked for, or a stream has ended.
 *
 * is_allowed: what was refused does not count, or a stranger could keep it running
 */
void idle_used(struct idle *idle, bool is_allowed, uint64_t now);

/*
 * When it ends. UINT64_MAX while there is a connection: what comes on it must not be lost. Without
 * one, what comes next waits in the queue of the socket, which is the service manager's too.
 */
uint64_t idle_due(const struct idle *idle);

/*
 * Whether it would have ended, had no connection been open. Then what is refused ends its
 * connection, or somebody who is refused again and again could keep it running.
 */
bool idle_is_over(const struct idle *idle, uint64_t now);

#endif
