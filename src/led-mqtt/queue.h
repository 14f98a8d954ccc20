/* SPDX-License-Identifier: MIT */
#ifndef QUEUE_H
#define QUEUE_H

/*
 * Commands from the broker that wait for led-line: what to ask it next, and what an outcome means.
 * No I/O and no clock: all times are in milliseconds of arrival_ms().
 */

#include <stdbool.h>

#include "command.h"
#include "follow.h"

/* Commands that wait, at the most. */
#define QUEUE_MAX 256

/* With so many, no more are read from the broker. */
#define QUEUE_ENOUGH (QUEUE_MAX / 4)

/*
 * One that is for each LED, but not ON or OFF, is sent to one LED after the other. It passes over
 * momentary ones, as led-line does with ON.
 */
struct order {
	struct request request;
	unsigned led; /* the LED whose turn it is */
	bool reached; /* led-line has been asked */
};

enum queue_state {
	QUEUE_READY,   /* queue_next() has something, or nothing waits */
	QUEUE_ASKING,  /* led-line has been asked for the first order */
	QUEUE_PAUSING, /* it could not be asked: queue_retry() after a pause */
};

/* Begins as all zeros. */
struct queue {
	enum queue_state state;
	struct order orders[QUEUE_MAX]; /* a ring */
	unsigned first, waiting;
	unsigned long done;
	char command[COMMAND_MAX + 1]; /* of the first order, as led-line gets it */
	uint64_t at;                   /* when it came */
};

enum queue_step {
	QUEUE_NOTHING, /* for now */
	QUEUE_ASK,     /* led-line is to be asked for command, which came at that time */
	QUEUE_PAUSE,   /* led-line has named no LED yet: queue_retry() after a pause */
	QUEUE_DROPPED, /* command will not be carried out, which is to be logged */
};

/*
 * Adds a command.
 *
 * request: without a name, it is for each LED; with the time of its arrival
 * Returns NULL, or the reason why it is not added, a constant.
 */
const char *queue_add(struct queue *queue, const struct request *request);

/*
 * Says what to do next. To be called until it says QUEUE_NOTHING, or asks for a pause.
 *
 * why: set to the reason of QUEUE_DROPPED, a constant
 */
enum queue_step queue_next(
	struct queue *queue, const struct follow *follow, uint64_t now, const char **why);

/* led-line has answered. */
void queue_answered(struct queue *queue, const char *answer);

/* led-line does not answer. */
void queue_unanswered(struct queue *queue);

/*
 * The connection to led-line could not be made, or has ended without an answer.
 *
 * sent: whether led-line may have got the command
 * Returns true if it is tried again after a pause, or false if it will not be carried out.
 */
bool queue_failed(struct queue *queue, bool sent, uint64_t now);

/* The pause is over. */
void queue_retry(struct queue *queue);

/*
 * Drops the first order: the program ends.
 *
 * Returns false if there is none.
 */
bool queue_drop(struct queue *queue, const struct follow *follow);

/* Whether more is to be read from the broker. */
bool queue_wants_more(const struct queue *queue);

#endif
