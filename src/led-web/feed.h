/* SPDX-License-Identifier: MIT */
#ifndef FEED_H
#define FEED_H

/*
 * The stream of one page: what it has, and so which event it gets next, in the form of
 * text/event-stream. State, not history: a slow reader gets what is true when it takes something.
 * No I/O.
 */

#include <stdbool.h>
#include <stdint.h>

#include "element.h"
#include "follow.h"

/* Room for an event. */
#define FEED_EVENT_MAX (ELEMENT_MAX + 32)

/* Begins as all zeros, but for list. */
struct feed {
	uint64_t list; /* feed_list() of the page */
	bool is_away;  /* the page knows that led-line is */
	bool comments; /* a comment is due: the page, and we, learn that the connection lives */
	struct {
		bool is_sent;
		enum led_state state;
		uint64_t why; /* a checksum of the reason */
	} leds[LEDS_MAX];
};

enum feed_step {
	FEED_NOTHING, /* for now */
	FEED_EVENT,
	FEED_END, /* there are other LEDs than on the page */
};

/* Returns a number that is another one when the LEDs are called otherwise, or are for something
 * else. */
uint64_t feed_list(const struct follow *follow);

/*
 * Says which event the page gets next.
 *
 * away: why led-line cannot be followed, or ""
 * event: set to it
 */
enum feed_step feed_next(struct feed *feed, const struct follow *follow, const char *away,
	char event[FEED_EVENT_MAX]);

#endif
