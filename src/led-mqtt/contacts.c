/* SPDX-License-Identifier: MIT */

/* The contacts of a machine, and what is published of them. */

#include "contacts.h"

#include <stdio.h>
#include <string.h>

#define BLANKS " \t\n"

const struct contact *contacts_find(const struct contacts *contacts, const char *name)
{
	for (unsigned i = 0; i < contacts->n; i++)
		if (strcmp(contacts->items[i].name, name) == 0)
			return &contacts->items[i];
	return NULL;
}

static bool is_class(const char *text, size_t length)
{
	if (length == 0 || length > CONTACT_CLASS_MAX)
		return false;
	for (size_t i = 0; i < length; i++)
		if ((text[i] < 'a' || text[i] > 'z') && text[i] != '_')
			return false;
	return true;
}

/* Reads a word: NAME or NAME:CLASS. Returns NULL, or what is wrong. */
static const char *read_contact(const char *word, size_t length, struct contact *contact)
{
	const char *colon = memchr(word, ':', length);
	size_t name = colon ? (size_t)(colon - word) : length;

	*contact = (struct contact){0};
	if (!command_read_name(word, name, contact->name) ||
		strncmp(word, contact->name, name) != 0 || !topics_is_button(contact->name))
		return "a contact's name is like an LED's, and neither set nor availability";
	if (!colon)
		return NULL;
	length -= name + 1;
	if (!is_class(colon + 1, length))
		return "the class of a contact has 1 to 31 small letters and underscores";
	memcpy(contact->device_class, colon + 1, length);
	return NULL;
}

const char *contacts_read(const char *text, struct contacts *contacts)
{
	contacts->n = 0;
	for (;;) {
		struct contact contact;
		const char *why;
		size_t length;

		text += strspn(text, BLANKS);
		length = strcspn(text, BLANKS);
		if (length == 0)
			return NULL;
		why = read_contact(text, length, &contact);
		if (!why && contacts_find(contacts, contact.name))
			why = "a contact is named twice";
		if (!why && contacts->n == CONTACTS_MAX)
			why = "too many: there may be 32";
		if (why)
			return why;
		contacts->items[contacts->n++] = contact;
		text += length;
	}
}

static void write_message(const struct topics *topics, const char *name, const char *end,
	const char *payload, struct contact_message *message)
{
	topics_write_contact(topics, name, end, message->topic);
	message->payload = payload;
}

unsigned contacts_write(const struct topics *topics, const struct contact_report *report,
	struct contact_message messages[CONTACT_MESSAGES])
{
	bool is_gone = report->state == CONTACT_IS_GONE;
	unsigned n = 0;

	if (!is_gone)
		write_message(topics, report->name, "",
			report->state == CONTACT_IS_ON ? "ON" : "OFF", &messages[n++]);
	write_message(topics, report->name, "availability",
		is_gone ? TOPICS_OFFLINE : TOPICS_ONLINE, &messages[n++]);
	return n;
}
