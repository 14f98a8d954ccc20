/* SPDX-License-Identifier: MIT */

/* The messages by which others learn of the LEDs, buttons and contacts, and their topics. */

#include "discovery.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "name.h"

/* Room for a key. */
#define KEY_MAX (sizeof "button__long" + COMMAND_NAME_MAX)

static const char LONG_END[] = "_long";

/* What the kinds have in their topics: PLATFORM/ID/START NAME END/config. */
static const struct {
	enum discovery_of of;
	const char *platform, *start, *end;
} KINDS[DISCOVERY_KINDS] = {
	[DISCOVERY_LIGHT] = {DISCOVERY_OF_LED, "light", "led_", ""},
	[DISCOVERY_SWITCH] = {DISCOVERY_OF_LED, "switch", "led_", ""},
	[DISCOVERY_EVENT] = {DISCOVERY_OF_BUTTON, "event", "button_", ""},
	[DISCOVERY_PRESS] = {DISCOVERY_OF_BUTTON, "device_automation", "button_", ""},
	[DISCOVERY_LONG] = {DISCOVERY_OF_BUTTON, "device_automation", "button_", LONG_END},
	[DISCOVERY_CONTACT] = {DISCOVERY_OF_CONTACT, "binary_sensor", "contact_", ""},
};

enum discovery_of discovery_of(enum discovery_kind kind)
{
	return KINDS[kind].of;
}

/* --- topics ----------------------------------------------------------------------------- */

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && *text != '-')
			return false;
	return true;
}

/* Writes a part of an ID. Returns its end. */
static char *write_escaped(const char *part, char *end)
{
	for (; *part; part++)
		if (isalnum((unsigned char)*part) || *part == '-')
			*end++ = *part;
		else
			end += sprintf(end, "_%02X", (unsigned char)*part);
	*end = '\0';
	return end;
}

const char *discovery_id(const struct topics *topics, char id[DISCOVERY_ID_MAX])
{
	char *end = write_escaped(topics->base, id);

	end += sprintf(end, is_plain(topics->base) && is_plain(topics->host) ? "_" : "__");
	write_escaped(topics->host, end);
	return id;
}

static const char *write_key(enum discovery_kind kind, const char *name, char key[KEY_MAX])
{
	snprintf(key, KEY_MAX, "%s%s%s", KINDS[kind].start, name, KINDS[kind].end);
	return key;
}

const char *discovery_topic(const struct discovery *discovery, enum discovery_kind kind,
	const char *name, char text[DISCOVERY_TOPIC_MAX])
{
	char id[DISCOVERY_ID_MAX], key[KEY_MAX];

	snprintf(text, DISCOVERY_TOPIC_MAX, "%s/%s/%s/%s/config", discovery->prefix,
		KINDS[kind].platform, discovery_id(&discovery->topics, id),
		write_key(kind, name, key));
	return text;
}

const char *discovery_filter(const struct discovery *discovery, char text[DISCOVERY_TOPIC_MAX])
{
	char id[DISCOVERY_ID_MAX];

	snprintf(text, DISCOVERY_TOPIC_MAX, "%s/+/%s/+/config", discovery->prefix,
		discovery_id(&discovery->topics, id));
	return text;
}

/* Reads the name in a key of a kind, which has no underscore of its own. */
static bool read_name(const char *key, enum discovery_kind kind, char name[COMMAND_NAME_MAX + 1])
{
	size_t start = strlen(KINDS[kind].start), length;

	if (strncmp(key, KINDS[kind].start, start) != 0)
		return false;
	key += start;
	length = strcspn(key, "_");
	return strcmp(key + length, KINDS[kind].end) == 0 && command_read_name(key, length, name) &&
	       strncmp(key, name, length) == 0 &&
	       (KINDS[kind].of == DISCOVERY_OF_LED ? topics_is_led(name) : topics_is_button(name));
}

bool discovery_read_key(const char *platform, const char *key, enum discovery_kind *kind,
	char name[COMMAND_NAME_MAX + 1])
{
	for (int i = 0; i < DISCOVERY_KINDS; i++) {
		*kind = (enum discovery_kind)i;
		if (strcmp(platform, KINDS[i].platform) == 0 && read_name(key, *kind, name))
			return true;
	}
	return false;
}

bool discovery_read_topic(const struct discovery *discovery, const char *topic,
	enum discovery_kind *kind, char name[COMMAND_NAME_MAX + 1])
{
	char text[DISCOVERY_TOPIC_MAX], key[KEY_MAX];
	const char *slash = strrchr(topic, '/'), *start = slash;
	size_t prefix = strlen(discovery->prefix);

	if (strncmp(topic, discovery->prefix, prefix) != 0 || topic[prefix] != '/' || !slash)
		return false;
	while (start > topic && start[-1] != '/')
		start--;
	if ((size_t)snprintf(key, sizeof key, "%.*s", (int)(slash - start), start) >= sizeof key)
		return false;
	for (int i = 0; i < DISCOVERY_KINDS; i++) {
		*kind = (enum discovery_kind)i;
		if (read_name(key, *kind, name) &&
			strcmp(discovery_topic(discovery, *kind, name, text), topic) == 0)
			return true;
	}
	return false;
}

/* --- messages --------------------------------------------------------------------------- */

/* Adds an object to an array. */
static cJSON *add_object_to_array(cJSON *array)
{
	cJSON *object = cJSON_CreateObject();

	if (cJSON_AddItemToArray(array, object))
		return object;
	cJSON_Delete(object);
	return NULL;
}

static void add_if_set(cJSON *object, const char *key, const char *text)
{
	if (*text)
		cJSON_AddStringToObject(object, key, text);
}

static void write_device(cJSON *message, const struct discovery *discovery)
{
	cJSON *device = cJSON_AddObjectToObject(message, "device"), *origin;
	char id[DISCOVERY_ID_MAX];

	cJSON_AddItemToArray(cJSON_AddArrayToObject(device, "identifiers"),
		cJSON_CreateString(discovery_id(&discovery->topics, id)));
	cJSON_AddStringToObject(device, "name", discovery->name);
	add_if_set(device, "model", discovery->model);
	cJSON_AddStringToObject(device, "sw_version", VERSION);
	add_if_set(device, "suggested_area", discovery->area);
	add_if_set(device, "configuration_url", discovery->url);
	origin = cJSON_AddObjectToObject(message, "origin");
	cJSON_AddStringToObject(origin, "name", "led-mqtt");
	cJSON_AddStringToObject(origin, "sw_version", VERSION);
}

static void write_unique_id(cJSON *message, const struct discovery *discovery,
	enum discovery_kind kind, const char *name)
{
	char id[DISCOVERY_ID_MAX], key[KEY_MAX], text[DISCOVERY_ID_MAX + KEY_MAX];

	snprintf(text, sizeof text, "%s_%s", discovery_id(&discovery->topics, id),
		write_key(kind, name, key));
	cJSON_AddStringToObject(message, "unique_id", text);
}

/* Adds the name for people. */
static void write_name(cJSON *message, const char *name)
{
	char text[COMMAND_NAME_MAX + 1];

	cJSON_AddStringToObject(message, "name", name_for_people(name, text));
}

/* Adds how to learn whether a thing is ON or OFF, and whether that can be relied on. */
static void write_state(cJSON *message, const struct discovery *discovery, const char *state_topic,
	const char *availability_topic)
{
	char text[TOPIC_MAX];
	cJSON *availability;

	cJSON_AddStringToObject(message, "state_topic", state_topic);
	cJSON_AddStringToObject(message, "payload_on", "ON");
	cJSON_AddStringToObject(message, "payload_off", "OFF");
	cJSON_AddNumberToObject(message, "qos", 1);
	cJSON_AddStringToObject(message, "availability_mode", "all");
	availability = cJSON_AddArrayToObject(message, "availability");
	cJSON_AddStringToObject(add_object_to_array(availability), "topic",
		topics_write(&discovery->topics, "", "availability", text));
	cJSON_AddStringToObject(add_object_to_array(availability), "topic", availability_topic);
}

static void write_led(cJSON *message, const struct discovery *discovery, enum discovery_kind kind,
	const char *name)
{
	const struct topics *topics = &discovery->topics;
	char text[TOPIC_MAX], availability[TOPIC_MAX];

	/* Null is the name of its device. */
	if (strcmp(name, "led") == 0)
		cJSON_AddNullToObject(message, "name");
	else
		write_name(message, name);
	write_unique_id(message, discovery, kind, name);
	if (kind == DISCOVERY_LIGHT)
		cJSON_AddStringToObject(message, "schema", "basic");
	cJSON_AddStringToObject(message, "command_topic", topics_write(topics, name, "set", text));
	write_state(message, discovery, topics_write(topics, name, "", text),
		topics_write(topics, name, "availability", availability));
}

static void write_contact(cJSON *message, const struct discovery *discovery,
	enum discovery_kind kind, const char *name)
{
	const struct topics *topics = &discovery->topics;
	char text[TOPIC_MAX], availability[TOPIC_MAX];

	write_name(message, name);
	write_unique_id(message, discovery, kind, name);
	write_state(message, discovery, topics_write_contact(topics, name, "", text),
		topics_write_contact(topics, name, "availability", availability));
}

static void write_event(cJSON *message, const struct discovery *discovery, enum discovery_kind kind,
	const char *name)
{
	const struct topics *topics = &discovery->topics;
	char text[TOPIC_MAX];
	cJSON *types;

	write_name(message, name);
	write_unique_id(message, discovery, kind, name);
	cJSON_AddStringToObject(message, "device_class", "button");
	cJSON_AddStringToObject(message, "state_topic", topics_write_button(topics, name, text));
	types = cJSON_AddArrayToObject(message, "event_types");
	cJSON_AddItemToArray(types, cJSON_CreateString(TOPICS_PRESS));
	cJSON_AddItemToArray(types, cJSON_CreateString(TOPICS_LONG));
	cJSON_AddStringToObject(message, "value_template", "{\"event_type\":\"{{value}}\"}");
	cJSON_AddNumberToObject(message, "qos", 1);
	cJSON_AddStringToObject(
		message, "availability_topic", topics_write(topics, "", "availability", text));
}

static void write_trigger(cJSON *message, const struct discovery *discovery,
	enum discovery_kind kind, const char *name)
{
	bool is_long = kind == DISCOVERY_LONG;
	char text[TOPIC_MAX];

	cJSON_AddStringToObject(message, "automation_type", "trigger");
	cJSON_AddStringToObject(
		message, "type", is_long ? "button_long_press" : "button_short_press");
	cJSON_AddStringToObject(message, "subtype", name);
	cJSON_AddStringToObject(
		message, "topic", topics_write_button(&discovery->topics, name, text));
	cJSON_AddStringToObject(message, "payload", is_long ? TOPICS_LONG : TOPICS_PRESS);
	cJSON_AddNumberToObject(message, "qos", 1);
}

/* Adds to a message what belongs to its kind. */
typedef void writer(cJSON *message, const struct discovery *discovery, enum discovery_kind kind,
	const char *name);

char *discovery_write(const struct discovery *discovery, enum discovery_kind kind, const char *name,
	const char *device_class)
{
	static writer *const WRITE[DISCOVERY_KINDS] = {
		[DISCOVERY_LIGHT] = write_led,
		[DISCOVERY_SWITCH] = write_led,
		[DISCOVERY_EVENT] = write_event,
		[DISCOVERY_PRESS] = write_trigger,
		[DISCOVERY_LONG] = write_trigger,
		[DISCOVERY_CONTACT] = write_contact,
	};
	cJSON *message = cJSON_CreateObject();
	char *text;

	WRITE[kind](message, discovery, kind, name);
	add_if_set(message, "device_class", device_class);
	write_device(message, discovery);
	text = cJSON_PrintUnformatted(message);
	cJSON_Delete(message);
	return text;
}
