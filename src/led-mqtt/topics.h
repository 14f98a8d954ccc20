/* SPDX-License-Identifier: MIT */
#ifndef TOPICS_H
#define TOPICS_H

/* The names of topics, and what comes on them. No allocation and no I/O: the fuzzer uses this. */

#include <stdbool.h>
#include <stddef.h>

#include "command.h"

/* The longest part of a topic, in bytes. */
#define TOPIC_PART_MAX 64

/* The longest MQTT_BASE, in bytes. */
#define TOPIC_BASE_MAX 128

/* Room for any topic that led-mqtt publishes. */
#define TOPIC_MAX (TOPIC_BASE_MAX + 2 * TOPIC_PART_MAX + sizeof "//group//availability/config")

/* Payloads of availability */
#define TOPICS_ONLINE "online"
#define TOPICS_OFFLINE "offline"

/* Payloads of BASE/HOST/button/NAME */
#define TOPICS_PRESS "press"
#define TOPICS_LONG "long"

/* Where in the tree of topics a machine is. */
struct topics {
	const char *base, *host;
};

enum topic {
	TOPIC_OTHER,                /* none of ours */
	TOPIC_AVAILABILITY,         /* BASE/HOST/availability */
	TOPIC_LED,                  /* BASE/HOST/NAME */
	TOPIC_LED_AVAILABILITY,     /* BASE/HOST/NAME/availability */
	TOPIC_SET,                  /* BASE/HOST/NAME/set */
	TOPIC_SET_OF_NONE,          /* the same, with what can be no LED's name */
	TOPIC_GROUP_SET,            /* BASE/group/GROUP/set */
	TOPIC_CONTACT,              /* BASE/HOST/contact/NAME */
	TOPIC_CONTACT_AVAILABILITY, /* BASE/HOST/contact/NAME/availability */
};

/*
 * Whether a text can be a part of a topic: 1 to TOPIC_PART_MAX letters, digits, dots, hyphens and
 * underscores. Such a text needs no escaping in JSON either.
 */
bool topics_is_part(const char *text, size_t length);

/* Whether a text is one or more such parts with slashes between them. */
bool topics_is_path(const char *text);

/*
 * Whether a name that an LED may have also fits into the topics: BASE/HOST/availability is the
 * machine's own.
 */
bool topics_is_led(const char *name);

/* Whether a button or a contact may have this name, in small letters. */
bool topics_is_button(const char *name);

/*
 * Writes the topic of an LED.
 *
 * name: of the LED, or "" for the machine
 * end: "", "availability" or "set"
 * Returns text.
 */
const char *topics_write(
	const struct topics *topics, const char *name, const char *end, char text[TOPIC_MAX]);

/*
 * Writes the topic of a button's presses.
 *
 * Returns text.
 */
const char *topics_write_button(
	const struct topics *topics, const char *name, char text[TOPIC_MAX]);

/*
 * Writes a topic of a contact.
 *
 * end: "" or "availability"
 * Returns text.
 */
const char *topics_write_contact(
	const struct topics *topics, const char *name, const char *end, char text[TOPIC_MAX]);

/*
 * Finds out what a topic is.
 *
 * name: set to the name of the LED or contact, where the topic has one
 */
enum topic topics_read(
	const struct topics *topics, const char *text, char name[COMMAND_NAME_MAX + 1]);

/*
 * Reads what came on a topic that ends with /set: "ON", "OFF", "TOGGLE", "PULSE MS", and after the
 * last two "#KEY". "1", "true", "0" and "false" are ON and OFF.
 *
 * request: set to it, without a name
 * Returns NULL, or the reason why it is no command, a constant.
 */
const char *topics_read_command(const void *payload, size_t length, struct request *request);

/*
 * Writes a command as topics_read_command() reads it.
 *
 * Returns text.
 */
const char *topics_write_command(const struct request *request, char text[COMMAND_MAX + 1]);

#endif
