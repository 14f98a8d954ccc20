/* SPDX-License-Identifier: MIT */
#ifndef UPSTREAM_H
#define UPSTREAM_H

/* led-handler's connection to led-line, which carries out the command. */

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "command.h"
#include "reply.h"

struct upstream {
	const struct address *address;
	int fd;             /* -1 where there is no connection */
	const char *why;    /* the reason why there is none */
	uint64_t took_usec; /* how long it took to connect */
};

/*
 * Connects to led-line. The functions below say why it failed.
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
enum upstream_outcome upstream_carry_out(const struct upstream *upstream,
	const struct request *request, char answer[ANSWER_MAX], bool *logged);

/* Asks led-line, which counts the lines of all clients, whether the log has room for one more. */
bool upstream_log_has_room(const struct upstream *upstream);

#endif
