/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "led.h"
#include "logged.h"
#include "tap.h"

static const struct led_backend *const BACKEND = &LED_LOG;
static char why[LED_WHY_MAX];

TEST("each state that it is set to is a line of the log, also at its opening")
{
	void *led;

	CHECK(!BACKEND->parse("", NULL, &led));
	CHECK_TEXT(logged(), "");
	CHECK(BACKEND->open(led, true, why) == 0 && BACKEND->get(led, why) == 1);
	CHECK_TEXT(logged(), "LED Status: On\n");
	CHECK(BACKEND->set(led, false, why) == 0 && BACKEND->get(led, why) == 0);
	CHECK_TEXT(logged(), "LED Status: Off\n");
	BACKEND->close(led);
	CHECK_TEXT(logged(), "");
	free(led);
}

TEST("one of several has its name in the line")
{
	void *led;

	CHECK(!BACKEND->parse("kitchen", NULL, &led));
	CHECK(BACKEND->open(led, false, why) == 0);
	CHECK_TEXT(logged(), "LED kitchen Status: Off\n");
	free(led);
}

TEST("nothing follows its name")
{
	void *led;

	CHECK_TEXT(BACKEND->parse("", "x", &led),
		"after log there may be initial=, pulse= and kind= alone");
	CHECK_TEXT(BACKEND->parse("", "", &led),
		"after log there may be initial=, pulse= and kind= alone");
}

TAP_MAIN
