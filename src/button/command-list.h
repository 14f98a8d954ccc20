/* SPDX-License-Identifier: MIT */
#ifndef COMMAND_LIST_H
#define COMMAND_LIST_H

/* The lists of commands that are sent in turn, read once. */

#include <stdbool.h>
#include <stddef.h>

#include "command.h"
#include "occasion.h"

#define COMMAND_LIST_MAX 32

/* Room for a command with its key, a newline and a NUL. */
#define COMMAND_LINE_MAX (COMMAND_MAX + 2)

struct listed_command {
	const char *text;
	bool for_led; /* it is of led-socket's protocol, and request has what it asks for */
	struct request request;
	bool for_contact; /* it says how a contact is, and report has that */
	struct contact_report report;
};

struct command_list {
	struct listed_command commands[COMMAND_LIST_MAX];
	unsigned n;
};

/*
 * Adds a command, 1 to COMMAND_MAX bytes without control characters. It may be one for a server of
 * another kind.
 *
 * text: kept by the caller
 * Returns NULL, or a constant reason why it was not added.
 */
const char *command_list_add(struct command_list *list, const char *text);

/*
 * Whether a command needs a key, because it must not be carried out twice: a TOGGLE or a PULSE.
 * One that is configured with a key is sent as it is.
 */
bool command_needs_key(const struct listed_command *command);

/*
 * Writes a command as it is sent, with a newline.
 *
 * key: for a command that needs one; "" sends it without
 */
void command_write_line(
	const struct listed_command *command, const char *key, char line[COMMAND_LINE_MAX]);

/*
 * Whether the contact has a position, because presses and releases have one command each, ON and
 * OFF of the same LED, of all LEDs, or of a CONTACT. Commands of any other kind are for events.
 */
bool command_lists_have_position(const struct command_list lists[OCCASIONS]);

#endif
