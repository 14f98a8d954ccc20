/* SPDX-License-Identifier: MIT */
#ifndef WATCHERS_H
#define WATCHERS_H

/*
 * Clients that watch: LED WATCH. Each gets a line for each LED at first, and then one for each
 * change. What counts is the state: a client that reads slowly gets the newest, and one that does
 * not read is closed.
 */

#include <systemd/sd-event.h>

#include "command.h"
#include "leds.h"
#include "reception.h"

/* Clients of each origin that watch at once. */
#define WATCHERS_MAX 16

struct watchers;

/* Creates a collection without watchers. Returns NULL when memory is short. */
struct watchers *watchers_create(sd_event *event, struct leds *leds);

/*
 * Adds a watcher, and sends it the first lines.
 *
 * fd: its connection, which stays the caller's
 * leds: the LEDs, a bit for each as in struct news
 * mark: added to the first line, as ANSWER_UNLOGGED is to an answer; or ""
 * Returns NULL, or a constant reason.
 */
const char *watchers_add(struct watchers *watchers, int fd, enum watchers_origin origin,
	uint32_t leds, const char *mark);

/* Closes every watcher. */
void watchers_destroy(struct watchers *watchers);

#endif
