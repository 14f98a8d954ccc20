/* SPDX-License-Identifier: MIT */
#ifndef BODY_H
#define BODY_H

/* The body of a POST: a command for an LED, or a form with one. No I/O. */

#include <stdbool.h>
#include <stddef.h>

#include "command.h"
#include "request.h"

/* Begins as all zeros. */
struct body {
	char text[REQUEST_BODY_MAX + 1];
	size_t length; /* bytes in text */
	bool is_long;  /* more have come, and are dropped */
};

/* Takes bytes. What is too long is read to its end, which has to come in time: stage.h. */
void body_feed(struct body *body, const char *bytes, size_t n);

/* Whether it is a form's: it begins with "command=". */
bool body_is_form(const struct body *body);

/*
 * Reads the command of a complete body.
 *
 * judgement: whose kind is REQUEST_COMMAND; becomes a refusal where the body is no command
 * request: set to the command otherwise, without a time
 */
void body_read(const struct body *body, struct judgement *judgement, struct request *request);

#endif
