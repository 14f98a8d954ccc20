/* SPDX-License-Identifier: MIT */
#include "discovery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for an ID as write_id() writes it. */
#define ID_MAX (TOPIC_BASE_MAX + TOPIC_PART_MAX + 2)

/* How the key of a button begins. */
#define BUTTON_KEY "\"button_"

/* Writes the machine's ID: letters, digits, hyphens and _ are all that it may have. */
static const char *write_id(const struct topics *topics, char id[ID_MAX])
{
	snprintf(id, ID_MAX, "%s_%s", topics->base, topics->host);
	for (char *p = id; *p; p++)
		if (*p == '/' || *p == '.')
			*p = '_';
	return id;
}

const char *discovery_topic(
	const char *prefix, const struct topics *topics, char text[DISCOVERY_TOPIC_MAX])
{
	char id[ID_MAX];

	snprintf(text, DISCOVERY_TOPIC_MAX, "%s/device/%s/config", prefix, write_id(topics, id));
	return text;
}

bool discovery_has(const struct discovery_list *list, const char *name)
{
	for (unsigned i = 0; i < list->n; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return true;
	return false;
}

bool discovery_add(struct discovery_list *list, const char *name, bool gone)
{
	struct discovery_item *item = &list->items[list->n];

	if (list->n == DISCOVERY_MAX || discovery_has(list, name))
		return false;
	strcpy(item->name, name);
	item->gone = gone;
	list->n++;
	return true;
}

/* No text here needs escaping: topics_is_part(), command_read_name(). */
static void write_light(
	FILE *out, const struct topics *topics, const char *id, const struct discovery_item *led)
{
	char text[TOPIC_MAX];

	fprintf(out, "\"led_%s\":{\"platform\":\"light\"", led->name);
	if (!led->gone) {
		fprintf(out, ",\"unique_id\":\"%s_led_%s\",\"name\":\"%s\"", id, led->name,
			led->name);
		fprintf(out, ",\"schema\":\"basic\",\"command_topic\":\"%s\"",
			topics_write(topics, led->name, "set", text));
		fprintf(out,
			",\"state_topic\":\"%s\",\"payload_on\":\"ON\",\"payload_off\":\"OFF\"",
			topics_write(topics, led->name, "", text));
		fprintf(out, ",\"qos\":1,\"availability_mode\":\"all\",\"availability\":[");
		fprintf(out, "{\"topic\":\"%s\"},", topics_write(topics, "", "availability", text));
		fprintf(out, "{\"topic\":\"%s\"}]",
			topics_write(topics, led->name, "availability", text));
	}
	fputc('}', out);
}

static void write_trigger(
	FILE *out, const struct topics *topics, const char *id, const struct discovery_item *button)
{
	const char *name = button->name;

	fprintf(out, BUTTON_KEY "%s\":{\"platform\":\"device_automation\"", name);
	if (!button->gone) {
		fprintf(out, ",\"unique_id\":\"%s_button_%s\",\"automation_type\":\"trigger\"", id,
			name);
		fprintf(out, ",\"type\":\"button_short_press\",\"subtype\":\"%s\"", name);
		fprintf(out, ",\"topic\":\"%s/%s/button/%s\",\"payload\":\"press\",\"qos\":1",
			topics->base, topics->host, name);
	}
	fputc('}', out);
}

char *discovery_write(const struct topics *topics, const struct discovery_list *leds,
	const struct discovery_list *buttons)
{
	char id[ID_MAX], *text = NULL;
	const char *comma = "";
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool bad;

	if (!out)
		return NULL;
	write_id(topics, id);
	fprintf(out,
		"{\"device\":{\"identifiers\":[\"%s\"],\"name\":\"%s\",\"model\":\"led-socket\","
		"\"sw_version\":\"" VERSION "\"},"
		"\"origin\":{\"name\":\"led-mqtt\",\"sw_version\":\"" VERSION "\"},"
		"\"components\":{",
		id, topics->host);
	for (unsigned i = 0; i < leds->n; i++) {
		if (!topics_is_led(leds->items[i].name))
			continue;
		fputs(comma, out);
		write_light(out, topics, id, &leds->items[i]);
		comma = ",";
	}
	for (unsigned i = 0; i < buttons->n; i++) {
		fputs(comma, out);
		write_trigger(out, topics, id, &buttons->items[i]);
		comma = ",";
	}
	fputs("}}", out);
	bad = ferror(out);
	if (fclose(out) != 0 || bad) {
		free(text);
		return NULL;
	}
	return text;
}

const char *discovery_next_button(
	const char *text, const char *end, char name[COMMAND_NAME_MAX + 1])
{
	while ((text = memmem(text, (size_t)(end - text), BUTTON_KEY, strlen(BUTTON_KEY)))) {
		const char *quote;

		text += strlen(BUTTON_KEY);
		quote = memchr(text, '"', (size_t)(end - text));
		if (quote && end - quote > 1 && quote[1] == ':' &&
			command_read_name(text, (size_t)(quote - text), name) &&
			topics_is_button(name))
			return quote;
	}
	return NULL;
}
