/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <string.h>
#include <strings.h>

static const char *const VERBS[] = {
	[VERB_ON] = "LED ON",
	[VERB_OFF] = "LED OFF",
	[VERB_TOGGLE] = "LED TOGGLE",
	[VERB_STATUS] = "LED STATUS",
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool command_feed(struct command *command, const char *bytes, size_t n)
{
	command->stream += n;
	if (command->stream > COMMAND_STREAM_MAX)
		command->too_long = true;

	for (size_t i = 0; i < n && !command->too_long && !command->trailing; i++) {
		char c = bytes[i];
		bool ends = c == '\n' || c == '\0';

		if (command->terminated)
			command->trailing = !ends && !is_blank(c) && c != '\r';
		else if (ends)
			command->terminated = true;
		else if (command->length < sizeof command->text)
			command->text[command->length++] = c;
		else
			command->too_long = true;
	}
	return command->terminated || command->too_long;
}

/* Bytes of a command without blanks around them. */
struct word {
	const char *start;
	size_t length;
};

static struct word next_word(const char **p, const char *end)
{
	struct word word;

	while (*p < end && is_blank(**p))
		(*p)++;
	word.start = *p;
	while (*p < end && !is_blank(**p))
		(*p)++;
	word.length = (size_t)(*p - word.start);
	return word;
}

/* In any case: ASCII's, since no program of ours leaves the C locale. */
static bool word_is(struct word word, const char *text)
{
	return word.length == strlen(text) && strncasecmp(word.start, text, word.length) == 0;
}

static bool word_is_time(struct word word, uint64_t *at)
{
	*at = 0;
	if (word.length < 2 || word.start[0] != '@')
		return false;
	for (size_t i = 1; i < word.length; i++) {
		unsigned digit = (unsigned char)word.start[i] - (unsigned)'0';

		if (digit > 9 || __builtin_mul_overflow(*at, 10, at) ||
			__builtin_add_overflow(*at, digit, at))
			return false;
	}
	return true;
}

/* How many bytes of text are the command, the CR of a CR LF left out. */
static size_t command_length(const struct command *command)
{
	size_t length = command->length;

	if (length > 0 && command->text[length - 1] == '\r')
		length--;
	return length;
}

const char *command_parse(const struct command *command, enum verb *verb, uint64_t *at)
{
	const char *p = command->text;
	const char *end = p + command_length(command);
	struct word led, what, time, more;

	if (command->too_long || end - p > COMMAND_MAX)
		return "command too long: it has at most 64 bytes";
	if (command->trailing)
		return "more than one command: a connection carries one";

	led = next_word(&p, end);
	what = next_word(&p, end);
	time = next_word(&p, end);
	more = next_word(&p, end);

	if (led.length == 0)
		return "empty command: send LED ON, LED OFF, LED TOGGLE or LED STATUS";
	if (at && time.length > 0 && more.length == 0 && word_is_time(time, at))
		time.length = 0;
	else if (at)
		*at = 0;
	for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++) {
		if (word_is(led, "LED") && word_is(what, VERBS[i] + strlen("LED ")) &&
			time.length == 0) {
			*verb = (enum verb)i;
			return NULL;
		}
	}
	return "unknown command: send LED ON, LED OFF, LED TOGGLE or LED STATUS";
}

const char *verb_text(enum verb verb)
{
	return VERBS[verb];
}

const char *command_quote(const struct command *command, char quoted[COMMAND_QUOTE_MAX])
{
	static const char HEX[] = "0123456789abcdef";
	size_t length = command_length(command);
	char *q = quoted;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)command->text[i];

		if (c >= ' ' && c <= '~' && c != '"' && c != '\\') {
			*q++ = (char)c;
		} else {
			*q++ = '\\';
			*q++ = 'x';
			*q++ = HEX[c >> 4];
			*q++ = HEX[c & 15];
		}
	}
	*q = '\0';
	return quoted;
}
