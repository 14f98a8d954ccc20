/* SPDX-License-Identifier: MIT */

/* What led prints of an answer: the protocol's line in, lines for people and scripts out. */

#include "answer.h"

#include <stdio.h>
#include <string.h>

/* What the LED without a name is called in lists. */
#define UNNAMED "led"

/* If text begins with a word, returns what follows it and its blank. Otherwise returns NULL. */
static const char *skip_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(text, word, length) != 0 || (text[length] && text[length] != ' '))
		return NULL;
	return text + length + (text[length] == ' ');
}

/* Copies a line as printable characters, without blanks at its end. */
static void clean(const char *line, char text[ANSWER_MAX])
{
	size_t length = strnlen(line, ANSWER_MAX - 1);

	while (length > 0 && strchr(" \r", line[length - 1]))
		length--;
	for (size_t i = 0; i < length; i++)
		text[i] = (char)(line[i] >= ' ' && line[i] <= '~' ? line[i] : '?');
	text[length] = '\0';
}

/* Writes a line for each LED of a list: "led=ON door=switch,pulse=500". */
static void write_list(const char *list, char output[ANSWER_TEXT_MAX])
{
	size_t length = (size_t)snprintf(output, ANSWER_TEXT_MAX, "%s\n", list);
	bool in_name = true;

	for (size_t i = 0; i < length; i++) {
		if (output[i] == ' ')
			output[i] = '\n';
		else if (output[i] == '=' && in_name)
			output[i] = ' ';
		in_name = output[i] == '\n' || (in_name && output[i] != ' ');
	}
}

/* Writes "all OFF" of "ALL OFF except pump: reason", and the rest as the reason. */
static void write_all(const char *state, struct answer *answer)
{
	size_t length = strcspn(state, " ");

	snprintf(answer->output, ANSWER_TEXT_MAX, "all %.*s\n", (int)length, state);
	if (!state[length])
		return;
	strcpy(answer->reason, state + length + 1);
	answer->status = STATUS_REFUSED;
}

/* text: an answer without its OK */
static void take_ok(bool watches, const char *text, struct answer *answer)
{
	const char *led = skip_word(text, "LED"), *rest;

	if (!led)
		led = text;
	if ((rest = skip_word(led, "LIST"))) {
		if (skip_word(rest, "KINDS"))
			rest = skip_word(rest, "KINDS");
		write_list(rest, answer->output);
	} else if ((rest = skip_word(led, "ALL"))) {
		write_all(rest, answer);
	} else if (*led) {
		snprintf(answer->output, ANSWER_TEXT_MAX, "%s%s\n",
			watches && !strchr(led, ' ') ? UNNAMED " " : "", led);
	}
}

/* reason: an answer without its ERR */
static void take_err(bool watches, const char *reason, struct answer *answer)
{
	char name[COMMAND_NAME_MAX + 1];
	size_t length = strcspn(reason, ":");

	/* Among the lines of LED WATCH it is about one LED: "ERR pump: reason". */
	if (watches && strncmp(reason + length, ": ", 2) == 0 &&
		command_read_name(reason, length, name)) {
		snprintf(answer->output, ANSWER_TEXT_MAX, "%s ERR %s\n", name, reason + length + 2);
		return;
	}
	strcpy(answer->reason, *reason ? reason : "no reason was given");
	answer->status = STATUS_REFUSED;
}

void answer_read(bool watches, const char *line, struct answer *answer)
{
	char text[ANSWER_MAX] = "";
	const char *rest;

	*answer->output = *answer->reason = '\0';
	answer->status = STATUS_DONE;
	clean(line, text);
	if ((rest = skip_word(text, "OK"))) {
		take_ok(watches, rest, answer);
	} else if ((rest = skip_word(text, "ERR"))) {
		take_err(watches, rest, answer);
	} else {
		snprintf(answer->reason, ANSWER_TEXT_MAX, "not led-socket's words: %.100s", text);
		answer->status = STATUS_UNKNOWN;
	}
}
