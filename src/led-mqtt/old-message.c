/* SPDX-License-Identifier: MIT */

/* The message of 0.4 for Home Assistant, as it may still be retained. */

#include "old-message.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

const char *old_message_topic(const struct discovery *discovery, char text[DISCOVERY_TOPIC_MAX])
{
	int start = snprintf(text, DISCOVERY_TOPIC_MAX, "%s/device/", discovery->prefix);
	char *id = text + start;

	snprintf(id, DISCOVERY_TOPIC_MAX - (size_t)start, "%s_%s/config", discovery->topics.base,
		discovery->topics.host);
	for (char *p = id; p < id + strlen(id) - strlen("/config"); p++)
		if (*p == '/' || *p == '.')
			*p = '_';
	return text;
}

bool old_message_has_id(const struct topics *topics)
{
	char id[DISCOVERY_ID_MAX];

	/* Whatever needs an escape had none. */
	discovery_id(topics, id);
	return strlen(id) == strlen(topics->base) + strlen("_") + strlen(topics->host);
}

static const char *text_of(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

	return text ? text : "";
}

/* Whether a thing of the message has a topic of this machine. */
static bool is_ours(const cJSON *thing, const struct topics *topics)
{
	static const char *const KEYS[] = {"state_topic", "topic"};
	char start[TOPIC_MAX];

	topics_write(topics, "", "", start);
	strcat(start, "/");
	for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
		if (strncmp(text_of(thing, KEYS[i]), start, strlen(start)) == 0)
			return true;
	return false;
}

struct old_message old_message_read(const struct topics *topics, const void *payload, size_t length,
	void (*led)(void *userdata, const char *name), void *userdata)
{
	cJSON *message = cJSON_ParseWithLength(payload, length);
	const cJSON *components = cJSON_GetObjectItemCaseSensitive(message, "components"), *thing;
	struct old_message found = {0};
	char name[COMMAND_NAME_MAX + 1];
	enum discovery_kind kind;

	found.is_migrating =
		cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(message, "migrate_discovery"));
	cJSON_ArrayForEach(thing, components)
	{
		found.is_ours |= is_ours(thing, topics);
		if (!thing->string || !discovery_read_key("light", thing->string, &kind, name))
			continue;
		found.has_leds |= *text_of(thing, "state_topic") != '\0';
		if (led)
			led(userdata, name);
	}
	cJSON_Delete(message);
	return found;
}

/* Leaves a thing its platform. */
static void reduce(cJSON *thing)
{
	cJSON *item, *next;

	for (item = thing->child; item; item = next) {
		next = item->next;
		if (!item->string || strcmp(item->string, "platform") != 0)
			cJSON_Delete(cJSON_DetachItemViaPointer(thing, item));
	}
}

char *old_message_reduce(const void *payload, size_t length,
	bool (*stays)(void *userdata, enum discovery_kind kind, const char *name), void *userdata)
{
	cJSON *message = cJSON_ParseWithLength(payload, length), *thing;
	cJSON *components = cJSON_GetObjectItemCaseSensitive(message, "components");
	char name[COMMAND_NAME_MAX + 1], *text;
	enum discovery_kind kind;

	if (!cJSON_IsObject(components)) {
		cJSON_Delete(message);
		return NULL;
	}
	cJSON_ArrayForEach(thing, components)
	{
		if (cJSON_IsObject(thing) && !(discovery_read_key(text_of(thing, "platform"),
						       thing->string, &kind, name) &&
						     stays(userdata, kind, name)))
			reduce(thing);
	}
	text = cJSON_PrintUnformatted(message);
	cJSON_Delete(message);
	return text;
}
