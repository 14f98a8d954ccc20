/* SPDX-License-Identifier: MIT */
#ifndef GROUP_H
#define GROUP_H

/*
 * What a TOGGLE of this machine's buttons becomes if it goes to a group: ON or OFF, so that lamps
 * that are out of step are in step after it. No I/O and no clock: all times are in microseconds of
 * CLOCK_MONOTONIC.
 */

#include <stdbool.h>
#include <stdint.h>

#include "command.h"
#include "follow.h"

/* The last so many keys keep what they became. */
#define GROUP_KEYS 64

/* Commands that are on their way, at the most. */
#define GROUP_SENT_MAX 128

/*
 * For so long a command that has come back counts, and not what the LEDs show: that may be the
 * state before it, or, with quick presses, before the one before it.
 */
#define GROUP_SETTLE_USEC 1000000ULL

struct group_sent {
	unsigned long number; /* a later one is larger */
	int id;               /* of its message, or 0: the broker has acknowledged it */
	bool away;            /* it has not come back to this machine */
	enum verb verb;
	char key[COMMAND_KEY_MAX + 1]; /* of the TOGGLE, or "" */
};

struct group_key {
	char key[COMMAND_KEY_MAX + 1];
	enum verb verb;
	bool stays; /* it may have been carried out: a refusal does not change it */
};

/* Begins as all zeros, but for is_member. */
struct group {
	bool is_member;                         /* this machine is in the group */
	struct group_sent sent[GROUP_SENT_MAX]; /* from the oldest to the newest */
	unsigned n_sent;
	unsigned long numbers, last_number; /* of the newest, and of last; or 0 */
	enum verb last;         /* the last ON or OFF that the broker has, or may have */
	enum verb settles_to;   /* what came from the broker last */
	uint64_t settles_until; /* until then it counts, and not the LEDs; or 0 */
	struct group_key keys[GROUP_KEYS];
	unsigned n_keys, next_key;
};

/*
 * Makes a TOGGLE an ON or an OFF, without its key.
 *
 * follow: the LEDs of this machine
 */
void group_resolve(
	struct group *group, const struct follow *follow, struct request *request, uint64_t now);

/*
 * An ON or OFF has been published.
 *
 * id: of its message
 * key: of the TOGGLE that it was, or ""
 */
void group_sent(struct group *group, int id, enum verb verb, const char *key);

/* The broker has acknowledged a message, or refused it. */
void group_acknowledged(struct group *group, int id, bool refused);

/* An ON or OFF has come from the broker, of whomever. */
void group_came(struct group *group, enum verb verb, uint64_t now);

/* The connection to the broker is gone: nothing comes back any more. */
void group_down(struct group *group);

#endif
