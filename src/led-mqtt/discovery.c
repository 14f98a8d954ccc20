/* SPDX-License-Identifier: MIT */
#include "discovery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for an ID as write_id() writes it. */
#define ID_MAX (TOPIC_BASE_MAX + TOPIC_PART_MAX + 2)

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

/* No text here needs escaping: topics_is_part(), command_read_name(). */
static void write_light(
	FILE *out, const struct topics *topics, const char *id, const struct discovery_led *led)
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
	FILE *out, const struct topics *topics, const char *id, const char *button)
{
	fprintf(out,
		"\"button_%s\":{\"platform\":\"device_automation\",\"unique_id\":\"%s_button_%s\","
		"\"automation_type\":\"trigger\",\"type\":\"button_short_press\","
		"\"subtype\":\"%s\",\"topic\":\"%s/%s/button/%s\",\"payload\":\"press\","
		"\"qos\":1}",
		button, id, button, button, topics->base, topics->host, button);
}

char *discovery_write(const struct topics *topics, const struct discovery_led *leds, unsigned n,
	const struct names *buttons)
{
	char id[ID_MAX], *text = NULL;
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
	for (unsigned i = 0; i < n; i++) {
		fputs(i > 0 ? "," : "", out);
		write_light(out, topics, id, &leds[i]);
	}
	for (unsigned i = 0; i < buttons->n; i++) {
		fputs(i > 0 || n > 0 ? "," : "", out);
		write_trigger(out, topics, id, buttons->names[i]);
	}
	fputs("}}", out);
	bad = ferror(out);
	if (fclose(out) != 0 || bad) {
		free(text);
		return NULL;
	}
	return text;
}
