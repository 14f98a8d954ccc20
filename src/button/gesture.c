/* SPDX-License-Identifier: MIT */

/* Closings and openings of a contact in, short and long presses out. */

#include "gesture.h"

void gesture_init(struct gesture *gesture, bool has_long, uint64_t hold)
{
	*gesture = (struct gesture){.has_long = has_long, .hold = hold};
}

uint64_t gesture_deadline(const struct gesture *gesture)
{
	return gesture->undecided ? gesture->closed_at + gesture->hold : GESTURE_NEVER;
}

enum gesture_press gesture_settle(struct gesture *gesture, uint64_t now)
{
	if (now < gesture_deadline(gesture))
		return NO_PRESS;
	gesture->undecided = false;
	return LONG_PRESS;
}

enum gesture_press gesture_take(struct gesture *gesture, struct contact_event event)
{
	enum gesture_press press = gesture_settle(gesture, event.at);

	/* Another key that closes the contact once more ends a press, too. */
	if (gesture->undecided)
		press = SHORT_PRESS;
	gesture->undecided = event.closed && gesture->has_long;
	gesture->closed_at = event.at;
	return event.closed && !gesture->has_long ? SHORT_PRESS : press;
}
