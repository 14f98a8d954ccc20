/* SPDX-License-Identifier: MIT */
#ifndef PAUSE_H
#define PAUSE_H

/* Pauses between attempts: each is twice as long as the one before, up to a limit. */

#include <stdint.h>

/* Times are in microseconds. Zero usec begins anew. */
struct pause {
	uint64_t first_usec, last_usec; /* the shortest and the longest, set by the caller */
	uint64_t usec;                  /* the latest, or 0 */
};

/* Returns the pause before the next attempt. */
uint64_t pause_next(struct pause *pause);

/* Begins anew, after a success. */
void pause_reset(struct pause *pause);

/*
 * Makes a pause longer by a random part, up to as long again, so that a thousand clients do not
 * all come back at the same moment.
 *
 * random: any number, evenly distributed
 */
uint64_t pause_spread(uint64_t usec, uint32_t random);

#endif
