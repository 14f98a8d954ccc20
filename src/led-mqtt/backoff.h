/* SPDX-License-Identifier: MIT */
#ifndef BACKOFF_H
#define BACKOFF_H

/*
 * Pauses between attempts: they double from 1 s to 30 s. Each is longer by a random part, up to as
 * long again, so that a thousand clients do not all come back in the same moment.
 */

#include <stdint.h>

/* The longest pause, in microseconds. */
#define BACKOFF_MAX_USEC 60000000ULL

/* Begins as all zeros, and again as all zeros after a success. */
struct backoff {
	uint64_t usec; /* the last pause, without its random part */
};

/*
 * The pause before the next attempt.
 *
 * random: any number, evenly distributed
 * Returns microseconds.
 */
uint64_t backoff_next(struct backoff *backoff, uint32_t random);

#endif
