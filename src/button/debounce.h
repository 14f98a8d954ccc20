/* SPDX-License-Identifier: MIT */
#ifndef DEBOUNCE_H
#define DEBOUNCE_H

/* Edges of a bouncing contact in, presses out. All times are microseconds. */

#include <stdbool.h>
#include <stdint.h>

struct debounce {
	uint64_t quiet, filter;
	bool raw;        /* the contact is closed, as of the last edge */
	uint64_t raw_at; /* when the last edge was */

	bool down;         /* the contact is closed, after the filter */
	bool moving;       /* there has been a movement */
	bool from_open;    /* the contact was open before the last movement */
	bool counted;      /* the last movement was a press */
	uint64_t moved_at; /* when the last movement was last seen */
};

/*
 * quiet: how long the contact has to be quiet before an edge is a new movement
 * filter: how long the contact has to stay closed, or open, before it counts as such;
 *     0: an edge counts at once
 * down: whether the contact is closed now
 */
void debounce_init(struct debounce *debounce, uint64_t quiet, uint64_t filter, bool down);

/*
 * Takes an edge, and decides whether it is a press.
 *
 * at: its time; earlier than the last edge's counts as the same time
 * down: whether the contact was read as closed after it. The kernel reads it after the interrupt,
 *     when a bounce or the end of a short pulse may have turned it back already.
 * Returns true when that is a press: the first time in a movement of an open contact that the
 * contact is closed. With a filter, the press may be that of the edge before.
 */
bool debounce_edge(struct debounce *debounce, uint64_t at, bool down);

/* Returns when to call debounce_settle() if no edge comes before, or 0 for never. */
uint64_t debounce_deadline(const struct debounce *debounce);

/* Says that no edge has come until now. Returns true when this makes a press. */
bool debounce_settle(struct debounce *debounce, uint64_t now);

#endif
