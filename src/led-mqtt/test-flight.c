/* SPDX-License-Identifier: MIT */
#include "flight.h"
#include "tap.h"

#define NOW 1000ULL
#define LATER (NOW + FLIGHT_WAIT_USEC)

static struct flight f;

static void begin(void)
{
	f = (struct flight){0};
	flight_add(&f, 1, "led/a/set", "ON", NOW);
}

TEST("a client that tries again joins its message, one at a time")
{
	begin();
	CHECK(flight_join(&f, "led/a/set", "ON", NOW) == 0);
	CHECK(flight_join(&f, "led/a/set", "ON", LATER - 1) == 0);
	CHECK(flight_join(&f, "led/a/set", "ON", LATER) == 1);
	CHECK(flight_join(&f, "led/a/set", "ON", LATER) == 0);
	CHECK(flight_join(&f, "led/a/set", "ON", LATER + FLIGHT_WAIT_USEC - 1) == 0);
	CHECK(flight_join(&f, "led/a/set", "ON", LATER + FLIGHT_WAIT_USEC) == 1);
}

TEST("only the same topic and payload")
{
	begin();
	CHECK(flight_join(&f, "led/b/set", "ON", LATER) == 0);
	CHECK(flight_join(&f, "led/a/set", "OFF", LATER) == 0);
	CHECK(flight_join(&f, "led/a/set", "ON", LATER) == 1);
}

TEST("an ON or OFF that is not the newest on its topic is not joined")
{
	static const char *const PAYLOADS[] = {"OFF", "TOGGLE", "PULSE 5", "ON"};

	for (int i = 0; i < 4; i++) {
		begin();
		flight_add(&f, 2, "led/a/set", PAYLOADS[i], NOW + 1);
		/* The older ON does not stand for the newest. The newest itself may be joined. */
		CHECK(flight_join(&f, "led/a/set", "ON", LATER + 1) == (i == 3 ? 2 : 0));
		CHECK(flight_join(&f, "led/a/set", PAYLOADS[i], LATER + 1) == (i == 3 ? 0 : 2));
	}
	begin();
	flight_add(&f, 2, "led/b/set", "OFF", NOW + 1);
	CHECK(flight_join(&f, "led/a/set", "ON", LATER + 1) == 1);
}

TEST("nor is an availability that is not the newest on its topic")
{
	begin();
	flight_add(&f, 2, "a", "online", NOW);
	flight_add(&f, 3, "a", "offline", NOW);
	CHECK(flight_join(&f, "a", "online", LATER) == 0);
	CHECK(flight_join(&f, "a", "offline", LATER) == 3);
}

TEST("one that is not the newest any more may be, when the newer one has landed")
{
	begin();
	flight_add(&f, 2, "led/a/set", "OFF", NOW);
	flight_land(&f, 2);
	CHECK(flight_join(&f, "led/a/set", "ON", LATER) == 1);
}

TEST("presses and TOGGLE are joined in any order")
{
	static const char *const PAYLOADS[] = {"press", "TOGGLE #k1", "PULSE 500 #k2"};

	f = (struct flight){0};
	for (int i = 0; i < 3; i++)
		flight_add(&f, i + 1, "t", PAYLOADS[i], NOW);
	for (int i = 0; i < 3; i++)
		CHECK(flight_join(&f, "t", PAYLOADS[i], LATER) == i + 1);
}

TEST("two presses that are tried again are two messages")
{
	f = (struct flight){0};
	flight_add(&f, 7, "t", "press", NOW);
	flight_add(&f, 8, "t", "press", NOW);
	CHECK(flight_join(&f, "t", "press", LATER) == 7);
	CHECK(flight_join(&f, "t", "press", LATER) == 8);
	CHECK(flight_join(&f, "t", "press", LATER) == 0);
}

TEST("what has landed, or was on a connection that is gone, is not joined")
{
	begin();
	flight_land(&f, 2);
	CHECK(flight_join(&f, "led/a/set", "ON", LATER) == 1);
	flight_land(&f, 1);
	CHECK(flight_join(&f, "led/a/set", "ON", 3 * LATER) == 0);
	begin();
	flight_clear(&f);
	CHECK(flight_join(&f, "led/a/set", "ON", LATER) == 0);
}

TEST("there is room for so many")
{
	f = (struct flight){0};
	for (int i = 1; i <= FLIGHT_MAX; i++) {
		CHECK(flight_has_room(&f));
		flight_add(&f, i, "t", i == FLIGHT_MAX ? "last" : "press", NOW);
	}
	CHECK(!flight_has_room(&f));
	flight_add(&f, FLIGHT_MAX + 1, "t", "more", NOW);
	CHECK(flight_join(&f, "t", "more", LATER) == 0);
	CHECK(flight_join(&f, "t", "last", LATER) == FLIGHT_MAX);
	flight_land(&f, 5);
	CHECK(flight_has_room(&f));
	flight_add(&f, FLIGHT_MAX + 1, "t", "more", NOW);
	CHECK(flight_join(&f, "t", "more", LATER) == FLIGHT_MAX + 1);
}

TAP_MAIN
