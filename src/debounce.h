/* SPDX-License-Identifier: MIT */
#ifndef DEBOUNCE_H
#define DEBOUNCE_H

/* Edges of a bouncing contact in, presses out. */

#include <stdbool.h>
#include <stdint.h>

struct debounce {
	uint64_t quiet;     /* microseconds without an edge that end the bouncing */
	uint64_t last_edge; /* microseconds */
	bool moving;        /* there has been an edge */
	bool down;          /* the contact is closed, as of the last edge */
};

/*
 * quiet_usec: how long the contact has to be quiet before an edge is a new movement
 * down: whether the contact is closed now
 */
void debounce_init(struct debounce *debounce, uint64_t quiet_usec, bool down);

/*
 * Takes an edge.
 *
 * at: its time in microseconds; earlier than the last edge's counts as the same time
 * down: whether the contact is closed after it
 * Returns true when the edge is a press: the first edge of a movement of a contact
 * that was open. What the edge itself says does not matter, since the kernel reads the
 * level after the interrupt, when a bounce may have turned it back already.
 */
bool debounce_edge(struct debounce *debounce, uint64_t at, bool down);

#endif
