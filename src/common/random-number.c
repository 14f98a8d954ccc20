/* SPDX-License-Identifier: MIT */

/* Random numbers, also while the kernel has none yet. */

#include "random-number.h"

#include <sys/random.h>

#include "clock.h"

uint32_t random_number(void)
{
	uint32_t number = 0;

	if (getrandom(&number, sizeof number, GRND_NONBLOCK) < 0)
		number = (uint32_t)clock_usec() * 2654435761U;
	return number;
}
