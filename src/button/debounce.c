/* SPDX-License-Identifier: MIT */
#include "debounce.h"

void debounce_init(struct debounce *debounce, uint64_t quiet, uint64_t filter, bool down)
{
	*debounce = (struct debounce){.quiet = quiet, .filter = filter, .raw = down, .down = down};
}

/* Takes a position that passed the filter. Returns whether it is a press. */
static bool move(struct debounce *debounce, uint64_t at, bool down)
{
	bool press;

	if (!debounce->moving || at - debounce->moved_at >= debounce->quiet) {
		debounce->from_open = !debounce->down;
		debounce->counted = false;
	}
	debounce->moving = true;
	debounce->moved_at = at;
	debounce->down = down;
	press = down && debounce->from_open && !debounce->counted;
	debounce->counted |= press;
	return press;
}

uint64_t debounce_deadline(const struct debounce *debounce)
{
	return debounce->raw == debounce->down ? 0 : debounce->raw_at + debounce->filter;
}

bool debounce_settle(struct debounce *debounce, uint64_t now)
{
	uint64_t deadline = debounce_deadline(debounce);

	return deadline && now >= deadline && move(debounce, deadline, debounce->raw);
}

bool debounce_edge(struct debounce *debounce, uint64_t at, bool down)
{
	bool press;

	if (at < debounce->raw_at)
		at = debounce->raw_at;
	press = debounce_settle(debounce, at);
	debounce->raw = down;
	debounce->raw_at = at;
	if (debounce->filter == 0)
		press = move(debounce, at, down);
	return press;
}
