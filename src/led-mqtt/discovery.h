/* SPDX-License-Identifier: MIT */
#ifndef DISCOVERY_H
#define DISCOVERY_H

/* How Home Assistant learns of the LEDs and buttons: one message for the whole machine. */

#include <stdbool.h>

#include "settings.h"
#include "topics.h"

/* Room for the topic as discovery_topic() writes it. */
#define DISCOVERY_TOPIC_MAX (2 * TOPIC_MAX)

/* As many as a machine may have, and as many again that are gone. */
#define DISCOVERY_MAX (2 * LEDS_MAX)

/* LEDs or buttons, with those that are gone: Home Assistant is to forget these. */
struct discovery_list {
	struct discovery_item {
		char name[COMMAND_NAME_MAX + 1];
		bool gone;
	} items[DISCOVERY_MAX];
	unsigned n;
};

/* Whether there is an item with this name. */
bool discovery_has(const struct discovery_list *list, const char *name);

/* Adds an item, unless there is one with its name or the list is full. Returns whether it has. */
bool discovery_add(struct discovery_list *list, const char *name, bool gone);

/*
 * Writes the topic.
 *
 * prefix: MQTT_DISCOVERY
 * Returns text.
 */
const char *discovery_topic(
	const char *prefix, const struct topics *topics, char text[DISCOVERY_TOPIC_MAX]);

/*
 * Writes the message. LEDs whose names are no topics are left out.
 *
 * Returns JSON for the caller to free, or NULL when memory is short.
 */
char *discovery_write(const struct topics *topics, const struct discovery_list *leds,
	const struct discovery_list *buttons);

/*
 * Finds the next button in a message, also one that is gone.
 *
 * text, end: where to search
 * name: set to the button's name
 * Returns where to go on, or NULL when there is none.
 */
const char *discovery_next_button(
	const char *text, const char *end, char name[COMMAND_NAME_MAX + 1]);

#endif
