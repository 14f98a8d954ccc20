/* SPDX-License-Identifier: MIT */
#ifndef CONTACTS_H
#define CONTACTS_H

/* The contacts of a machine, and what is published when one of them says how it is. No I/O. */

#include "command.h"
#include "topics.h"

/* The most contacts of a machine. */
#define CONTACTS_MAX 32

/* The longest class, in bytes. */
#define CONTACT_CLASS_MAX 31

struct contact {
	char name[COMMAND_NAME_MAX + 1];
	char device_class[CONTACT_CLASS_MAX + 1]; /* what Home Assistant calls its kind, or "" */
};

/* Begins as all zeros. */
struct contacts {
	struct contact items[CONTACTS_MAX];
	unsigned n;
};

/* The messages of one report, at the most. */
#define CONTACT_MESSAGES 2

/* A retained message. */
struct contact_message {
	char topic[TOPIC_MAX];
	const char *payload; /* a constant */
};

/*
 * Reads MQTT_CONTACTS: names with blanks between them, each NAME or NAME:CLASS.
 *
 * Returns NULL, or what is wrong, a constant.
 */
const char *contacts_read(const char *text, struct contacts *contacts);

/* Returns the contact of this name, or NULL. */
const struct contact *contacts_find(const struct contacts *contacts, const char *name);

/*
 * Writes what is published for a report: the state before the availability, so that nobody takes an
 * old state for the contact's. The state stays when it is gone.
 *
 * Returns how many messages there are.
 */
unsigned contacts_write(const struct topics *topics, const struct contact_report *report,
	struct contact_message messages[CONTACT_MESSAGES]);

#endif
