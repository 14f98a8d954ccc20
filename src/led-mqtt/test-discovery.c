/* SPDX-License-Identifier: MIT */
#include "discovery.h"

#include <stdlib.h>

#include "tap.h"

static struct discovery discovery = {
	"ha", {"led", "pi"}, "Kitchen Pi", "Kitchen", "http://pi:5557/", "Raspberry Pi 3 Model B"};

static const char *id_of(const char *base, const char *host)
{
	static char id[DISCOVERY_ID_MAX];

	return discovery_id(&(struct topics){base, host}, id);
}

TEST("an ID is one machine's")
{
	CHECK_TEXT(id_of("led", "pi"), "led_pi");
	CHECK_TEXT(id_of("LED-2", "Pi-attic"), "LED-2_Pi-attic");
	CHECK_TEXT(id_of("home/led", "pi.local"), "home_2Fled__pi_2Elocal");
	CHECK_TEXT(id_of("led", "pi.attic"), "led__pi_2Eattic");
	CHECK_TEXT(id_of("led", "pi_attic"), "led__pi_5Fattic");
	CHECK_TEXT(id_of("a_b", "c"), "a_5Fb__c");
}

TEST("no two of all short ones have the same ID, and it has letters, digits, - and _ alone")
{
	static const char LETTERS[] = "a2F_./-";
	enum { N = 7 * 7 * 7 * 7 };
	static char ids[N][DISCOVERY_ID_MAX];
	char base[3], host[3];

	for (unsigned i = 0; i < N; i++) {
		base[0] = LETTERS[i % 7], base[1] = LETTERS[i / 7 % 7];
		host[0] = LETTERS[i / 49 % 7], host[1] = LETTERS[i / 343];
		base[2] = host[2] = '\0';
		discovery_id(&(struct topics){base, host}, ids[i]);
		CHECK(ids[i][strspn(ids[i], "a2F_-0123456789ABCDEF")] == '\0');
	}
	qsort(ids, N, sizeof *ids, (int (*)(const void *, const void *))strcmp);
	for (unsigned i = 1; i < N; i++)
		CHECK(strcmp(ids[i - 1], ids[i]) != 0);
}

TEST("the longest ID and topic have room")
{
	char base[TOPIC_BASE_MAX + 1], host[TOPIC_PART_MAX + 1], text[DISCOVERY_TOPIC_MAX];
	struct discovery longest = discovery;

	memset(base, '/', sizeof base - 1);
	memset(host, '.', sizeof host - 1);
	base[sizeof base - 1] = host[sizeof host - 1] = '\0';
	longest.prefix = base;
	longest.topics = (struct topics){base, host};
	CHECK(strlen(id_of(base, host)) == DISCOVERY_ID_MAX - 1);
	discovery_topic(&longest, DISCOVERY_LONG, "a123456789abcdef", text);
	CHECK(strlen(text) == DISCOVERY_TOPIC_MAX - 1);
	CHECK_TEXT(text + strlen(text) - strlen("f_long/config"), "f_long/config");
}

TEST("topics, read as they were written")
{
	static const char *const TOPICS[] = {"ha/light/led_pi/led_door/config",
		"ha/switch/led_pi/led_door/config", "ha/event/led_pi/button_door/config",
		"ha/device_automation/led_pi/button_door/config",
		"ha/device_automation/led_pi/button_door_long/config",
		"ha/binary_sensor/led_pi/contact_door/config"};
	char text[DISCOVERY_TOPIC_MAX], name[COMMAND_NAME_MAX + 1];
	enum discovery_kind kind;

	for (int i = 0; i < DISCOVERY_KINDS; i++) {
		CHECK_TEXT(discovery_topic(&discovery, (enum discovery_kind)i, "door", text),
			TOPICS[i]);
		CHECK(discovery_read_topic(&discovery, text, &kind, name) && (int)kind == i);
		CHECK_TEXT(name, "door");
	}
	CHECK_TEXT(discovery_filter(&discovery, text), "ha/+/led_pi/+/config");
}

TEST("topics that are of nothing here")
{
	static const char *const OTHERS[] = {"", "/", "ha", "ha/light/led_pi/led_door",
		"ha/light/led_pi/led_door/config/", "ha/light/led_pi/led_door/x",
		"ha/light/led_other/led_door/config", "x/light/led_pi/led_door/config",
		"ha/light/led_pi/button_door/config", "ha/event/led_pi/led_door/config",
		"ha/light/led_pi/led_Door/config", "ha/light/led_pi/led_on/config",
		"ha/light/led_pi/led_availability/config", "ha/light/led_pi/led_door_long/config",
		"ha/event/led_pi/button_door_long/config", "ha/event/led_pi/button_set/config",
		"ha/sensor/led_pi/led_door/config", "ha/device/led_pi/config",
		"ha/light/led_pi/led_/config", "ha/light/led_pi/led_a123456789abcdefg/config",
		"ha/device_automation/led_pi/button_a_longer/config",
		"ha/binary_sensor/led_pi/contact_set/config",
		"ha/binary_sensor/led_pi/led_door/config",
		"ha/binary_sensor/led_pi/contact_door_long/config",
		"ha/light/led_pi/contact_door/config"};
	char name[COMMAND_NAME_MAX + 1];
	enum discovery_kind kind;

	for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
		CHECK(!discovery_read_topic(&discovery, OTHERS[i], &kind, name));
}

TEST("keys of 0.4's message")
{
	char name[COMMAND_NAME_MAX + 1];
	enum discovery_kind kind;

	CHECK(discovery_read_key("light", "led_a-b", &kind, name) && kind == DISCOVERY_LIGHT);
	CHECK_TEXT(name, "a-b");
	CHECK(discovery_read_key("device_automation", "button_door", &kind, name) &&
		kind == DISCOVERY_PRESS);
	CHECK(!discovery_read_key("device_automation", "led_door", &kind, name));
	CHECK(!discovery_read_key("lights", "led_door", &kind, name));
	CHECK(!discovery_read_key("", "led_door", &kind, name));
}

static const char *device_class = "";

/* Checks that a message has all of these, with a NULL after them. */
static void check(enum discovery_kind kind, const char *name, const char *const parts[])
{
	char *text = discovery_write(&discovery, kind, name, device_class);

	for (; *parts; parts++)
		if (!strstr(text, *parts))
			CHECK_TEXT(text, *parts);
	free(text);
}

#define MACHINE                                                                                    \
	"\"device\":{\"identifiers\":[\"led_pi\"],\"name\":\"Kitchen Pi\","                        \
	"\"model\":\"Raspberry Pi 3 Model B\",\"sw_version\":\"" VERSION                           \
	"\",\"suggested_area\":\"Kitchen\",\"configuration_url\":\"http://pi:5557/\"},"            \
	"\"origin\":{\"name\":\"led-mqtt\",\"sw_version\":\"" VERSION "\"}}"

TEST("what the messages say")
{
	check(DISCOVERY_LIGHT, "garden-pump",
		(const char *const[]){
			"{\"name\":\"Garden pump\",\"unique_id\":\"led_pi_led_garden-pump\","
			"\"schema\":\"basic\",",
			"\"command_topic\":\"led/pi/garden-pump/set\","
			"\"state_topic\":\"led/pi/garden-pump\","
			"\"payload_on\":\"ON\",\"payload_off\":\"OFF\",\"qos\":1,",
			"\"availability_mode\":\"all\","
			"\"availability\":[{\"topic\":\"led/pi/availability\"},"
			"{\"topic\":\"led/pi/garden-pump/availability\"}]",
			MACHINE, NULL});
	check(DISCOVERY_SWITCH, "led",
		(const char *const[]){"{\"name\":null,\"unique_id\":\"led_pi_led_led\","
				      "\"command_topic\":\"led/pi/led/set\"",
			MACHINE, NULL});
	check(DISCOVERY_EVENT, "door",
		(const char *const[]){"{\"name\":\"Door\",\"unique_id\":\"led_pi_button_door\"",
			"\"state_topic\":\"led/pi/button/door\"",
			"\"event_types\":[\"press\",\"long\"]",
			"\"value_template\":\"{\\\"event_type\\\":\\\"{{value}}\\\"}\"",
			"\"availability_topic\":\"led/pi/availability\"", MACHINE, NULL});
	check(DISCOVERY_PRESS, "door",
		(const char *const[]){
			"{\"automation_type\":\"trigger\",\"type\":\"button_short_press\","
			"\"subtype\":\"door\",\"topic\":\"led/pi/button/door\","
			"\"payload\":\"press\",\"qos\":1,",
			MACHINE, NULL});
	check(DISCOVERY_LONG, "door",
		(const char *const[]){"\"type\":\"button_long_press\",\"subtype\":\"door\","
				      "\"topic\":\"led/pi/button/door\",\"payload\":\"long\"",
			MACHINE, NULL});
}

TEST("a contact: with a class or without, and with two availabilities")
{
	device_class = "garage_door";
	check(DISCOVERY_CONTACT, "front-door",
		(const char *const[]){
			"{\"name\":\"Front door\",\"unique_id\":\"led_pi_contact_front-door\","
			"\"state_topic\":\"led/pi/contact/front-door\","
			"\"payload_on\":\"ON\",\"payload_off\":\"OFF\",\"qos\":1,"
			"\"availability_mode\":\"all\","
			"\"availability\":[{\"topic\":\"led/pi/availability\"},"
			"{\"topic\":\"led/pi/contact/front-door/availability\"}],"
			"\"device_class\":\"garage_door\",\"device\":",
			MACHINE, NULL});
	device_class = "";
	/* Unlike an LED, one that is called led has a name. */
	check(DISCOVERY_CONTACT, "led",
		(const char *const[]){"{\"name\":\"Led\",\"unique_id\":\"led_pi_contact_led\",",
			"/contact/led/availability\"}],\"device\":", MACHINE, NULL});
}

TEST("what is not set is not there, and what is set is quoted")
{
	const struct discovery all = discovery;

	discovery.area = discovery.url = discovery.model = "";
	discovery.name = "\"K\\\xc3\xbc\"";
	check(DISCOVERY_LIGHT, "a",
		(const char *const[]){"\"name\":\"\\\"K\\\\\xc3\xbc\\\"\",\"sw_version\":\"" VERSION
				      "\"},\"origin\"",
			NULL});
	discovery = all;
}

TAP_MAIN
