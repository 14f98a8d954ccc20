/* SPDX-License-Identifier: MIT */

/* When led-web ends because nobody looks. */

#include "idle.h"

void idle_start(struct idle *idle, uint64_t now)
{
	*idle = (struct idle){.since = now};
}

void idle_opened(struct idle *idle)
{
	idle->open++;
}

void idle_closed(struct idle *idle)
{
	idle->open--;
}

void idle_used(struct idle *idle, bool is_allowed, uint64_t now)
{
	if (is_allowed)
		idle->since = now;
}

uint64_t idle_due(const struct idle *idle)
{
	return idle->open > 0 ? UINT64_MAX : idle->since + IDLE_USEC;
}

bool idle_is_over(const struct idle *idle, uint64_t now)
{
	return now >= idle->since + IDLE_USEC;
}
