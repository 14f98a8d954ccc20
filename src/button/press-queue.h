/* SPDX-License-Identifier: MIT */
#ifndef PRESS_QUEUE_H
#define PRESS_QUEUE_H

/*
 * The presses that are not delivered yet: what to send next, and what becomes of a press when an
 * attempt has ended. All times are microseconds of one clock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attempt.h"
#include "command-list.h"
#include "pause.h"
#include "silence.h"
#include "step.h"

/* The most presses that wait, the one that is being delivered included. */
#define PRESS_QUEUE_MAX 16

/* Room for a line of the log, which has the beginning of what the server answers. */
#define PRESS_TEXT_MAX 300

/* Room for the counts and the outcome in the status. */
#define PRESS_STATUS_MAX 512

struct press {
	unsigned long number;
	enum occasion occasion;
	uint64_t at;
	char key[COMMAND_KEY_MAX + 1]; /* "" when the server has turned out to know none */
};

struct press_queue {
	const struct command_list *lists; /* one for each occasion */
	unsigned next_command[OCCASIONS];
	uint64_t retry;
	enum silence silence;

	struct press ring[PRESS_QUEUE_MAX];
	unsigned first, waiting;
	bool begun;      /* the first press is not dropped before an attempt has failed */
	bool sending;    /* an attempt runs */
	uint64_t try_at; /* the next one begins then, or at once if that is past */
	struct pause pause;
	const char *late; /* why a press that became too old is not sent; NULL: it is in failure */

	unsigned long pressed, delivered, dropped;
	unsigned long overflow_first, overflow_last; /* found no room, not logged yet; or 0 */

	int level;                    /* of outcome in the log: syslog(3) */
	char outcome[PRESS_TEXT_MAX]; /* how the last press ended, or how the first one fares */
	char failure[ANSWER_MAX];     /* why the last attempt failed */
};

/*
 * lists: kept by the caller
 * retry: how old a press may become
 */
void press_queue_init(
	struct press_queue *queue, const struct command_list lists[OCCASIONS], uint64_t retry);

/*
 * Adds a press. It is dropped if the queue is full.
 *
 * key: a random one, for a command that needs a key
 */
void press_queue_add(
	struct press_queue *queue, enum occasion occasion, const char *key, uint64_t now);

/*
 * Drops the first press if it became too old while it waited for its turn.
 *
 * Returns whether it did: the outcome has to be logged, and the next press may be too old as well.
 */
bool press_queue_drop_late(struct press_queue *queue, uint64_t now);

/* Says what to do now. Before, press_queue_drop_late() has to return false. */
enum step press_queue_step(struct press_queue *queue, uint64_t now, char line[COMMAND_LINE_MAX]);

/* The attempt has ended: the outcome has to be logged. */
void press_queue_finish(struct press_queue *queue, const struct attempt *attempt, uint64_t now);

/*
 * Writes the line for the log about presses that found no room, once there is room again or the
 * program stops.
 *
 * Returns whether there is one.
 */
bool press_queue_overflowed(struct press_queue *queue, char text[PRESS_TEXT_MAX]);

/*
 * Removes the first press, because the program stops: the outcome has to be logged.
 *
 * Returns false if no press is left.
 */
bool press_queue_stop(struct press_queue *queue);

/* Writes the counts and the outcome for the status: status.h. Returns text. */
const char *press_queue_status(const struct press_queue *queue, char text[PRESS_STATUS_MAX]);

#endif
