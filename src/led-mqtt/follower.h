/* SPDX-License-Identifier: MIT */
#ifndef FOLLOWER_H
#define FOLLOWER_H

/* What led-line's LEDs are called and show, by LED WATCH. It goes on when led-line restarts. */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "address.h"
#include "command.h"

enum led_state { LED_UNKNOWN, LED_OFF, LED_ON, LED_MISSING /* its hardware is */ };

struct followed_led {
	char name[COMMAND_NAME_MAX + 1]; /* of one without a name: "led" */
	enum led_state state;
};

/* Something has changed: LEDs have come or gone, or one has another state. */
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

/*
 * The LEDs. They stay as they were when led-line has gone: it holds them in the same state when it
 * is back, or says otherwise.
 *
 * leds: set to them
 * Returns their number; 0 as long as led-line has not been there.
 */
unsigned follower_leds(const struct follower *follower, const struct followed_led **leds);

/* Why led-line cannot be followed now, for people, or "". */
const char *follower_trouble(const struct follower *follower);

void follower_destroy(struct follower *follower);

#endif
