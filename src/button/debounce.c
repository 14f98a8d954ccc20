/* SPDX-License-Identifier: MIT */

/* Edges of a bouncing contact in, closings and openings out. */

#include "debounce.h"

void debounce_init(struct debounce *debounce, uint64_t quiet, uint64_t filter, bool closed)
{
	*debounce = (struct debounce){
		.quiet = quiet,
		.filter = filter,
		.raw = closed,
		.down = closed,
		.closed = closed,
	};
}

void debounce_edge(struct debounce *debounce, uint64_t at, bool closed)
{
	if (at < debounce->raw_at)
		at = debounce->raw_at;
	debounce->raw = closed;
	debounce->raw_at = at;
	/* Without a filter, an edge is a movement even if the contact is read as it was. */
	if (debounce->filter == 0)
		debounce->moved_at = at;
}

/* When the last edge has passed the filter. */
static uint64_t pass_deadline(const struct debounce *debounce)
{
	return debounce->raw == debounce->down ? DEBOUNCE_NEVER
					       : debounce->raw_at + debounce->filter;
}

/* When a contact that may have opened has come to rest. */
static uint64_t rest_deadline(const struct debounce *debounce)
{
	return debounce->opening ? debounce->moved_at + debounce->quiet : DEBOUNCE_NEVER;
}

/* The last edge has passed the filter. Returns whether it closes the contact. */
static bool pass(struct debounce *debounce, uint64_t at)
{
	bool closes = debounce->raw && !debounce->closed;

	debounce->down = debounce->raw;
	debounce->moved_at = at;
	if (!debounce->down && debounce->closed && !debounce->opening) {
		debounce->opening = true;
		debounce->opened_at = at;
	}
	debounce->closed |= closes;
	return closes;
}

/* The contact has come to rest. Returns whether it has opened. */
static bool rest(struct debounce *debounce)
{
	debounce->opening = false;
	debounce->closed = debounce->down;
	return !debounce->down;
}

bool debounce_next(struct debounce *debounce, uint64_t now, struct contact_event *event)
{
	for (;;) {
		uint64_t passes_at = pass_deadline(debounce), rests_at = rest_deadline(debounce);

		if (passes_at > now && rests_at > now)
			return false;
		if (rests_at <= passes_at) {
			*event = (struct contact_event){debounce->opened_at, false};
			if (rest(debounce))
				return true;
		} else {
			*event = (struct contact_event){passes_at, true};
			if (pass(debounce, passes_at))
				return true;
		}
	}
}

uint64_t debounce_deadline(const struct debounce *debounce)
{
	uint64_t passes_at = pass_deadline(debounce), rests_at = rest_deadline(debounce);

	return rests_at < passes_at ? rests_at : passes_at;
}

uint64_t debounce_certain(const struct debounce *debounce, uint64_t now)
{
	return debounce->opening ? debounce->opened_at : now;
}
