/* SPDX-License-Identifier: MIT */
#ifndef MOVE_H
#define MOVE_H

/*
 * The move from the one message of 0.4 to one message for each thing, in the order in which Home
 * Assistant keeps what its user has set. Each step is made when the broker has acknowledged the one
 * before. What is retained says how far an earlier move has come. No I/O and no clock.
 */

#include <stdbool.h>

enum move_state {
	MOVE_LOOKING,    /* the old message may be retained: nothing is published yet */
	MOVE_WAITING,    /* it is, and it is not known yet which things there are */
	MOVE_REDUCING,   /* it is being replaced by one without the things that are gone */
	MOVE_ANNOUNCING, /* OLD_MESSAGE_MIGRATE is on its way */
	MOVE_PUBLISHING, /* the new messages are */
	MOVE_CLEARING,   /* the old message is being cleared */
	MOVE_OVER, /* there is no old message, or nothing more can be done on this connection */
};

enum move_event {
	MOVE_LOOKED,          /* what is retained has come */
	MOVE_FOUND,           /* the old message has come */
	MOVE_FOUND_ANNOUNCED, /* OLD_MESSAGE_MIGRATE has: an earlier move was interrupted */
	MOVE_ACKNOWLEDGED,    /* the broker has all that the last step has published */
	MOVE_REFUSED,         /* it has refused something of that */
	MOVE_DOWN,            /* the connection is gone */
};

enum move_step {
	MOVE_NOTHING,
	MOVE_REDUCE,   /* publish the old message without the things that are gone */
	MOVE_ANNOUNCE, /* publish OLD_MESSAGE_MIGRATE in its place */
	MOVE_PUBLISH,  /* publish the new messages, also those that have been published */
	MOVE_CLEAR,    /* clear the old message */
};

/* Begins as all zeros. */
struct move {
	enum move_state state;
	bool announced; /* as far as Home Assistant is concerned, the old message is one no more */
	bool moved;     /* on this connection */
	bool due;       /* the state's step has not been made */
};

/* Something has happened. */
void move_take(struct move *move, enum move_event event);

/*
 * Says what to do next. To be called after move_take(), until it says nothing.
 *
 * known: it is known which things there are
 */
enum move_step move_next(struct move *move, bool known);

/* Whether the new messages may be published. */
bool move_publishes(const struct move *move);

#endif
