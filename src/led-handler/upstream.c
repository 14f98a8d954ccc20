/* SPDX-License-Identifier: MIT */

/* Asks led-line: connects, sends a command and the time when it came, takes the answer. */

#include "upstream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "input.h"

/* The whole conversation, from connecting to the answer. */
#define DEADLINE_MS 4000

/* The answer of a server that is not led-line to a command with a time. */
static const char NOT_LED_LINE[] = "ERR unknown command";

/* EINPROGRESS is what connect(2) says when SO_SNDTIMEO has run out: socket(7). */
static const char *connect_error(void)
{
	return strerror(errno == EINPROGRESS || errno == EAGAIN ? ETIMEDOUT : errno);
}

/*
 * Connects to a path or a numeric host, and waits for it: for DEADLINE_MS, and for as long at each
 * read and write afterwards.
 *
 * Returns a descriptor, or -1 with *why set to a constant reason.
 */
static int connect_to(const struct address *address, const char **why)
{
	const struct timeval limit = {.tv_sec = DEADLINE_MS / 1000};
	struct sockaddr_storage storage;
	socklen_t size = address_sockaddr(address, &storage);
	CLEANUP(cleanup_fd) int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		*why = strerror(errno);
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (connect(fd, (struct sockaddr *)&storage, size) < 0) {
		*why = connect_error();
		return -1;
	}
	return cleanup_keep_fd(&fd);
}

struct upstream upstream_connect(const struct address *address)
{
	struct upstream upstream = {.address = address};
	uint64_t start = clock_usec();

	upstream.fd = connect_to(address, &upstream.why);
	upstream.took_usec = clock_usec() - start;
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
	uint64_t deadline = clock_usec() + DEADLINE_MS * 1000ULL - upstream->took_usec;
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

enum upstream_outcome upstream_carry_out(const struct upstream *upstream,
	const struct request *request, char answer[ANSWER_MAX], bool *logged)
{
	enum upstream_outcome outcome = UPSTREAM_NOT_ASKED;
	const char *why = ask(upstream, request);
	char where[ADDRESS_TEXT_MAX];

	if (!why) {
		outcome = UPSTREAM_UNKNOWN;
		why = take_answer(
			upstream, request->verb == VERB_WATCH ? 1 : ANSWER_MAX, answer, logged);
	}
	/* No server but led-line knows the time in it. */
	if (!why && is_plain(request) && strncmp(answer, NOT_LED_LINE, strlen(NOT_LED_LINE)) == 0) {
		outcome = UPSTREAM_NOT_ASKED;
		why = "another led-handler listens there: LED_LINE has to be led-line's address";
	}
	if (!why)
		return UPSTREAM_ANSWERED;
	snprintf(answer, ANSWER_MAX, "%s led-line at %.120s: %s",
		outcome == UPSTREAM_UNKNOWN ? "no answer from" : "ERR no",
		address_text(upstream->address, where), why);
	return outcome;
}

bool upstream_log_has_room(const struct upstream *upstream)
{
	/* Of the answer, only its mark matters: a command that is too late touches no LED. */
	const struct request late = {.verb = VERB_LIST, .at = 1};
	char answer[ANSWER_MAX];
	bool logged = true;

	if (!ask(upstream, &late))
		take_answer(upstream, ANSWER_MAX, answer, &logged);
	return logged;
}
