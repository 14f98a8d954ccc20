/* SPDX-License-Identifier: MIT */
#ifndef OLD_MESSAGE_H
#define OLD_MESSAGE_H

/*
 * The one message for the whole machine that 0.4 and earlier left for Home Assistant, and that may
 * still be retained. No I/O: the fuzzer uses this.
 */

#include "discovery.h"

/* What Home Assistant takes as: other messages are about to take the place of this one. */
#define OLD_MESSAGE_MIGRATE "{\"migrate_discovery\":true}"

struct old_message {
	bool is_migrating; /* it is OLD_MESSAGE_MIGRATE */
	bool has_leds;     /* which are not marked as gone */
	bool is_ours;      /* its topics are this machine's */
};

/*
 * Writes its topic. Other machines may have had the same, see is_ours.
 *
 * Returns text.
 */
const char *old_message_topic(const struct discovery *discovery, char text[DISCOVERY_TOPIC_MAX]);

/* Whether the ID in that topic is the one that this machine has now. */
bool old_message_has_id(const struct topics *topics);

/*
 * Reads what is retained there.
 *
 * payload: anything
 * led: called with the name of each LED in it, also of those that are gone; or NULL
 */
struct old_message old_message_read(const struct topics *topics, const void *payload, size_t length,
	void (*led)(void *userdata, const char *name), void *userdata);

/*
 * Reduces things to their platform, so that Home Assistant forgets them.
 *
 * stays: whether a thing stays as it is
 * Returns JSON for the caller to free, or NULL if it is none, or memory is short.
 */
char *old_message_reduce(const void *payload, size_t length,
	bool (*stays)(void *userdata, enum discovery_kind kind, const char *name), void *userdata);

#endif
