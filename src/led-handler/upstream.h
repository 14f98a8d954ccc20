/* SPDX-License-Identifier: MIT */
#ifndef UPSTREAM_H
#define UPSTREAM_H

/* led-handler's connection to led-line, which carries out the command. */

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "command.h"

struct upstream {
	const struct address *address;
	int fd;          /* -1 where there is no connection */
	const char *why; /* the reason why there is none */
	uint64_t took;   /* milliseconds that it took to connect */
};

/* How a command ended. */
enum outcome {
	OUTCOME_ANSWERED,  /* led-line has answered */
	OUTCOME_NOT_ASKED, /* led-line does not have the command */
	OUTCOME_UNKNOWN,   /* led-line has the command, and has not answered */
};

/*
 * Connects to led-line. A failure is told by the functions below.
 *
 * address: a number or a path; kept by the caller
 */
struct upstream upstream_connect(const struct address *address);

/*
 * Has led-line carry out a command, within 4 s, the time to connect included.
 *
 * answer: set to led-line's answer, or where there is none, to a line that says why
 * logged: set to false when led-line says that the log has no room for the command's line
 */
enum outcome upstream_carry_out(const struct upstream *upstream, const struct request *request,
	char answer[ANSWER_MAX], bool *logged);

/*
 * Asks led-line, which counts the lines of all clients, whether the log has room for one more.
 *
 * at: now, in milliseconds of arrival_ms()
 */
bool upstream_log_has_room(const struct upstream *upstream, uint64_t at);

#endif
