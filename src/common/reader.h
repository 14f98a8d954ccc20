/* SPDX-License-Identifier: MIT */
#ifndef READER_H
#define READER_H

/*
 * How a server reads a client's command: what was read and the time come in, and what to do next
 * comes out. No I/O and no clock: times are in microseconds, of any clock that does not go back.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "command.h"

/* What to do next. */
enum reading {
	READING_MORE,     /* read what comes until reader_until(), then call reader_quiet() */
	READING_COMPLETE, /* the command has ended: command_parse() says what it means */
	READING_REFUSED,  /* there will be no command: the answer is ERR and reader.why */
};

/* A client. Begins as all zeros, but for deadline_usec. */
struct reader {
	struct command command;
	uint64_t deadline_usec; /* for the first byte; then the reader sets it for the rest */
	uint64_t quiet_usec;    /* so long without another byte ends the command */
	const char *why;        /* why it is refused, a constant */
	bool ended;             /* the client can send nothing more */
};

/*
 * Takes the bytes of one read.
 *
 * is_full: they filled the buffer, so there may be more to read at once
 */
enum reading reader_take(
	struct reader *reader, const char *bytes, size_t n, bool is_full, uint64_t now);

/*
 * The client's stream has ended.
 *
 * is_broken: with an error
 */
enum reading reader_end(struct reader *reader, bool is_broken);

/* Returns when the client has been quiet for too long. */
uint64_t reader_until(const struct reader *reader);

/* It is reader_until(), and nothing has come. Never returns READING_MORE. */
enum reading reader_quiet(struct reader *reader);

#endif
