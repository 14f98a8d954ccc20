/* SPDX-License-Identifier: MIT */

/* One attempt to have one command carried out: how it ended. */

#include "attempt.h"

#include <stdio.h>
#include <string.h>

void attempt_begin(struct attempt *attempt, bool tcp)
{
	*attempt = (struct attempt){.tcp = tcp};
}

void attempt_wait(struct attempt *attempt, uint64_t now)
{
	attempt->deadline = now + ATTEMPT_CONNECT_USEC;
}

void attempt_sent(struct attempt *attempt, size_t bytes, uint64_t now)
{
	attempt->sent = bytes;
	attempt->deadline = now + ATTEMPT_ANSWER_USEC;
}

char *attempt_room(struct attempt *attempt, size_t *size)
{
	*size = sizeof attempt->text - 1 - attempt->length;
	return attempt->text + attempt->length;
}

static enum attempt_outcome end(
	struct attempt *attempt, enum attempt_outcome outcome, const char *why)
{
	snprintf(attempt->text, sizeof attempt->text, "%s", why);
	attempt->outcome = outcome;
	return outcome;
}

/* Makes the answer one printable line. */
static void clean(struct attempt *attempt)
{
	char *p;

	for (p = attempt->text; p < attempt->text + attempt->length; p++) {
		if (*p == '\n' || *p == '\r')
			break;
		if (*p < ' ' || *p > '~')
			*p = '?';
	}
	*p = '\0';
}

/* The answer is complete. */
static enum attempt_outcome take_answer(struct attempt *attempt)
{
	const char *text = attempt->text;

	clean(attempt);
	if (text[strspn(text, " ")] == '\0')
		return end(attempt, REFUSED, "the server answered with an empty line");
	attempt->outcome = strncmp(text, "OK", 2) == 0 && (text[2] == ' ' || !text[2])
				   ? ACKNOWLEDGED
				   : REFUSED;
	return attempt->outcome;
}

enum attempt_outcome attempt_received(struct attempt *attempt, size_t bytes)
{
	const char *received = attempt->text + attempt->length;

	attempt->length += bytes;
	if (attempt->length == sizeof attempt->text - 1 || memchr(received, '\n', bytes))
		return take_answer(attempt);
	return UNDECIDED;
}

enum attempt_outcome attempt_ended(struct attempt *attempt, uint64_t bytes_acked)
{
	static const char WHY[] = "the server closed the connection without an answer";

	if (attempt->length > 0)
		return take_answer(attempt);
	if (!attempt->tcp)
		return end(attempt, UNKNOWN, WHY);
	/* What the server's machine has not acknowledged, the server has not read. */
	return end(attempt, bytes_acked > attempt->sent ? SILENT : UNREACHED, WHY);
}

enum attempt_outcome attempt_broken(struct attempt *attempt, const char *why)
{
	if (attempt->length > 0)
		return take_answer(attempt);
	return end(attempt, attempt->sent > 0 ? UNKNOWN : UNREACHED, why);
}

bool attempt_needs_reset(const struct attempt *attempt)
{
	return attempt->sent > 0 && attempt->outcome != ACKNOWLEDGED && attempt->outcome != SILENT;
}

size_t attempt_next_address(size_t n, size_t worked, size_t tried)
{
	if (worked >= n || tried > worked)
		return tried;
	return tried == 0 ? worked : tried - 1;
}
