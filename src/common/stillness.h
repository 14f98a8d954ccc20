/* SPDX-License-Identifier: MIT */
#ifndef STILLNESS_H
#define STILLNESS_H

/*
 * Whether commands may have waited for too long, because this process stood still: it was stopped,
 * or hardware held it up. A UNIX socket does not say when bytes came.
 *
 * Each function returns whether what is read next may have waited for more than COMMAND_LATE_MS.
 * All times are in microseconds of CLOCK_MONOTONIC.
 */

#include <stdbool.h>
#include <stdint.h>

struct stillness {
	uint64_t asleep; /* since when the event loop has been waiting for something to do, or 0 */
	uint64_t before; /* the same of the wait before that */
};

/* It is about to wait. woken: when it last had something to do */
bool stillness_sleep(struct stillness *stillness, uint64_t woken, uint64_t now);

/*
 * It was stopped, and goes on: SIGCONT. The stop may have begun as something woke the event loop,
 * before that looked at the clock: so the wait before counts, too.
 */
bool stillness_continue(const struct stillness *stillness, uint64_t now);

/* Somebody has connected before it listened, and nobody later. usec: how long ago */
bool stillness_connected(uint64_t usec);

#endif
