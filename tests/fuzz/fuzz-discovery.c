/* SPDX-License-Identifier: MIT */

/*
 * What is retained for Home Assistant, and read back from the broker: src/led-mqtt/discovery.h, and
 * 0.4's message, src/led-mqtt/old-message.h.
 */

#include "fuzz.h"
#include "led-mqtt/old-message.h"

static const struct discovery DISCOVERY = {"ha", {"led", "pi"}, "pi", "", "", ""};

static struct pattern led_like = {.text = NAME}, button_like = {.text = NAME};
static struct pattern no_led_like = {.text = RESERVED "|availability"};
static struct pattern no_button_like = {.text = RESERVED "|set|availability"};

static bool is_led(const char *name)
{
	return is_like(&led_like, name) && !is_like(&no_led_like, name);
}

static bool is_button(const char *name)
{
	return is_like(&button_like, name) && !is_like(&no_button_like, name);
}

static void take(void *userdata, const char *name)
{
	MUST(is_led(name));
	++*(size_t *)userdata;
}

static bool stays(void *userdata, enum discovery_kind kind, const char *name)
{
	MUST(discovery_of(kind) == DISCOVERY_OF_LED ? is_led(name) : is_button(name));
	return strlen(name) % 2;
}

/* Whatever is retained, only names are taken from it; and what it is reduced to is so again. */
static void try_bytes(const char *bytes, size_t size)
{
	size_t found = 0;
	char *reduced, *again;

	old_message_read(&DISCOVERY.topics, bytes, size, take, &found);
	MUST(found <= size);
	reduced = old_message_reduce(bytes, size, stays, NULL);
	if (!reduced)
		return;
	again = old_message_reduce(reduced, strlen(reduced), stays, NULL);
	MUST(again && strcmp(reduced, again) == 0);
	free(reduced);
	free(again);
}

/* A key is that of a thing, or of none. */
static void try_key(const char *name)
{
	static const char *const KEYS[][3] = {{"light", "led_", ""}, {"switch", "led_", ""},
		{"event", "button_", ""}, {"device_automation", "button_", ""},
		{"device_automation", "button_", "_long"}, {"binary_sensor", "contact_", ""}};
	char *text, read[COMMAND_NAME_MAX + 1], topic[DISCOVERY_TOPIC_MAX];
	enum discovery_kind kind;

	for (int i = 0; i < DISCOVERY_KINDS; i++) {
		bool is_one = discovery_of((enum discovery_kind)i) == DISCOVERY_OF_LED
				      ? is_led(name)
				      : is_button(name);

		MUST(asprintf(&text, "ha/%s/led_pi/%s%s%s/config", KEYS[i][0], KEYS[i][1], name,
			     KEYS[i][2]) > 0);
		/* That of a press may be one of a long press, whose name is shorter. */
		MUST((discovery_read_topic(&DISCOVERY, text, &kind, read) && (int)kind == i) ==
			is_one);
		if (is_one) {
			MUST(strcmp(read, name) == 0);
			MUST(strcmp(discovery_topic(&DISCOVERY, kind, read, topic), text) == 0);
		}
		free(text);
	}
}

/* A message can be written for each thing, and its name is read back from 0.4's form. */
static void try_message(const char *words)
{
	char *copy = strdup(words), *rest = copy, *word, *message;
	char name[COMMAND_NAME_MAX + 1];

	MUST(copy);
	while ((word = strsep(&rest, " ,\n\""))) {
		if (!command_read_name(word, strlen(word), name) || !topics_is_button(name))
			continue;
		for (int i = 0; i < DISCOVERY_KINDS; i++) {
			message = discovery_write(&DISCOVERY, (enum discovery_kind)i, name, "");
			MUST(message && *message == '{' && strstr(message, name));
			free(message);
		}
	}
	free(copy);
}

/* Any topic is one of ours or not; the kind's topic is that one again. */
static void try_topic(const char *topic)
{
	char name[COMMAND_NAME_MAX + 1], text[DISCOVERY_TOPIC_MAX];
	enum discovery_kind kind;

	if (discovery_read_topic(&DISCOVERY, topic, &kind, name))
		MUST(strcmp(discovery_topic(&DISCOVERY, kind, name, text), topic) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size);

	try_bytes((const char *)data, size);
	try_key(text);
	try_topic(text);
	try_message(text);
	free(text);
	return 0;
}
