/* SPDX-License-Identifier: MIT */

/* The protocol: bytes in, a request or a reason out; and the way back. */

#include "command.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const VERBS[] = {
	[VERB_ON] = "ON",
	[VERB_OFF] = "OFF",
	[VERB_TOGGLE] = "TOGGLE",
	[VERB_STATUS] = "STATUS",
	[VERB_PULSE] = "PULSE",
	[VERB_LIST] = "LIST",
	[VERB_WATCH] = "WATCH",
};

/* Words that are no names: the verbs, and these. */
static const char *const RESERVED[] = {"ALL", "PRESS"};

#define COMMANDS "LED ON, LED OFF, LED TOGGLE, LED STATUS, LED PULSE MS, LED LIST or LED WATCH"

static const char UNKNOWN[] = "unknown command: send " COMMANDS;

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The bytes of RFC 854 that begin, or end, something, and the first of RFC 1184. */
enum { TELNET_EOF = 236, SE = 240, SB = 250, WILL = 251, DONT = 254, IAC = 255 };

/* Whether a byte belongs to telnet's negotiation. */
static bool is_negotiation(struct command *command, unsigned char c)
{
	switch (command->telnet) {
	case TELNET_TEXT:
		if (c != IAC)
			return false;
		command->telnet = TELNET_COMMAND;
		return true;
	case TELNET_COMMAND:
		if (c < TELNET_EOF) { /* what belonged to it was urgent data: a Synch */
			command->telnet = TELNET_TEXT;
			return false;
		}
		if (c == SB)
			command->telnet = TELNET_SUBNEGOTIATION;
		else if (c >= WILL && c <= DONT)
			command->telnet = TELNET_OPTION;
		else
			command->telnet = TELNET_TEXT;
		return c != IAC; /* twice, it stands for itself */
	case TELNET_OPTION:
		command->telnet = TELNET_TEXT;
		return true;
	case TELNET_SUBNEGOTIATION:
		if (c == IAC)
			command->telnet = TELNET_SUBNEGOTIATION_IAC;
		return true;
	case TELNET_SUBNEGOTIATION_IAC:
		command->telnet = c == SE ? TELNET_TEXT : TELNET_SUBNEGOTIATION;
		return true;
	}
	return false;
}

bool command_feed(struct command *command, const char *bytes, size_t n)
{
	size_t room = COMMAND_MAX + 1 + (command->timed ? COMMAND_TIME_MAX : 0);

	command->received += n;
	if (command->received > COMMAND_STREAM_MAX)
		command->begun = command->too_long = true;

	for (size_t i = 0; i < n && !command->too_long && !command->trailing; i++) {
		char c = bytes[i];
		bool ends = c == '\n' || c == '\0';

		if (is_negotiation(command, (unsigned char)c))
			continue;
		command->begun = true;
		if (command->terminated)
			command->trailing = !ends && !is_blank(c) && c != '\r';
		else if (ends)
			command->terminated = true;
		else if (command->length < room)
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

static bool word_is_verb(struct word word, enum verb *verb)
{
	for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++) {
		if (word_is(word, VERBS[i])) {
			*verb = (enum verb)i;
			return true;
		}
	}
	return false;
}

/* A decimal number. */
static bool word_is_number(struct word word, uint64_t *number)
{
	*number = 0;
	for (size_t i = 0; i < word.length; i++) {
		unsigned digit = (unsigned char)word.start[i] - (unsigned)'0';

		if (digit > 9 || __builtin_mul_overflow(*number, 10, number) ||
			__builtin_add_overflow(*number, digit, number))
			return false;
	}
	return word.length > 0;
}

/* "@" and a decimal number. */
static bool word_is_time(struct word word, uint64_t *at)
{
	*at = 0;
	return word.length > 0 && word.start[0] == '@' &&
	       word_is_number((struct word){word.start + 1, word.length - 1}, at);
}

bool command_read_pulse(const char *text, size_t length, unsigned *ms)
{
	uint64_t number;

	if (!word_is_number((struct word){text, length}, &number) || number < 1 ||
		number > COMMAND_PULSE_MAX)
		return false;
	*ms = (unsigned)number;
	return true;
}

static bool word_is_reserved(struct word word)
{
	enum verb verb;

	for (size_t i = 0; i < sizeof RESERVED / sizeof *RESERVED; i++)
		if (word_is(word, RESERVED[i]))
			return true;
	return word_is_verb(word, &verb);
}

bool command_read_name(const char *text, size_t length, char name[COMMAND_NAME_MAX + 1])
{
	if (length == 0 || length > COMMAND_NAME_MAX || !is_letter(*text) ||
		word_is_reserved((struct word){text, length}))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_letter(text[i]) && !is_digit(text[i]) && text[i] != '-')
			return false;
	/* This bit makes a small letter. Digits and hyphens have it. */
	for (size_t i = 0; i < length; i++)
		name[i] = (char)(text[i] | 0x20);
	name[length] = '\0';
	return true;
}

/* "#" and 1 to COMMAND_KEY_MAX letters and digits. */
static bool word_is_key(struct word word, char key[COMMAND_KEY_MAX + 1])
{
	if (word.length < 2 || word.length > COMMAND_KEY_MAX + 1 || word.start[0] != '#')
		return false;
	for (size_t i = 1; i < word.length; i++)
		if (!is_letter(word.start[i]) && !is_digit(word.start[i]))
			return false;
	memcpy(key, word.start + 1, word.length - 1);
	key[word.length - 1] = '\0';
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

/* Takes the time from the end of a command. Returns where the command ends without it. */
static const char *cut_time(const char *text, const char *end, uint64_t *at)
{
	const char *p = end;

	while (p > text && !is_blank(p[-1]))
		p--;
	if (!word_is_time((struct word){p, (size_t)(end - p)}, at)) {
		*at = 0;
		return end;
	}
	while (p > text && is_blank(p[-1]))
		p--;
	return p;
}

/* Reads what stands after the verb. Returns NULL, or the reason. */
static const char *parse_rest(const char *p, const char *end, struct request *request)
{
	struct word word = next_word(&p, end);

	if (request->verb == VERB_PULSE) {
		if (!command_read_pulse(word.start, word.length, &request->pulse_ms))
			return "LED PULSE takes 1 to 3600000 milliseconds";
		word = next_word(&p, end);
	}
	if ((request->verb == VERB_TOGGLE || request->verb == VERB_PULSE) &&
		word_is_key(word, request->key))
		word = next_word(&p, end);
	request->kinds = request->verb == VERB_LIST && word_is(word, "KINDS");
	if (request->kinds)
		word = next_word(&p, end);
	return word.length > 0 ? UNKNOWN : NULL;
}

const char *command_parse(const struct command *command, struct request *request)
{
	const char *p = command->text;
	const char *end = p + command_length(command);
	struct word word;

	*request = (struct request){0};
	if (command->timed)
		end = cut_time(p, end, &request->at);
	if (command->too_long || end - p > COMMAND_MAX)
		return "command too long: it has at most 64 bytes";
	if (command->trailing)
		return "more than one command: a connection carries one";

	word = next_word(&p, end);
	if (word.length == 0)
		return "empty command: send " COMMANDS;
	if (!word_is(word, "LED"))
		return UNKNOWN;
	word = next_word(&p, end);
	request->all = word_is(word, "ALL");
	if (request->all || command_read_name(word.start, word.length, request->name))
		word = next_word(&p, end);
	if (!word_is_verb(word, &request->verb))
		return UNKNOWN;
	if (request->all && request->verb != VERB_ON && request->verb != VERB_OFF)
		return "LED ALL takes ON and OFF";
	if (request->verb == VERB_LIST && *request->name)
		return UNKNOWN;
	return parse_rest(p, end, request);
}

/*
 * Reads the first two words of a command for a broker: this one, and a name.
 *
 * p, end: set to what stands after them
 */
static bool read_word_and_name(const struct command *command, const char *text, const char **p,
	const char **end, char name[COMMAND_NAME_MAX + 1])
{
	struct word word;

	*p = command->text;
	*end = *p + command_length(command);
	if (command->too_long || *end - *p > COMMAND_MAX || command->trailing)
		return false;
	word = next_word(p, *end);
	if (!word_is(word, text))
		return false;
	word = next_word(p, *end);
	return command_read_name(word.start, word.length, name);
}

bool command_parse_press(
	const struct command *command, char name[COMMAND_NAME_MAX + 1], bool *is_long)
{
	const char *p, *end;
	struct word word;

	if (!read_word_and_name(command, "PRESS", &p, &end, name))
		return false;
	word = next_word(&p, end);
	*is_long = word_is(word, "LONG");
	return word.length == 0 || (*is_long && next_word(&p, end).length == 0);
}

static const char *const CONTACT_STATES[] = {
	[CONTACT_IS_ON] = "ON",
	[CONTACT_IS_OFF] = "OFF",
	[CONTACT_IS_GONE] = "GONE",
};

bool command_parse_contact(const struct command *command, struct contact_report *report)
{
	const char *p, *end;
	struct word word;

	if (!read_word_and_name(command, "CONTACT", &p, &end, report->name))
		return false;
	word = next_word(&p, end);
	for (size_t i = 0; i < sizeof CONTACT_STATES / sizeof *CONTACT_STATES; i++) {
		if (word_is(word, CONTACT_STATES[i])) {
			report->state = (enum contact_state)i;
			return next_word(&p, end).length == 0;
		}
	}
	return false;
}

size_t command_write_contact(const struct contact_report *report, char text[COMMAND_MAX + 1])
{
	return (size_t)snprintf(text, COMMAND_MAX + 1, "CONTACT %s %s", report->name,
		CONTACT_STATES[report->state]);
}

size_t command_write(const struct request *request, char text[COMMAND_MAX + 1])
{
	char pulse[sizeof " 3600000"] = "";

	if (request->verb == VERB_PULSE)
		snprintf(pulse, sizeof pulse, " %u", request->pulse_ms);
	return (size_t)snprintf(text, COMMAND_MAX + 1, "LED %s%s%s%s%s%s%s",
		request->all ? "ALL " : request->name, *request->name ? " " : "",
		VERBS[request->verb], pulse, *request->key ? " #" : "", request->key,
		request->kinds ? " KINDS" : "");
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
