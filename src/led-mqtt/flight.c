/* SPDX-License-Identifier: MIT */

/* The messages of buttons that are on their way to the broker. */

#include "flight.h"

#include <stdio.h>
#include <string.h>

/* How an LED is to be, or how a contact is: an older message must not stand for the newest. */
static bool is_state(const char *payload)
{
	static const char *const STATES[] = {"ON", "OFF", TOPICS_ONLINE, TOPICS_OFFLINE};

	for (size_t i = 0; i < sizeof STATES / sizeof *STATES; i++)
		if (strcmp(payload, STATES[i]) == 0)
			return true;
	return false;
}

static bool is_newest(const struct flight *flight, const struct flight_message *message)
{
	for (int i = 0; i < FLIGHT_MAX; i++) {
		const struct flight_message *other = &flight->messages[i];

		if (other->id && other->number > message->number &&
			strcmp(other->topic, message->topic) == 0)
			return false;
	}
	return true;
}

int flight_join(struct flight *flight, const char *topic, const char *payload, uint64_t now)
{
	for (int i = 0; i < FLIGHT_MAX; i++) {
		struct flight_message *message = &flight->messages[i];

		if (!message->id || now < message->waited_for ||
			strcmp(message->payload, payload) != 0 ||
			strcmp(message->topic, topic) != 0 ||
			(is_state(payload) && !is_newest(flight, message)))
			continue;
		message->waited_for = now + FLIGHT_WAIT_USEC;
		return message->id;
	}
	return 0;
}

static struct flight_message *find(struct flight *flight, int id)
{
	for (int i = 0; i < FLIGHT_MAX; i++)
		if (flight->messages[i].id == id)
			return &flight->messages[i];
	return NULL;
}

bool flight_has_room(const struct flight *flight)
{
	return find((struct flight *)flight, 0);
}

void flight_add(struct flight *flight, int id, const char *topic, const char *payload, uint64_t now)
{
	struct flight_message *message = find(flight, 0);

	if (!message)
		return;
	message->id = id;
	message->number = ++flight->numbers;
	message->waited_for = now + FLIGHT_WAIT_USEC;
	snprintf(message->topic, sizeof message->topic, "%s", topic);
	snprintf(message->payload, sizeof message->payload, "%s", payload);
}

void flight_land(struct flight *flight, int id)
{
	struct flight_message *message = find(flight, id);

	if (message)
		message->id = 0;
}

void flight_clear(struct flight *flight)
{
	memset(flight->messages, 0, sizeof flight->messages);
}
