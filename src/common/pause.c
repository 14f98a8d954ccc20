/* SPDX-License-Identifier: MIT */

/* Pauses between attempts that double. */

#include "pause.h"

uint64_t pause_next(struct pause *pause)
{
	pause->usec = pause->usec ? 2 * pause->usec : pause->first_usec;
	if (pause->usec > pause->last_usec)
		pause->usec = pause->last_usec;
	return pause->usec;
}

void pause_reset(struct pause *pause)
{
	pause->usec = 0;
}

uint64_t pause_spread(uint64_t usec, uint32_t random)
{
	return usec + (usec * random >> 32);
}
