/* SPDX-License-Identifier: MIT */
#include "backoff.h"

#define FIRST_USEC 1000000ULL
#define LAST_USEC (BACKOFF_MAX_USEC / 2)

uint64_t backoff_next(struct backoff *backoff, uint32_t random)
{
	backoff->usec = backoff->usec ? 2 * backoff->usec : FIRST_USEC;
	if (backoff->usec > LAST_USEC)
		backoff->usec = LAST_USEC;
	return backoff->usec + (backoff->usec * random >> 32);
}
