/* SPDX-License-Identifier: MIT */
#ifndef DISCOVERY_H
#define DISCOVERY_H

/*
 * How Home Assistant, openHAB, Domoticz and Gladys learn of the LEDs, buttons and contacts: a
 * retained message for each thing. No I/O: the fuzzer uses this.
 */

#include <stdbool.h>

#include "topics.h"

/* Room for an ID: where a byte of BASE or HOST takes three, and __ is between them. */
#define DISCOVERY_ID_MAX (3UL * (TOPIC_BASE_MAX + TOPIC_PART_MAX) + sizeof "__")

/* Room for any topic of discovery. */
#define DISCOVERY_TOPIC_MAX                                                                        \
	(TOPIC_BASE_MAX + DISCOVERY_ID_MAX + COMMAND_NAME_MAX +                                    \
		sizeof "/device_automation//button__long/config" - 1)

/* What a message is of. An LED has one of the first two. */
enum discovery_kind {
	DISCOVERY_LIGHT,
	DISCOVERY_SWITCH,
	DISCOVERY_EVENT, /* a button's presses, as an entity */
	DISCOVERY_PRESS, /* a button's short presses, for automations */
	DISCOVERY_LONG,  /* its long ones */
	DISCOVERY_CONTACT,
	DISCOVERY_KINDS, /* how many there are */
};

/* What has such messages. */
enum discovery_of { DISCOVERY_OF_LED, DISCOVERY_OF_BUTTON, DISCOVERY_OF_CONTACT };

/* This machine, as others are to see it. */
struct discovery {
	const char *prefix; /* MQTT_DISCOVERY, or "": there is no discovery */
	struct topics topics;
	const char *name;       /* for people */
	const char *area, *url; /* or "" */
	const char *model;      /* or "" */
};

/*
 * Writes the ID of this machine, which no other machine has: BASE_HOST if both have letters, digits
 * and hyphens only. Otherwise, each other byte is an underscore and two hexadecimal digits, and two
 * underscores join them.
 *
 * Returns id.
 */
const char *discovery_id(const struct topics *topics, char id[DISCOVERY_ID_MAX]);

/* What a kind is of. */
enum discovery_of discovery_of(enum discovery_kind kind);

/*
 * Writes a topic.
 *
 * name: of the LED, button or contact
 * Returns text.
 */
const char *discovery_topic(const struct discovery *discovery, enum discovery_kind kind,
	const char *name, char text[DISCOVERY_TOPIC_MAX]);

/*
 * Writes the filter for all of these topics.
 *
 * Returns text.
 */
const char *discovery_filter(const struct discovery *discovery, char text[DISCOVERY_TOPIC_MAX]);

/*
 * Finds out which thing of this machine a topic is of.
 *
 * kind, name: set to it
 * Returns whether it is one.
 */
bool discovery_read_topic(const struct discovery *discovery, const char *topic,
	enum discovery_kind *kind, char name[COMMAND_NAME_MAX + 1]);

/*
 * Reads the key of a thing: led_NAME, button_NAME or contact_NAME, as topics have it; 0.4's message
 * has the first two.
 *
 * platform: what Home Assistant calls its kind: "light"
 * kind, name: set to it
 * Returns whether it is one.
 */
bool discovery_read_key(const char *platform, const char *key, enum discovery_kind *kind,
	char name[COMMAND_NAME_MAX + 1]);

/*
 * Writes a message.
 *
 * name: of the LED, button or contact
 * device_class: of a contact, or ""
 * Returns JSON for the caller to free, or NULL when memory is short.
 */
char *discovery_write(const struct discovery *discovery, enum discovery_kind kind, const char *name,
	const char *device_class);

#endif
