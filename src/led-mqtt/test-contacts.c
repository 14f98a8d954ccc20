/* SPDX-License-Identifier: MIT */
#include "contacts.h"

#include <stdio.h>

#include "tap.h"

static struct contacts contacts;
static const struct topics TOPICS = {"led", "pi"};

static const char *why(const char *text)
{
	const char *reason = contacts_read(text, &contacts);

	return reason ? reason : "";
}

TEST("names, each with a class or without")
{
	CHECK_TEXT(why(" door:door\tfront-window\n hall:garage_door "), "");
	CHECK(contacts.n == 3);
	CHECK_TEXT(contacts_find(&contacts, "door")->device_class, "door");
	CHECK_TEXT(contacts_find(&contacts, "front-window")->device_class, "");
	CHECK_TEXT(contacts_find(&contacts, "hall")->device_class, "garage_door");
	CHECK(!contacts_find(&contacts, "front"));
	/* Names that an LED may have, or a button. */
	CHECK_TEXT(why("contact button led a123456789abcdef"), "");
	CHECK_TEXT(why(""), "");
	CHECK(contacts.n == 0 && !contacts_find(&contacts, ""));
	CHECK_TEXT(why("a:abcdefghijklmnopqrstuvwxyz_abcd"), "");
}

#define NAME_WHY "a contact's name is like an LED's, and neither set nor availability"
#define CLASS_WHY "the class of a contact has 1 to 31 small letters and underscores"

TEST("what is wrong")
{
	static const char *const NAMES[] = {"Door", "on", "press", "set", "availability", "1door",
		":door", "a123456789abcdefg", "a_b"};
	static const char *const CLASSES[] = {"a:", "a:Door", "a:door2", "a:door:x", "a:a-b",
		"a:abcdefghijklmnopqrstuvwxyz_abcde"};
	char text[500] = "";

	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
		CHECK_TEXT(why(NAMES[i]), NAME_WHY);
	for (size_t i = 0; i < sizeof CLASSES / sizeof *CLASSES; i++)
		CHECK_TEXT(why(CLASSES[i]), CLASS_WHY);
	CHECK_TEXT(why("door hall door:window"), "a contact is named twice");
	for (int i = 0; i < CONTACTS_MAX; i++)
		sprintf(text + strlen(text), "a%d ", i);
	CHECK_TEXT(why(text), "");
	strcat(text, "more");
	CHECK_TEXT(why(text), "too many: there may be 32");
}

TEST("a report is a state and an availability, and one that is gone keeps its state")
{
	static const struct {
		enum contact_state state;
		const char *is, *available;
	} REPORTS[] = {{CONTACT_IS_ON, "ON", "online"}, {CONTACT_IS_OFF, "OFF", "online"},
		{CONTACT_IS_GONE, NULL, "offline"}};
	struct contact_message messages[CONTACT_MESSAGES];

	for (int i = 0; i < 3; i++) {
		struct contact_report report = {"door", REPORTS[i].state};
		unsigned n = contacts_write(&TOPICS, &report, messages);

		CHECK(n == (REPORTS[i].is ? 2 : 1));
		if (REPORTS[i].is) {
			CHECK_TEXT(messages[0].topic, "led/pi/contact/door");
			CHECK_TEXT(messages[0].payload, REPORTS[i].is);
		}
		CHECK_TEXT(messages[n - 1].topic, "led/pi/contact/door/availability");
		CHECK_TEXT(messages[n - 1].payload, REPORTS[i].available);
	}
}

TAP_MAIN
