/* SPDX-License-Identifier: MIT */
#include "old-message.h"

#include <stdlib.h>

#include "tap.h"

static const struct topics PI = {"led", "pi"}, ESCAPED = {"home/led", "pi.local"};

/* What 0.4 has left. */
#define MESSAGE                                                                                    \
	"{\"device\":{\"identifiers\":[\"led_pi\"],\"name\":\"pi\"},\"components\":{"              \
	"\"led_kitchen\":{\"platform\":\"light\",\"unique_id\":\"led_pi_led_kitchen\","            \
	"\"state_topic\":\"led/pi/kitchen\"},\"led_old\":{\"platform\":\"light\"},"                \
	"\"button_door\":{\"platform\":\"device_automation\",\"topic\":\"led/pi/button/door\"}}}"

static char found[400];

static void take(void *userdata, const char *name)
{
	CHECK(userdata == found);
	sprintf(found + strlen(found), "%s ", name);
}

static struct old_message read_text(const struct topics *topics, const char *text)
{
	*found = '\0';
	return old_message_read(topics, text, strlen(text), take, found);
}

TEST("its topic, and whether this machine still has its ID")
{
	struct discovery discovery = {"ha", {"home/led", "pi.local"}, "", "", "", ""};
	char topic[DISCOVERY_TOPIC_MAX];

	CHECK_TEXT(old_message_topic(&discovery, topic), "ha/device/home_led_pi_local/config");
	CHECK(!old_message_has_id(&discovery.topics) && old_message_has_id(&PI));
	discovery.topics = (struct topics){"led", "pi_attic"};
	CHECK_TEXT(old_message_topic(&discovery, topic), "ha/device/led_pi_attic/config");
	CHECK(!old_message_has_id(&discovery.topics));
	discovery.topics = (struct topics){"led", "pi-attic"};
	CHECK_TEXT(old_message_topic(&discovery, topic), "ha/device/led_pi-attic/config");
	CHECK(old_message_has_id(&discovery.topics));
}

TEST("what is read from it")
{
	struct old_message message = read_text(&PI, MESSAGE);

	CHECK(!message.is_migrating && message.has_leds && message.is_ours);
	CHECK_TEXT(found, "kitchen old ");
	CHECK(!read_text(&ESCAPED, MESSAGE).is_ours);
	CHECK(!read_text(&(struct topics){"led", "p"}, MESSAGE).is_ours);
	message = read_text(&PI, OLD_MESSAGE_MIGRATE);
	CHECK(message.is_migrating && !message.has_leds && !message.is_ours);
	message = read_text(&PI, "{\"components\":{\"led_a\":{\"platform\":\"light\"},"
				 "\"button_b\":{\"topic\":\"led/pi/button/b\"}}}");
	CHECK(!message.has_leds && message.is_ours);
}

TEST("whatever is retained there, only names are taken from it")
{
	static const char *const NOTHING[] = {"", "x", "{", "[]", "1", "{\"components\":1}",
		"{\"components\":[{\"led_a\":1}]}", "{\"led_a\":{}}",
		"{\"migrate_discovery\":false}", "{\"migrate_discovery\":1}",
		"{\"components\":{\"led_\":{},\"led_A\":{},\"led_a b\":{},\"led_a/b\":{},"
		"\"led_availability\":{},\"led_on\":{},\"other_a\":{},\"led_a_long\":{}}}"};
	struct old_message message;

	for (size_t i = 0; i < sizeof NOTHING / sizeof *NOTHING; i++) {
		message = read_text(&PI, NOTHING[i]);
		CHECK(!message.is_migrating && !message.has_leds && !message.is_ours);
		CHECK_TEXT(found, "");
	}
	read_text(&PI, "{\"components\":{\"led_a\":null,\"led_set\":[]}} \"led_b\":{");
	CHECK_TEXT(found, "a set ");
	message = old_message_read(&PI, NULL, 0, NULL, NULL);
	CHECK(!message.is_ours);
}

static bool stays(void *userdata, enum discovery_kind kind, const char *name)
{
	return strcmp(name, userdata) == 0 && (kind == DISCOVERY_LIGHT || kind == DISCOVERY_PRESS);
}

static const char *reduce(const char *text, char *name)
{
	static char copy[1000];
	char *reduced = old_message_reduce(text, strlen(text), stays, name);

	strcpy(copy, reduced ? reduced : "nothing");
	free(reduced);
	return copy;
}

TEST("things that are gone, or of another kind, are reduced to their platform")
{
	static char kitchen[] = "kitchen", door[] = "door", none[] = "none";

	CHECK(strstr(
		reduce(MESSAGE, kitchen), "\"led_kitchen\":{\"platform\":\"light\",\"unique_id\""));
	CHECK(strstr(reduce(MESSAGE, kitchen),
		"\"led_old\":{\"platform\":\"light\"},"
		"\"button_door\":{\"platform\":\"device_automation\"}}"));
	CHECK(strstr(reduce(MESSAGE, door), "\"led_kitchen\":{\"platform\":\"light\"},"));
	CHECK(strstr(reduce(MESSAGE, door), "\"topic\":\"led/pi/button/door\""));
	CHECK(strncmp(reduce(MESSAGE, none), MESSAGE, 53) == 0);
	CHECK_TEXT(reduce("{\"components\":{\"led_kitchen\":{\"platform\":\"switch\",\"a\":{}},"
			  "\"x\":1,"
			  "\"y\":{}}}",
			   kitchen),
		"{\"components\":{\"led_kitchen\":{\"platform\":\"switch\"},\"x\":1,\"y\":{}}}");
	CHECK_TEXT(reduce("", none), "nothing");
	CHECK_TEXT(reduce("{", none), "nothing");
	CHECK_TEXT(reduce("[]", none), "nothing");
	CHECK_TEXT(reduce("{\"components\":[]}", none), "nothing");
}

TAP_MAIN
