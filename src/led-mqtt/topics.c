/* SPDX-License-Identifier: MIT */

/* The names of topics, and what comes on them. */

#include "topics.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define AVAILABILITY "availability"
#define SET "set"
#define GROUP "group"
#define BUTTON "button"
#define CONTACT "contact"

/* What command_feed() and command_write() have before the words that are on topics. */
#define PREFIX "LED "

bool topics_is_part(const char *text, size_t length)
{
	if (length == 0 || length > TOPIC_PART_MAX)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '.' && text[i] != '-' &&
			text[i] != '_')
			return false;
	return true;
}

bool topics_is_path(const char *text)
{
	for (;;) {
		size_t length = strcspn(text, "/");

		if (!topics_is_part(text, length))
			return false;
		if (!text[length])
			return true;
		text += length + 1;
	}
}

bool topics_is_led(const char *name)
{
	return strcmp(name, AVAILABILITY) != 0;
}

bool topics_is_button(const char *name)
{
	/* BASE/HOST/button/set is that of an LED called button, and so is BASE/HOST/contact/set. */
	return topics_is_led(name) && strcmp(name, SET) != 0;
}

const char *topics_write(
	const struct topics *topics, const char *name, const char *end, char text[TOPIC_MAX])
{
	snprintf(text, TOPIC_MAX, "%s/%s%s%s%s%s", topics->base, topics->host, *name ? "/" : "",
		name, *end ? "/" : "", end);
	return text;
}

const char *topics_write_button(const struct topics *topics, const char *name, char text[TOPIC_MAX])
{
	snprintf(text, TOPIC_MAX, "%s/%s/" BUTTON "/%s", topics->base, topics->host, name);
	return text;
}

const char *topics_write_contact(
	const struct topics *topics, const char *name, const char *end, char text[TOPIC_MAX])
{
	snprintf(text, TOPIC_MAX, "%s/%s/" CONTACT "/%s%s%s", topics->base, topics->host, name,
		*end ? "/" : "", end);
	return text;
}

/* Returns what follows a part and its slash, or NULL if the text does not begin so. */
static const char *after_part(const char *text, const char *part)
{
	size_t length = strlen(part);

	return strncmp(text, part, length) == 0 && text[length] == '/' ? text + length + 1 : NULL;
}

/* Whether a part is the name of an LED as topics have it: in small letters. */
static bool read_name(const char *text, size_t length, char name[COMMAND_NAME_MAX + 1])
{
	return command_read_name(text, length, name) && strncmp(text, name, length) == 0 &&
	       topics_is_led(name);
}

/* What follows BASE/HOST/contact/ */
static enum topic read_contact(const char *text, char name[COMMAND_NAME_MAX + 1])
{
	size_t length = strcspn(text, "/");

	if (!read_name(text, length, name) || !topics_is_button(name))
		return TOPIC_OTHER;
	if (!text[length])
		return TOPIC_CONTACT;
	return strcmp(text + length + 1, AVAILABILITY) == 0 ? TOPIC_CONTACT_AVAILABILITY
							    : TOPIC_OTHER;
}

enum topic topics_read(
	const struct topics *topics, const char *text, char name[COMMAND_NAME_MAX + 1])
{
	const char *rest = after_part(text, topics->base), *group, *contact;
	size_t length;

	*name = '\0';
	if (!rest)
		return TOPIC_OTHER;
	group = after_part(rest, GROUP);
	if (group) {
		length = strcspn(group, "/");
		return topics_is_part(group, length) && strcmp(group + length, "/" SET) == 0
			       ? TOPIC_GROUP_SET
			       : TOPIC_OTHER;
	}
	rest = after_part(rest, topics->host);
	if (!rest)
		return TOPIC_OTHER;
	if (strcmp(rest, AVAILABILITY) == 0)
		return TOPIC_AVAILABILITY;
	length = strcspn(rest, "/");
	if (!read_name(rest, length, name)) {
		*name = '\0';
		return strcmp(rest + length, "/" SET) == 0 ? TOPIC_SET_OF_NONE : TOPIC_OTHER;
	}
	if (!rest[length])
		return TOPIC_LED;
	if (strcmp(rest + length + 1, AVAILABILITY) == 0)
		return TOPIC_LED_AVAILABILITY;
	if (strcmp(rest + length + 1, SET) == 0)
		return TOPIC_SET;
	contact = after_part(rest, CONTACT);
	return contact ? read_contact(contact, name) : TOPIC_OTHER;
}

/* Other words for ON and OFF, as the switches of Node-RED and of others send them. */
static const struct {
	const char *word, *is;
} WORDS[] = {{"1", "ON"}, {"0", "OFF"}, {"true", "ON"}, {"false", "OFF"}};

/* Feeds a payload. The first word may be another one for ON or OFF. */
static void feed(struct command *command, const char *payload, size_t length)
{
	size_t start = 0, end;

	while (start < length && (payload[start] == ' ' || payload[start] == '\t'))
		start++;
	end = start;
	while (end < length && isalnum((unsigned char)payload[end]))
		end++;
	for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
		if (strlen(WORDS[i].word) == end - start &&
			strncasecmp(WORDS[i].word, payload + start, end - start) == 0) {
			command_feed(command, WORDS[i].is, strlen(WORDS[i].is));
			start = end;
		}
	command_feed(command, payload + start, length - start);
}

const char *topics_read_command(const void *payload, size_t length, struct request *request)
{
	static const char WHY[] = "not ON, OFF, TOGGLE or PULSE MS";
	const unsigned char *bytes = payload;
	struct command command = {0};

	if (length > COMMAND_MAX)
		return WHY;
	/* Nobody speaks telnet here: these would be its bytes. */
	for (size_t i = 0; i < length; i++)
		if (bytes[i] > '~')
			return WHY;
	command_feed(&command, PREFIX, strlen(PREFIX));
	feed(&command, payload, length);
	if (command_parse(&command, request) || request->all || *request->name)
		return WHY;
	switch (request->verb) {
	case VERB_ON:
	case VERB_OFF:
	case VERB_TOGGLE:
	case VERB_PULSE:
		return NULL;
	case VERB_STATUS:
	case VERB_LIST:
	case VERB_WATCH:
		break;
	}
	return WHY;
}

const char *topics_write_command(const struct request *request, char text[COMMAND_MAX + 1])
{
	size_t length = command_write(request, text);

	memmove(text, text + strlen(PREFIX), length + 1 - strlen(PREFIX));
	return text;
}
