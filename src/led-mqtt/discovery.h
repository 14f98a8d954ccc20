/* SPDX-License-Identifier: MIT */
#ifndef DISCOVERY_H
#define DISCOVERY_H

/* How Home Assistant learns of the LEDs and buttons: one message for the whole machine. */

#include <stdbool.h>

#include "settings.h"
#include "topics.h"

/* Room for the topic as discovery_topic() writes it. */
#define DISCOVERY_TOPIC_MAX (2 * TOPIC_MAX)

struct discovery_led {
	const char *name;
	bool gone; /* it was there: Home Assistant is to forget it */
};

/*
 * Writes the topic.
 *
 * prefix: MQTT_DISCOVERY
 * Returns text.
 */
const char *discovery_topic(
	const char *prefix, const struct topics *topics, char text[DISCOVERY_TOPIC_MAX]);

/*
 * Writes the message.
 *
 * leds, n: the LEDs
 * buttons: names of MQTT_BUTTONS
 * Returns JSON for the caller to free, or NULL when memory is short.
 */
char *discovery_write(const struct topics *topics, const struct discovery_led *leds, unsigned n,
	const struct names *buttons);

#endif
