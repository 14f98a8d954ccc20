/* SPDX-License-Identifier: MIT */
#ifndef FLIGHT_H
#define FLIGHT_H

/*
 * The messages of buttons that are on their way to the broker, and what one means for a client that
 * sends the same command: a button that tries again must not have its press published twice. No I/O
 * and no clock: all times are in microseconds of CLOCK_MONOTONIC.
 */

#include <stdbool.h>
#include <stdint.h>

#include "command.h"
#include "contacts.h"
#include "topics.h"

/* How long a client waits for the broker, then it is closed: a button has given up by then. */
#define FLIGHT_WAIT_USEC 5000000ULL

/* For each client, as many as it may have, and as many again of clients that were closed. */
#define FLIGHT_MAX (128 * CONTACT_MESSAGES)

struct flight {
	struct flight_message {
		int id; /* or 0: none */
		char topic[2 * TOPIC_MAX];
		char payload[COMMAND_MAX + 1];
		uint64_t number;     /* counts up: the newest has the largest */
		uint64_t waited_for; /* until then, a client waits for it */
	} messages[FLIGHT_MAX];
	uint64_t numbers;
};

/*
 * Finds a message that a client can wait for in place of a new one: it says the same, its own
 * client is gone, and if it is a state, nothing was sent to its topic after it.
 *
 * Returns its ID, or 0 if a new one has to be published.
 */
int flight_join(struct flight *flight, const char *topic, const char *payload, uint64_t now);

/* Whether there is room for one more message. */
bool flight_has_room(const struct flight *flight);

/* A message is on its way, for a client that waits for it. */
void flight_add(
	struct flight *flight, int id, const char *topic, const char *payload, uint64_t now);

/* The broker has acknowledged or refused a message, which may be one of these. */
void flight_land(struct flight *flight, int id);

/* The connection to the broker is gone, and all its messages. */
void flight_clear(struct flight *flight);

#endif
