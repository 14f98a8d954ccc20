/* SPDX-License-Identifier: MIT */
#ifndef COMMAND_H
#define COMMAND_H

/*
 * The protocol: one command per connection, bytes in, a verb or a reason out.
 * No allocation and no I/O, so that led-handler, led-line and the fuzzer share it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest command, in bytes, its terminator not counted. */
#define COMMAND_MAX 64

/* The most bytes that may come on one connection, blanks behind the terminator included. */
#define COMMAND_STREAM_MAX 65536

/* A sender that has begun a command and then stays quiet for this long has ended it. */
#define COMMAND_QUIET_MS 1000

/* A connection whose command is not complete after this long is closed. */
#define COMMAND_DEADLINE_MS 5000

/* A command that reached the machine longer ago than this is not carried out any more. */
#define COMMAND_LATE_MS 5000

/* After a refusal, what the client is still sending is read and dropped for this long. */
#define COMMAND_DRAIN_MS 1000

/* The longest answer in bytes, with its newline and a terminating NUL. */
#define ANSWER_MAX 256

/* Room for any command as command_quote() writes it. */
#define COMMAND_QUOTE_MAX (4 * (COMMAND_MAX + 1) + 1)

enum verb {
	VERB_ON,
	VERB_OFF,
	VERB_TOGGLE,
	VERB_STATUS,
};

/* The bytes of one connection so far. Begins as all zeros. */
struct command {
	char text[COMMAND_MAX + 1]; /* one more, for the CR of a CR LF */
	size_t length;              /* bytes in text */
	size_t stream;              /* bytes seen in all */
	bool terminated;            /* a terminator has come */
	bool too_long;
	bool trailing; /* something came behind the terminator */
};

/*
 * Takes bytes as they come. A caller whose read filled its buffer reads once
 * more before it believes that nothing stands behind the terminator.
 *
 * bytes, n: what was read; n may be 0
 * Returns true when the command is decided: it has ended, or it cannot become one.
 */
bool command_feed(struct command *command, const char *bytes, size_t n);

/*
 * Says what the bytes mean, taking their end as the command's end.
 *
 * verb: set when the bytes are a command
 * at: where led-handler may be the sender, set to the time behind the command
 *     (arrival_ms()), or to 0 if there is none; NULL where it is not, and " @TIME"
 *     is no command
 * Returns NULL for a command, else the reason, a constant for people to read.
 */
const char *command_parse(const struct command *command, enum verb *verb, uint64_t *at);

/* The verb as it is written in the protocol, such as "LED ON". */
const char *verb_text(enum verb verb);

/*
 * Writes the command's text for the log: printable ASCII as it is, any other
 * byte, quotes and backslashes as \xNN.
 *
 * Returns quoted.
 */
const char *command_quote(const struct command *command, char quoted[COMMAND_QUOTE_MAX]);

#endif
