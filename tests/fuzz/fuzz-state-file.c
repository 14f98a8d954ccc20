/* SPDX-License-Identifier: MIT */

/* The file with the states that the last commands left: src/led-line/state-file.h. */

#include <errno.h>

#include "command.h"
#include "fuzz.h"
#include "led-line/state-file.h"

/* What the text says of an LED, read line by line from its end. */
static int expected(const char *text, const char *name)
{
	char *copy = strdup(text), *line;
	size_t length = strlen(name);
	int lines = 0, state = -ENOENT;

	MUST(copy);
	if (!*text || text[strlen(text) - 1] != '\n')
		state = -EBADMSG;
	for (size_t end = strlen(copy); state != -EBADMSG && end > 0; end = (size_t)(line - copy)) {
		const char *rest;

		copy[end - 1] = '\0';
		line = memrchr(copy, '\n', end - 1);
		line = line ? line + 1 : copy;
		if (length == 0 ? strchr(line, ' ') != NULL
				: strncmp(line, name, length) != 0 || line[length] != ' ')
			continue;
		rest = length == 0 ? line : line + length + 1;
		lines++;
		state = strcmp(rest, "on") == 0 ? 1 : strcmp(rest, "off") == 0 ? 0 : -EBADMSG;
	}
	free(copy);
	return lines > 1 ? -EBADMSG : state;
}

static void try_text(const char *text)
{
	static const char *const NAMES[] = {"", "led", "kitchen", "a", "abcdefghijklmnop"};
	char written[STATE_FILE_MAX] = "";
	int states[sizeof NAMES / sizeof *NAMES];

	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
		states[i] = state_text_find(text, NAMES[i]);
		MUST(states[i] == expected(text, NAMES[i]));
		if (states[i] >= 0)
			state_text_add(written, NAMES[i], states[i]);
	}
	for (size_t i = 0; *written && i < sizeof NAMES / sizeof *NAMES; i++)
		MUST(state_text_find(written, NAMES[i]) == (states[i] >= 0 ? states[i] : -ENOENT));
}

/* Each byte is the state of an LED: as many as there may be are written, and read. */
static void try_states(const uint8_t *data, size_t size)
{
	char text[STATE_FILE_MAX] = "", name[COMMAND_NAME_MAX + 1];
	size_t n = size < LEDS_MAX ? size : LEDS_MAX;

	for (size_t i = 0; i < n; i++) {
		sprintf(name, "%.*s%02zu", data[i] / 2 % 15, "abcdefghijklmn", i);
		state_text_add(text, i == 0 ? "" : name, data[i] % 2);
	}
	for (size_t i = 0; i < n; i++) {
		sprintf(name, "%.*s%02zu", data[i] / 2 % 15, "abcdefghijklmn", i);
		MUST(state_text_find(text, i == 0 ? "" : name) == data[i] % 2);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size < STATE_FILE_MAX ? size : STATE_FILE_MAX - 1);

	try_text(text);
	try_states(data, size);
	free(text);
	return 0;
}
