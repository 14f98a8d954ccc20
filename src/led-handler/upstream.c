/* SPDX-License-Identifier: MIT */
#include "upstream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "input.h"

/* The whole conversation, from connecting to the answer. */
#define DEADLINE_MS 4000

/* The answer of a server that is not led-line to a command with a time. */
static const char NOT_LED_LINE[] = "ERR unknown command";

struct upstream upstream_connect(const struct address *address)
{
	struct upstream upstream = {.address = address};
	uint64_t start = input_now_ms();

	upstream.fd = address_connect(address, DEADLINE_MS, &upstream.why);
	upstream.took = input_now_ms() - start;
	return upstream;
}

/*
 * Sends the command to led-line, and when it came: "LED ON @TIME".
 *
 * Returns NULL, or the reason why led-line does not have it.
 */
static const char *ask(const struct upstream *upstream, const struct request *request)
{
	char text[COMMAND_TEXT_MAX + 1];
	size_t length;

	if (upstream->fd < 0)
		return upstream->why;
	length = command_write(request, text);
	length += (size_t)snprintf(
		text + length, sizeof text - length, " @%llu\n", (unsigned long long)request->at);
	/* EPIPE: led-line has closed the connection. It may have sent the reason before. */
	if (send(upstream->fd, text, length, MSG_NOSIGNAL) < 0 && errno != EPIPE)
		return strerror(errno);
	return NULL;
}

/*
 * Takes led-line's answer, without its newline.
 *
 * chunk: bytes to read at once; with 1, what follows the answer is left unread
 * logged: set to whether the log has room for the command's line
 * Returns NULL, or the reason why there is no answer: then the outcome is unknown.
 */
static const char *take_answer(
	const struct upstream *upstream, size_t chunk, char answer[ANSWER_MAX], bool *logged)
{
	uint64_t deadline = input_now_ms() + DEADLINE_MS - upstream->took;
	size_t length = 0;
	ssize_t n;

	do {
		if (!input_wait(upstream->fd, deadline))
			return "it does not answer";
		if (chunk > ANSWER_MAX - 1 - length)
			chunk = ANSWER_MAX - 1 - length;
		n = read(upstream->fd, answer + length, chunk);
		if (n < 0)
			return strerror(errno);
		if (n == 0)
			return "it closed the connection without an answer";
		length += (size_t)n;
	} while (!memchr(answer, '\n', length) && length < ANSWER_MAX - 1);

	answer[length] = '\0';
	length = strcspn(answer, "\n");
	*logged = length == 0 || answer[length - 1] != *ANSWER_UNLOGGED;
	answer[*logged ? length : length - 1] = '\0';
	return NULL;
}

/* Whether a command is one that every led-line knows, older ones too. */
static bool is_plain(const struct request *request)
{
	return request->verb <= VERB_STATUS && !request->all && !*request->name && !*request->key;
}

enum outcome upstream_carry_out(const struct upstream *upstream, const struct request *request,
	char answer[ANSWER_MAX], bool *logged)
{
	enum outcome outcome = OUTCOME_NOT_ASKED;
	const char *why = ask(upstream, request);
	char where[ADDRESS_TEXT_MAX];

	if (!why) {
		outcome = OUTCOME_UNKNOWN;
		why = take_answer(
			upstream, request->verb == VERB_WATCH ? 1 : ANSWER_MAX, answer, logged);
	}
	/* No server but led-line knows the time in it. */
	if (!why && is_plain(request) && strncmp(answer, NOT_LED_LINE, strlen(NOT_LED_LINE)) == 0) {
		outcome = OUTCOME_NOT_ASKED;
		why = "another led-handler listens there: LED_LINE has to be led-line's address";
	}
	if (!why)
		return OUTCOME_ANSWERED;
	snprintf(answer, ANSWER_MAX, "%s led-line at %.120s: %s",
		outcome == OUTCOME_UNKNOWN ? "no answer from" : "ERR no",
		address_text(upstream->address, where), why);
	return outcome;
}

bool upstream_log_has_room(const struct upstream *upstream, uint64_t at)
{
	const struct request status = {.verb = VERB_STATUS, .at = at};
	char answer[ANSWER_MAX];
	bool logged = true;

	if (!ask(upstream, &status))
		take_answer(upstream, ANSWER_MAX, answer, &logged);
	return logged;
}
