/* SPDX-License-Identifier: MIT */
#ifndef SWITCH_H
#define SWITCH_H

/*
 * What a contact does in, the occasions to send a command out: debounce and gesture together, with
 * releases and positions. All times are microseconds.
 */

#include <stdbool.h>
#include <stdint.h>

#include "contact.h"
#include "debounce.h"
#include "gesture.h"
#include "occasion.h"

struct switch_options {
	uint64_t quiet, filter; /* as for debounce_init() */
	uint64_t hold;          /* as for gesture_init() */
	bool has_release;       /* a release is an occasion */
	bool has_long;          /* a long press is an occasion */
	bool has_position;      /* closed and open are states: command_lists_have_position() */
};

/* `switch` alone is a keyword. */
struct switch_state {
	struct switch_options options;
	bool bounces;
	struct debounce debounce;
	struct gesture gesture;
	bool has_event; /* of a contact that does not bounce: event is not looked at yet */
	struct contact_event event;
	enum occasion found[2]; /* occasions that were not returned yet */
	unsigned n_found;
};

void switch_init(struct switch_state *state, const struct switch_options *options);

/*
 * The contact is there: at the start, or after it was away. A press during which it was lost is
 * forgotten. A position is an occasion, whether it has changed or not. Before, switch_next() has to
 * return false.
 *
 * bounces: its events are the edges of a real contact
 * closed: whether it is closed now
 */
void switch_begin(struct switch_state *state, bool bounces, bool closed);

/*
 * Takes an event of the contact. Before, switch_next() has to be called until event.at, and return
 * false.
 */
void switch_take(struct switch_state *state, struct contact_event event);

/*
 * Finds the next occasion that is certain when no further event has come until now. A press comes
 * before the release that ends it.
 *
 * Returns whether there is one.
 */
bool switch_next(struct switch_state *state, uint64_t now, enum occasion *occasion);

/* What switch_deadline() returns for never. */
#define SWITCH_NEVER UINT64_MAX

/*
 * Returns when to call switch_next() if no event comes before.
 *
 * now: as for switch_next(), which has returned false
 */
uint64_t switch_deadline(const struct switch_state *state, uint64_t now);

#endif
