/* SPDX-License-Identifier: MIT */

/* The body of a POST: its bytes in, a command out. */

#include "body.h"

#include <stdio.h>
#include <string.h>

static const char FORM[] = "command=";

void body_feed(struct body *body, const char *bytes, size_t n)
{
	size_t room = REQUEST_BODY_MAX - body->length;

	body->is_long |= n > room;
	memcpy(body->text + body->length, bytes, n < room ? n : room);
	body->length += n < room ? n : room;
}

bool body_is_form(const struct body *body)
{
	return body->length >= strlen(FORM) && memcmp(body->text, FORM, strlen(FORM)) == 0;
}

/* Returns the value of a hexadecimal digit, or -1. */
static int digit(char c)
{
	static const char DIGITS[] = "0123456789abcdef";
	const char *found = c ? strchr(DIGITS, c | 0x20) : NULL;

	return found ? (int)(found - DIGITS) : -1;
}

/* Reads a form's value as application/x-www-form-urlencoded has it. Returns its length. */
static size_t decode(const char *text, size_t length, char *value)
{
	size_t n = 0;

	for (size_t i = 0; i < length && text[i] != '&'; i++) {
		char c = text[i];

		if (c == '+')
			c = ' ';
		if (c == '%' && i + 2 < length && digit(text[i + 1]) >= 0 &&
			digit(text[i + 2]) >= 0) {
			c = (char)(digit(text[i + 1]) * 16 + digit(text[i + 2]));
			i += 2;
		}
		value[n++] = c;
	}
	return n;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Reads what is in the body as a command for an LED. Returns NULL, or what is wrong. */
static const char *parse(const char *words, size_t length, const struct judgement *judgement,
	struct request *request)
{
	struct command command = {0};
	char text[sizeof "LED  " + COMMAND_NAME_MAX + REQUEST_BODY_MAX];
	const char *why = NULL;
	int n;

	/* Blanks around it do not make it too long. */
	while (length > 0 && is_blank(words[length - 1]))
		length--;
	for (; length > 0 && is_blank(*words); words++)
		length--;
	/* What ends a command of the protocol has no place here. */
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)words[i];

		if (c < ' ' && c != '\t')
			return "a body has one line, with one command";
		if (c > '~') /* nor has what telnet says of itself, and a command leaves out */
			why = "unknown command";
	}
	n = snprintf(text, sizeof text, "LED %s %.*s", judgement->all ? "ALL" : judgement->name,
		(int)length, words);
	command_feed(&command, text, (size_t)n);
	if (!why)
		why = command_parse(&command, request);
	if (!why && (strcmp(request->name, judgement->name) != 0 || request->all != judgement->all))
		why = "unknown command";
	if (!why && (request->verb == VERB_STATUS || request->verb == VERB_LIST ||
			    request->verb == VERB_WATCH))
		why = "unknown command";
	/* Its own words are about connections, and name commands that are none here. */
	return why ? judgement->all
			       ? "send ON or OFF"
			       : "send ON, OFF, TOGGLE or PULSE MS, and #KEY after the last two"
		   : NULL;
}

void body_read(const struct body *body, struct judgement *judgement, struct request *request)
{
	char value[REQUEST_BODY_MAX];
	const char *words = body->text, *why;
	size_t length = body->length;

	if (body->is_long) {
		request_refuse(judgement, 413, "a command has at most 64 bytes");
		return;
	}
	if (body_is_form(body)) {
		length = decode(words + strlen(FORM), length - strlen(FORM), value);
		words = value;
	}
	why = parse(words, length, judgement, request);
	if (why)
		request_refuse(judgement, 400, why);
}
