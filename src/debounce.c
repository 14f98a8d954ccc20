/* SPDX-License-Identifier: MIT */
#include "debounce.h"

void debounce_init(struct debounce *debounce, uint64_t quiet_usec, bool down)
{
	*debounce = (struct debounce){.quiet = quiet_usec, .down = down};
}

bool debounce_edge(struct debounce *debounce, uint64_t at, bool down)
{
	bool was_down = debounce->down;
	bool bounce;

	if (at < debounce->last_edge)
		at = debounce->last_edge;
	bounce = debounce->moving && at - debounce->last_edge < debounce->quiet;
	debounce->moving = true;
	debounce->last_edge = at;
	debounce->down = down;
	return !bounce && !was_down;
}
