/* SPDX-License-Identifier: MIT */
#ifndef POSITION_H
#define POSITION_H

/*
 * The position of a contact, and what the server has of it: what to send next, and what it means
 * that an attempt has ended. A position is no event: only the newest one waits, and it does not
 * become too old. All times are microseconds of one clock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attempt.h"
#include "command-list.h"
#include "silence.h"
#include "step.h"

/* Room for a line of the log. */
#define POSITION_TEXT_MAX 300

/* Room for the position in the status. */
#define POSITION_STATUS_MAX 768

/* How long a stop may take to say that the contact is gone, an attempt that runs included. */
#define POSITION_STOP_USEC 2000000

/* So many reasons are remembered, so that each is logged once. */
#define POSITION_REASONS 8

/* Room for what is kept of a reason, or of an answer. */
#define POSITION_REASON_MAX 256

enum place {
	PLACE_UNKNOWN,
	PLACE_CLOSED,
	PLACE_OPEN,
	PLACE_GONE, /* only with commands of a CONTACT: nobody knows how it is */
};

struct position {
	const struct command_list *lists; /* of ON_PRESS and ON_RELEASE, one command each */
	enum silence silence;

	enum place newest; /* of the contact; PLACE_UNKNOWN: it has not been there yet */
	bool is_missing;   /* newest is how it was before it went */
	uint64_t since;    /* when newest became so */
	enum place at_server;
	enum place sent; /* by the latest attempt */
	bool sending;    /* an attempt runs */
	bool stopping;
	bool said_goodbye; /* the one attempt of a stop has begun */

	uint64_t try_at; /* the next attempt begins then, or at once if that is past */
	uint64_t ended_at;
	uint64_t pause;
	unsigned
		refusals; /* in a row, with the words in failure, while the contact has stayed so */

	char failure[POSITION_REASON_MAX];   /* why the latest attempt failed */
	char delivered[POSITION_REASON_MAX]; /* what the server answered to what it has */
	/* The last that were logged since the last delivery */
	char reasons[POSITION_REASONS][POSITION_REASON_MAX];
	unsigned n_reasons;

	int level;                       /* of outcome in the log: syslog(3) */
	char outcome[POSITION_TEXT_MAX]; /* how the latest attempt ended */
};

/* lists: command_lists_have_position(); kept by the caller */
void position_init(struct position *position, const struct command_list lists[OCCASIONS]);

/*
 * The contact is closed or open: it was moved, or is there at the start, or again. PLACE_GONE: its
 * hardware is missing.
 */
void position_take(struct position *position, enum place place, uint64_t now);

/* Says what to do now; STEP_WAIT is until position->try_at. */
enum step position_step(struct position *position, uint64_t now, char line[COMMAND_LINE_MAX]);

/* The attempt has ended: the outcome has to be logged. */
void position_finish(struct position *position, const struct attempt *attempt, uint64_t now);

/*
 * The program stops: what is left is one attempt to say that the contact is gone, after the one
 * that runs, if its commands are those of a CONTACT.
 */
void position_stop(struct position *position, uint64_t now);

/* Whether a stop has nothing left to do, or to wait for. */
bool position_has_stopped(const struct position *position);

/*
 * The program ends. Returns whether the newest position stays undelivered: the outcome has to be
 * logged.
 */
bool position_end(struct position *position);

/*
 * Writes the position and what the server has for the status: status.h.
 *
 * since: position->since, for people to read
 * Returns text.
 */
const char *position_status(
	const struct position *position, const char *since, char text[POSITION_STATUS_MAX]);

#endif
