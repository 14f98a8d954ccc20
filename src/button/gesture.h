/* SPDX-License-Identifier: MIT */
#ifndef GESTURE_H
#define GESTURE_H

/*
 * Closings and openings of a contact in, short and long presses out. All times are microseconds.
 */

#include <stdbool.h>
#include <stdint.h>

#include "contact.h"

struct gesture {
	bool has_long;
	uint64_t hold;
	bool undecided;     /* the contact is closed, and the press not yet short or long */
	uint64_t closed_at; /* since when */
};

enum gesture_press { NO_PRESS, SHORT_PRESS, LONG_PRESS };

/* What gesture_deadline() returns for never. */
#define GESTURE_NEVER UINT64_MAX

/*
 * has_long: whether there are long presses. Without them, a press is short when it begins, else
 *     when it ends.
 * hold: how long the contact has to be closed for a long one
 */
void gesture_init(struct gesture *gesture, bool has_long, uint64_t hold);

/* Takes a closing or an opening. Returns the press that it begins or ends. */
enum gesture_press gesture_take(struct gesture *gesture, struct contact_event event);

/* Says that the contact has not changed until now. Returns the press that has become long. */
enum gesture_press gesture_settle(struct gesture *gesture, uint64_t now);

/* Returns when to call gesture_settle() if the contact does not change before. */
uint64_t gesture_deadline(const struct gesture *gesture);

#endif
