/* SPDX-License-Identifier: MIT */
#ifndef RESULT_H
#define RESULT_H

/* What led-line says of a command or of an LED, as HTTP says it. No I/O. */

#include <stddef.h>

#include "command.h"
#include "follow.h"

/* How a POST, or a GET of one LED, ends. */
struct result {
	unsigned status;       /* of HTTP */
	char text[ANSWER_MAX]; /* "ON", "OFF except pump: reason", or "ERR reason" */
};

/* led-line has answered: "OK LED kitchen ON", or "ERR reason". */
void result_answered(struct result *result, const char *answer);

/* led-line has the command, and nobody knows what became of it. why: for people */
void result_unknown(struct result *result, const char *why);

/* The command was not carried out, and will not be. why: for people */
void result_failed(struct result *result, const char *why);

/*
 * Somebody asks what an LED shows.
 *
 * away: why led-line cannot be followed, or ""
 */
void result_state(
	struct result *result, const struct follow *follow, const char *name, const char *away);

#endif
