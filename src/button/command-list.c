/* SPDX-License-Identifier: MIT */

/* The lists of commands: what each command asks for, and what they say together. */

#include "command-list.h"

#include <ctype.h>
#include <string.h>

/* The name of the LED that has none: LED ON is LED led ON. */
#define UNNAMED "led"

const char *command_list_add(struct command_list *list, const char *text)
{
	struct listed_command *added = &list->commands[list->n];
	struct command command = {0};
	size_t length = strlen(text);

	if (list->n == COMMAND_LIST_MAX)
		return "too many commands";
	if (length == 0 || length > COMMAND_MAX)
		return "a command has 1 to 64 bytes";
	for (const char *p = text; *p; p++)
		if (iscntrl((unsigned char)*p))
			return "a command has no control characters";
	command_feed(&command, text, length);
	added->text = text;
	added->for_led = !command_parse(&command, &added->request);
	added->for_contact = command_parse_contact(&command, &added->report);
	list->n++;
	return NULL;
}

/* Whether it is something else when it is carried out twice. */
static bool counts(enum verb verb)
{
	switch (verb) {
	case VERB_TOGGLE:
	case VERB_PULSE:
		return true;
	case VERB_ON:
	case VERB_OFF:
	case VERB_STATUS:
	case VERB_LIST:
	case VERB_WATCH:
		break;
	}
	return false;
}

bool command_needs_key(const struct listed_command *command)
{
	const struct request *request = &command->request;

	return command->for_led && !*request->key && counts(request->verb);
}

void command_write_line(
	const struct listed_command *command, const char *key, char line[COMMAND_LINE_MAX])
{
	struct request request = command->request;

	if (*key && command_needs_key(command)) {
		strcpy(request.key, key);
		command_write(&request, line);
	} else {
		strcpy(line, command->text);
	}
	strcat(line, "\n");
}

static bool is_on_or_off(const struct listed_command *command)
{
	if (command->for_contact)
		return command->report.state != CONTACT_IS_GONE;
	return command->for_led &&
	       (command->request.verb == VERB_ON || command->request.verb == VERB_OFF);
}

static bool is_on(const struct listed_command *command)
{
	return command->for_contact ? command->report.state == CONTACT_IS_ON
				    : command->request.verb == VERB_ON;
}

static bool is_same_led(const struct request *a, const struct request *b)
{
	const char *a_name = *a->name ? a->name : UNNAMED, *b_name = *b->name ? b->name : UNNAMED;

	return a->all == b->all && strcmp(a_name, b_name) == 0;
}

/* Whether two commands, each ON or OFF, are for the same thing. */
static bool are_alike(const struct listed_command *a, const struct listed_command *b)
{
	if (a->for_contact && b->for_contact)
		return strcmp(a->report.name, b->report.name) == 0;
	return a->for_led && b->for_led && is_same_led(&a->request, &b->request);
}

bool command_lists_have_position(const struct command_list lists[OCCASIONS])
{
	const struct listed_command *closed = lists[ON_PRESS].commands,
				    *open = lists[ON_RELEASE].commands;

	return lists[ON_PRESS].n == 1 && lists[ON_RELEASE].n == 1 && lists[ON_LONG_PRESS].n == 0 &&
	       is_on_or_off(closed) && is_on_or_off(open) && is_on(closed) != is_on(open) &&
	       are_alike(closed, open);
}
