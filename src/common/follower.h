/* SPDX-License-Identifier: MIT */
#ifndef FOLLOWER_H
#define FOLLOWER_H

/* Follows led-line's LEDs over its socket, also when it restarts: what follow.h decides. */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "address.h"
#include "follow.h"

/* LEDs have come or gone, or one has another state; or the trouble is another one. */
typedef void (*follower_changed)(void *userdata);

struct follower;

/*
 * Begins to follow.
 *
 * line: where led-line listens; kept by the caller
 * Returns NULL when memory is short.
 */
struct follower *follower_create(
	sd_event *event, const struct address *line, follower_changed changed, void *userdata);

/* What is known of the LEDs. */
const struct follow *follower_get(const struct follower *follower);

/* Why led-line cannot be followed now, for people, or "". */
const char *follower_trouble(const struct follower *follower);

/* led-line has not answered a command for FOLLOW_ANSWER_USEC. */
void follower_hang(struct follower *follower);

void follower_destroy(struct follower *follower);

#endif
