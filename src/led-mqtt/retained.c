/* SPDX-License-Identifier: MIT */
#include "retained.h"

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "timer.h"

#define CORRECTION_USEC 1000000ULL
#define ACCURACY_USEC 50000

struct topic {
	struct topic *next;
	char *name, *payload;
	bool wanted;  /* the payload is to be published */
	bool spoiled; /* somebody else has published another one */
	int id;       /* of the message that is on its way, or 0 */
};

struct retained {
	struct broker *broker;
	struct limit *limit;
	sd_event_source *timer; /* for those that are spoiled */
	struct topic *first;
};

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

static void warn(struct retained *retained, const struct topic *topic, const char *why)
{
	if (limit_take(retained->limit))
		syslog(LOG_WARNING, "%s cannot be published: %s", topic->name, why);
}

static void publish(struct retained *retained, struct topic *topic)
{
	const char *why;

	if (!topic->wanted || topic->id || !topic->payload || !broker_is_up(retained->broker))
		return;
	topic->wanted = false;
	why = broker_publish(retained->broker, topic->name, topic->payload, true, &topic->id);
	if (!why)
		return;
	topic->id = 0;
	warn(retained, topic, why);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct retained *retained = userdata;

	(void)source;
	(void)usec;
	for (struct topic *topic = retained->first; topic; topic = topic->next) {
		if (!topic->spoiled)
			continue;
		topic->spoiled = false;
		topic->wanted = true;
		publish(retained, topic);
	}
	return 0;
}

struct retained *retained_create(sd_event *event, struct broker *broker, struct limit *limit)
{
	struct retained *retained = calloc(1, sizeof *retained);

	if (!retained)
		return NULL;
	retained->broker = broker;
	retained->limit = limit;
	if (timer_add(event, &retained->timer, ACCURACY_USEC, on_timer, retained) < 0) {
		retained_destroy(retained);
		return NULL;
	}
	return retained;
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
		topic->spoiled = false;
		topic->wanted = true;
	}
}

void retained_acknowledged(struct retained *retained, int id, const char *why)
{
	struct topic **place = &retained->first, *topic;

	while (*place && (*place)->id != id)
		place = &(*place)->next;
	topic = *place;
	if (!topic)
		return;
	topic->id = 0;
	if (why)
		warn(retained, topic, why);
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
		topic->spoiled = true;
		timer_start_if_stopped(retained->timer, CORRECTION_USEC);
	}
	return true;
}

bool retained_is_done(const struct retained *retained)
{
	for (const struct topic *topic = retained->first; topic; topic = topic->next)
		if (topic->wanted || topic->spoiled || topic->id)
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
	sd_event_source_disable_unref(retained->timer);
	free(retained);
}
