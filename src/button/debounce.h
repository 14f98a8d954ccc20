/* SPDX-License-Identifier: MIT */
#ifndef DEBOUNCE_H
#define DEBOUNCE_H

/* Edges of a bouncing contact in, closings and openings out. All times are microseconds. */

#include <stdbool.h>
#include <stdint.h>

#include "contact.h"

/*
 * A contact closes at the first edge that is read as closed. It opens when it comes to rest open;
 * the opening has the time of the first edge at which the contact was open. So a held contact that
 * opens for less than the quiet time stays closed, as does one that never comes to rest.
 */
struct debounce {
	uint64_t quiet, filter;
	bool raw;        /* the contact is closed, as of the last edge */
	uint64_t raw_at; /* when the last edge was */

	bool down;         /* the contact is closed, after the filter */
	uint64_t moved_at; /* when the contact last moved, after the filter */

	bool closed;        /* as of the last event */
	bool opening;       /* it has been open, and has not come to rest since */
	uint64_t opened_at; /* when that began */
};

/* What debounce_deadline() returns for never. */
#define DEBOUNCE_NEVER UINT64_MAX

/*
 * quiet: how long the contact has to be quiet to be at rest
 * filter: how long the contact has to stay closed, or open, before it counts as such;
 *     0: an edge counts at once
 * closed: whether the contact is closed now
 */
void debounce_init(struct debounce *debounce, uint64_t quiet, uint64_t filter, bool closed);

/*
 * Takes an edge. Before, debounce_next() has to be called for what happened until then.
 *
 * at: its time; earlier than the last edge's counts as the same time
 * closed: how the contact was read after it. The kernel reads it after the interrupt, when a bounce
 *     or the end of a short pulse may have turned it back already.
 */
void debounce_edge(struct debounce *debounce, uint64_t at, bool closed);

/*
 * Takes the next event of those that are certain when no further edge has come until now. The
 * events alternate.
 *
 * Returns whether there is one.
 */
bool debounce_next(struct debounce *debounce, uint64_t now, struct contact_event *event);

/* Returns when to call debounce_next() if no edge comes before. */
uint64_t debounce_deadline(const struct debounce *debounce);

/*
 * Returns until when the contact's position is certain: now, or, if it may have opened, the time of
 * that.
 *
 * now: as for debounce_next(), which has returned false
 */
uint64_t debounce_certain(const struct debounce *debounce, uint64_t now);

#endif
