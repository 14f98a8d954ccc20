/* SPDX-License-Identifier: MIT */
#include "tap.h"
#include "topics.h"

static const struct topics TOPICS = {"home/led", "pi"};

TEST("what can be a part of a topic")
{
	char text[TOPIC_PART_MAX + 2];

	CHECK(topics_is_part("pi", 2) && topics_is_part("Pi-4.local_2", 12));
	memset(text, 'x', sizeof text);
	CHECK(topics_is_part(text, TOPIC_PART_MAX) && !topics_is_part(text, TOPIC_PART_MAX + 1));
	for (const char *bad = "/+#$ \"\\\n\x7f\xc3"; *bad; bad++)
		CHECK(!topics_is_part((const char[]){'a', *bad}, 2));
	CHECK(!topics_is_part("", 0) && !topics_is_part("a\0b", 3));

	CHECK(topics_is_path("led") && topics_is_path("home/led"));
	CHECK(!topics_is_path("") && !topics_is_path("/led") && !topics_is_path("led/"));
	CHECK(!topics_is_path("home//led") && !topics_is_path("home/+"));
}

TEST("what fits beside the topics' words")
{
	CHECK(topics_is_led("set") && topics_is_led("button") && !topics_is_led("availability"));
	CHECK(topics_is_button("door"));
	CHECK(!topics_is_button("set") && !topics_is_button("availability"));
}

TEST("topics are written")
{
	char text[TOPIC_MAX];

	CHECK_TEXT(topics_write(&TOPICS, "kitchen", "", text), "home/led/pi/kitchen");
	CHECK_TEXT(topics_write(&TOPICS, "kitchen", "set", text), "home/led/pi/kitchen/set");
	CHECK_TEXT(topics_write(&TOPICS, "", "availability", text), "home/led/pi/availability");
	CHECK_TEXT(topics_write_contact(&TOPICS, "door", "", text), "home/led/pi/contact/door");
	CHECK_TEXT(topics_write_contact(&TOPICS, "door", "availability", text),
		"home/led/pi/contact/door/availability");
}

/* What a topic is, with the name of its LED in name. */
static enum topic kind(const char *text, char name[COMMAND_NAME_MAX + 1])
{
	return topics_read(&TOPICS, text, name);
}

TEST("and read")
{
	char name[COMMAND_NAME_MAX + 1];

	CHECK(kind("home/led/pi/kitchen/set", name) == TOPIC_SET);
	CHECK_TEXT(name, "kitchen");
	CHECK(kind("home/led/pi/kitchen", name) == TOPIC_LED);
	CHECK(kind("home/led/pi/kitchen/availability", name) == TOPIC_LED_AVAILABILITY);
	CHECK_TEXT(name, "kitchen");
	CHECK(kind("home/led/pi/availability", name) == TOPIC_AVAILABILITY);
	CHECK_TEXT(name, "");
	CHECK(kind("home/led/group/all/set", name) == TOPIC_GROUP_SET);
	CHECK_TEXT(name, "");
	CHECK(kind("home/led/pi/contact/door", name) == TOPIC_CONTACT);
	CHECK_TEXT(name, "door");
	CHECK(kind("home/led/pi/contact/contact/availability", name) == TOPIC_CONTACT_AVAILABILITY);
	CHECK_TEXT(name, "contact");
	/* An LED may have this name, too. */
	CHECK(kind("home/led/pi/contact", name) == TOPIC_LED);
	CHECK(kind("home/led/pi/contact/set", name) == TOPIC_SET);
	CHECK(kind("home/led/pi/contact/availability", name) == TOPIC_LED_AVAILABILITY);
	CHECK_TEXT(name, "contact");
}

TEST("what is none of ours")
{
	static const char *const OTHERS[] = {"", "/", "home", "home/led", "home/led/",
		"home/led/pi", "home/led/pi/", "home/led/pi/set/", "home/led/pi/kitchen/set/x",
		"home/led/pi/Kitchen/x", "home/led/pie/kitchen/set", "home/led/other/kitchen/set",
		"home/ledpi/kitchen/set", "led/pi/kitchen/set", "home/led/group/all",
		"home/led/group/set", "home/led/group//set", "home/led/group/a/b/set",
		"home/led/pi/button/door", "home/led/pi/contact/", "home/led/pi/contact/Door",
		"home/led/pi/contact/door/set", "home/led/pi/contact/set/availability",
		"home/led/pi/contact/availability/availability",
		"home/led/pi/contact/door/availability/x", "home/led/pi/contact/door/",
		"home/led/pie/contact/door", "$SYS/broker/version"};
	char name[COMMAND_NAME_MAX + 1];

	for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
		CHECK(kind(OTHERS[i], name) == TOPIC_OTHER);
}

TEST("a command for what can be no LED's name")
{
	static const char *const NONES[] = {"home/led/pi//set", "home/led/pi/Kitchen/set",
		"home/led/pi/a b/set", "home/led/pi/on/set", "home/led/pi/a123456789abcdefg/set",
		"home/led/pi/availability/set"};
	char name[COMMAND_NAME_MAX + 1];

	for (size_t i = 0; i < sizeof NONES / sizeof *NONES; i++) {
		CHECK(kind(NONES[i], name) == TOPIC_SET_OF_NONE);
		CHECK_TEXT(name, "");
	}
}

/* A payload as led-mqtt would send it, or the reason why it is none. */
static const char *payload(const char *bytes, size_t n)
{
	static char text[COMMAND_MAX + 1];
	struct request request;
	const char *why = topics_read_command(bytes, n, &request);

	return why ? why : topics_write_command(&request, text);
}

#define PAYLOAD(literal) payload(literal, sizeof literal - 1)
#define WHY "not ON, OFF, TOGGLE or PULSE MS"

TEST("commands on a topic")
{
	CHECK_TEXT(PAYLOAD("ON"), "ON");
	CHECK_TEXT(PAYLOAD(" off \r\n"), "OFF");
	CHECK_TEXT(PAYLOAD("Toggle #k1"), "TOGGLE #k1");
	CHECK_TEXT(PAYLOAD("PULSE 500 #a"), "PULSE 500 #a");
	CHECK_TEXT(PAYLOAD("ON\0"), "ON");
	CHECK_TEXT(PAYLOAD("1"), "ON");
	CHECK_TEXT(PAYLOAD(" 0\r\n"), "OFF");
	CHECK_TEXT(PAYLOAD("true"), "ON");
	CHECK_TEXT(PAYLOAD("True"), "ON");
	CHECK_TEXT(PAYLOAD("\tFALSE \0"), "OFF");
}

TEST("what is no command there")
{
	char text[COMMAND_MAX + 2];

	CHECK_TEXT(PAYLOAD(""), WHY);
	CHECK_TEXT(PAYLOAD("STATUS"), WHY);
	CHECK_TEXT(PAYLOAD("LIST"), WHY);
	CHECK_TEXT(PAYLOAD("WATCH"), WHY);
	CHECK_TEXT(PAYLOAD("kitchen ON"), WHY);
	CHECK_TEXT(PAYLOAD("ALL ON"), WHY);
	CHECK_TEXT(PAYLOAD("LED ON"), WHY);
	CHECK_TEXT(PAYLOAD("ON OFF"), WHY);
	CHECK_TEXT(PAYLOAD("ON\nOFF"), WHY);
	CHECK_TEXT(PAYLOAD("ON\0x"), WHY);
	CHECK_TEXT(PAYLOAD("\0ON"), WHY);
	CHECK_TEXT(PAYLOAD("\xff\xfb\x01ON"), WHY);
	CHECK_TEXT(PAYLOAD("PULSE 0"), WHY);
	CHECK_TEXT(PAYLOAD("1 #key"), WHY);
	CHECK_TEXT(PAYLOAD("1 1"), WHY);
	CHECK_TEXT(PAYLOAD("10"), WHY);
	CHECK_TEXT(PAYLOAD("-1"), WHY);
	CHECK_TEXT(PAYLOAD("1.0"), WHY);
	CHECK_TEXT(PAYLOAD("truer"), WHY);
	CHECK_TEXT(PAYLOAD("tru"), WHY);
	CHECK_TEXT(PAYLOAD("1\n0"), WHY);
	CHECK_TEXT(PAYLOAD("kitchen 1"), WHY);
	CHECK_TEXT(PAYLOAD("PULSE"), WHY);
	CHECK_TEXT(PAYLOAD("ON #key"), WHY);
	CHECK_TEXT(PAYLOAD("{\"state\":\"ON\"}"), WHY);
	memset(text, ' ', sizeof text);
	memcpy(text, "ON", 2);
	CHECK_TEXT(payload(text, COMMAND_MAX - 4), "ON");
	CHECK_TEXT(payload(text, COMMAND_MAX + 1), WHY);
}

TAP_MAIN
