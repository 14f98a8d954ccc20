/* SPDX-License-Identifier: MIT */

/* The retained topics of this machine, and which of them the broker has to get. */

#include "retained.h"

#include <stdlib.h>
#include <string.h>

static struct retained_topic *find(const struct retained *retained, const char *name)
{
	struct retained_topic *topic = retained->first;

	while (topic && strcmp(topic->name, name) != 0)
		topic = topic->next;
	return topic;
}

static void topic_free(struct retained_topic *topic)
{
	free(topic->name);
	free(topic->payload);
	free(topic);
}

/* Adds a topic at the end. Returns NULL when memory is short. */
static struct retained_topic *add(struct retained *retained, const char *name)
{
	struct retained_topic *topic = calloc(1, sizeof *topic), **end = &retained->first;

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

struct retained_topic *retained_set(
	struct retained *retained, const char *name, const char *payload)
{
	struct retained_topic *topic = find(retained, name);
	char *copy;

	if (topic && strcmp(topic->payload, payload) == 0)
		return topic;
	copy = strdup(payload);
	if (!topic && copy)
		topic = add(retained, name);
	if (!topic || !copy) {
		free(copy);
		return NULL;
	}
	free(topic->payload);
	topic->payload = copy;
	topic->wanted = true;
	topic->corrects_at = 0;
	topic->corrections = 0;
	return topic;
}

void retained_said(struct retained *retained, const char *name, const char *payload, int id)
{
	struct retained_topic *topic = retained_set(retained, name, payload);

	if (!topic)
		return;
	topic->corrects_at = 0;
	topic->corrections = 0;
	retained_sent(topic, id);
}

void retained_take(struct retained *retained, const char *name, const char *payload)
{
	struct retained_topic *topic = retained_set(retained, name, payload);

	if (topic)
		topic->wanted = false;
}

/* Forgets topics: the one of a name, or those of discovery. */
static void drop(struct retained *retained, const char *name)
{
	struct retained_topic **place = &retained->first, *topic;

	while ((topic = *place)) {
		if (name ? strcmp(topic->name, name) != 0 : !topic->is_discovery) {
			place = &topic->next;
			continue;
		}
		*place = topic->next;
		topic_free(topic);
	}
}

void retained_drop(struct retained *retained, const char *name)
{
	drop(retained, name);
}

void retained_drop_discovery(struct retained *retained)
{
	drop(retained, NULL);
}

void retained_repeat_discovery(struct retained *retained)
{
	for (struct retained_topic *topic = retained->first; topic; topic = topic->next)
		topic->wanted |= topic->is_discovery;
}

bool retained_has_discovery(const struct retained *retained)
{
	for (const struct retained_topic *topic = retained->first; topic; topic = topic->next)
		if (topic->is_discovery && (topic->wanted || topic->id))
			return false;
	return true;
}

void retained_up(struct retained *retained)
{
	retained->up = true;
	for (struct retained_topic *topic = retained->first; topic; topic = topic->next)
		topic->wanted = true;
}

void retained_down(struct retained *retained)
{
	retained->up = false;
	for (struct retained_topic *topic = retained->first; topic; topic = topic->next) {
		topic->id = 0;
		topic->corrects_at = 0;
		topic->corrections = 0;
		topic->wanted = true;
	}
}

/* A topic that the broker has cleared is of no more use. */
static void remove_cleared(struct retained *retained)
{
	struct retained_topic **place = &retained->first, *topic;

	while ((topic = *place)) {
		if (*topic->payload || topic->wanted || topic->id || topic->corrects_at) {
			place = &topic->next;
			continue;
		}
		*place = topic->next;
		topic_free(topic);
	}
}

struct retained_topic *retained_next(struct retained *retained, uint64_t now)
{
	remove_cleared(retained);
	if (!retained->up)
		return NULL;
	for (struct retained_topic *topic = retained->first; topic; topic = topic->next) {
		if (topic->corrects_at && now >= topic->corrects_at) {
			topic->corrects_at = 0;
			topic->corrections++;
			topic->wanted = true;
		}
		if (topic->wanted && !topic->id)
			return topic;
	}
	return NULL;
}

void retained_sent(struct retained_topic *topic, int id)
{
	topic->wanted = false;
	topic->id = id;
}

const struct retained_topic *retained_acknowledged(struct retained *retained, int id)
{
	struct retained_topic *topic = retained->first;

	while (topic && topic->id != id)
		topic = topic->next;
	if (!topic || id == 0)
		return NULL;
	topic->id = 0;
	return topic;
}

static bool is_payload(const struct retained_topic *topic, const void *payload, size_t length)
{
	return length == strlen(topic->payload) &&
	       (length == 0 || memcmp(payload, topic->payload, length) == 0);
}

enum retained_kind retained_seen(struct retained *retained, const char *name, const void *payload,
	size_t length, bool old, uint64_t now)
{
	struct retained_topic *topic = find(retained, name);

	if (!topic)
		return RETAINED_OTHER;
	/* What is old has been published anew since. */
	if (old || is_payload(topic, payload, length) || (length == 0 && topic->is_discovery))
		return RETAINED_KNOWN;
	if (now - topic->foreign_at >= RETAINED_ROW_USEC)
		topic->corrections = 0;
	topic->foreign_at = now;
	if (topic->corrections < RETAINED_CORRECTIONS) {
		if (!topic->corrects_at)
			topic->corrects_at = now + RETAINED_PAUSE_USEC;
		return RETAINED_KNOWN;
	}
	if (topic->corrections > RETAINED_CORRECTIONS)
		return RETAINED_KNOWN;
	topic->corrections++;
	return RETAINED_CONTESTED;
}

uint64_t retained_due(const struct retained *retained)
{
	uint64_t due = UINT64_MAX;

	for (const struct retained_topic *topic = retained->first; topic; topic = topic->next)
		if (topic->corrects_at && topic->corrects_at < due)
			due = topic->corrects_at;
	return due;
}

unsigned retained_clears(const struct retained *retained)
{
	unsigned n = 0;

	for (const struct retained_topic *topic = retained->first; topic; topic = topic->next)
		n += !*topic->payload;
	return n;
}

bool retained_is_done(const struct retained *retained)
{
	for (const struct retained_topic *topic = retained->first; topic; topic = topic->next)
		if (topic->wanted || topic->corrects_at || topic->id)
			return false;
	return true;
}

void retained_clear(struct retained *retained)
{
	struct retained_topic *next;

	for (struct retained_topic *topic = retained->first; topic; topic = next) {
		next = topic->next;
		topic_free(topic);
	}
	retained->first = NULL;
}
