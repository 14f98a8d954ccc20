/* SPDX-License-Identifier: MIT */
#include "retained.h"

#include <stdlib.h>
#include <string.h>

struct topic {
	struct topic *next;
	char *name, *payload;
	bool wanted; /* the payload is to be published */
	int id;      /* of the message that is on its way, or 0 */
};

struct retained {
	struct broker *broker;
	struct topic *first;
};

struct retained *retained_create(struct broker *broker)
{
	struct retained *retained = calloc(1, sizeof *retained);

	if (retained)
		retained->broker = broker;
	return retained;
}

static struct topic *find(struct retained *retained, const char *name)
{
	struct topic *topic = retained->first;

	while (topic && strcmp(topic->name, name) != 0)
		topic = topic->next;
	return topic;
}

static void topic_free(struct topic *topic)
{
	free(topic->name);
	free(topic->payload);
	free(topic);
}

/* Adds a topic at the end. Returns NULL when memory is short. */
static struct topic *add(struct retained *retained, const char *name)
{
	struct topic *topic = calloc(1, sizeof *topic), **end = &retained->first;

	if (!topic)
		return NULL;
	topic->name = strdup(name);
	if (!topic->name) {
		free(topic);
		return NULL;
	}
	while (*end)
		end = &(*end)->next;
	*end = topic;
	return topic;
}

static void publish(struct retained *retained, struct topic *topic)
{
	if (!topic->wanted || topic->id || !topic->payload)
		return;
	if (broker_publish(retained->broker, topic->name, topic->payload, true, &topic->id))
		topic->wanted = false;
	else
		topic->id = 0;
}

void retained_set(struct retained *retained, const char *name, const char *payload)
{
	struct topic *topic = find(retained, name);
	char *copy;

	if (topic && strcmp(topic->payload, payload) == 0)
		return;
	copy = strdup(payload);
	if (!topic && copy)
		topic = add(retained, name);
	if (!topic || !copy) {
		free(copy);
		return;
	}
	free(topic->payload);
	topic->payload = copy;
	topic->wanted = true;
	publish(retained, topic);
}

void retained_up(struct retained *retained)
{
	for (struct topic *topic = retained->first; topic; topic = topic->next) {
		topic->wanted = true;
		publish(retained, topic);
	}
}

void retained_down(struct retained *retained)
{
	for (struct topic *topic = retained->first; topic; topic = topic->next) {
		topic->id = 0;
		topic->wanted = true;
	}
}

void retained_acknowledged(struct retained *retained, int id)
{
	struct topic **place = &retained->first, *topic;

	while (*place && (*place)->id != id)
		place = &(*place)->next;
	topic = *place;
	if (!topic)
		return;
	topic->id = 0;
	publish(retained, topic);
	/* One that is cleared has no more to be kept for. */
	if (!topic->id && !topic->wanted && !*topic->payload) {
		*place = topic->next;
		topic_free(topic);
	}
}

bool retained_seen(struct retained *retained, const char *name, const void *payload, size_t length)
{
	struct topic *topic = find(retained, name);

	if (!topic)
		return false;
	if (length != strlen(topic->payload) || memcmp(payload, topic->payload, length) != 0) {
		topic->wanted = true;
		publish(retained, topic);
	}
	return true;
}

bool retained_is_done(const struct retained *retained)
{
	for (const struct topic *topic = retained->first; topic; topic = topic->next)
		if (topic->wanted || topic->id)
			return false;
	return true;
}

void retained_destroy(struct retained *retained)
{
	struct topic *next;

	if (!retained)
		return;
	for (struct topic *topic = retained->first; topic; topic = next) {
		next = topic->next;
		topic_free(topic);
	}
	free(retained);
}
