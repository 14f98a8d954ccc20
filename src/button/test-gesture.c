/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "debounce.h"
#include "gesture.h"
#include "tap.h"

#define MSEC 1000U
#define QUIET (15 * MSEC)
#define HOLD (600 * MSEC)

static struct gesture gesture;

static enum gesture_press closes(uint64_t at)
{
	return gesture_take(&gesture, (struct contact_event){at, true});
}

static enum gesture_press opens(uint64_t at)
{
	return gesture_take(&gesture, (struct contact_event){at, false});
}

TEST("without long presses, each counts when it begins")
{
	gesture_init(&gesture, false, HOLD);
	CHECK(closes(0) == SHORT_PRESS);
	CHECK(gesture_deadline(&gesture) == GESTURE_NEVER);
	CHECK(gesture_settle(&gesture, 10 * HOLD) == NO_PRESS);
	CHECK(opens(10 * HOLD) == NO_PRESS);
	CHECK(closes(20 * HOLD) == SHORT_PRESS);
}

TEST("long and short at the boundary")
{
	gesture_init(&gesture, true, HOLD);
	CHECK(closes(5) == NO_PRESS);
	CHECK(gesture_deadline(&gesture) == HOLD + 5);
	CHECK(gesture_settle(&gesture, HOLD + 4) == NO_PRESS);
	CHECK(opens(HOLD + 4) == SHORT_PRESS);
	CHECK(gesture_deadline(&gesture) == GESTURE_NEVER);

	CHECK(closes(5) == NO_PRESS);
	CHECK(gesture_settle(&gesture, HOLD + 5) == LONG_PRESS);
	CHECK(gesture_deadline(&gesture) == GESTURE_NEVER);
	CHECK(gesture_settle(&gesture, 3 * HOLD) == NO_PRESS);
	CHECK(opens(3 * HOLD) == NO_PRESS);

	/* The events come before the timer. */
	CHECK(closes(5) == NO_PRESS);
	CHECK(opens(HOLD + 5) == LONG_PRESS);
}

TEST("a contact that is held from the start is no press")
{
	gesture_init(&gesture, true, HOLD);
	CHECK(gesture_settle(&gesture, 2 * HOLD) == NO_PRESS);
	CHECK(opens(2 * HOLD) == NO_PRESS);
}

TEST("one key while another one is held")
{
	gesture_init(&gesture, true, HOLD);
	CHECK(closes(0) == NO_PRESS);
	CHECK(closes(100) == SHORT_PRESS);
	CHECK(opens(200) == SHORT_PRESS);
	CHECK(opens(300) == NO_PRESS);
}

static unsigned between(unsigned low, unsigned high)
{
	return low + (unsigned)rand() % (high - low + 1);
}

/* Takes what is certain until now, as button does. Counts the presses of each kind. */
static void settle(struct debounce *debounce, uint64_t now, unsigned presses[3])
{
	struct contact_event event;

	while (debounce_next(debounce, now, &event))
		presses[gesture_take(&gesture, event)]++;
	presses[gesture_settle(&gesture, debounce_certain(debounce, now))]++;
}

/* A movement that bounces for up to 10 ms. The timer may come between, at any time. */
static void move(struct debounce *debounce, uint64_t at, bool closed, unsigned presses[3])
{
	unsigned bounces = between(0, 10);

	for (unsigned i = 0; i <= 2 * bounces; i++) {
		settle(debounce, at, presses);
		debounce_edge(debounce, at, i % 2 == 0 ? closed : !closed);
		at += between(1, 500);
		if (between(0, 1))
			settle(debounce, at - 1, presses);
	}
}

/*
 * 10,000 bouncing presses, held for up to 20 ms more or less than HOLD, but not closer than margin.
 * Returns how many were taken for the other.
 */
static unsigned ten_thousand(unsigned filter, unsigned margin)
{
	struct debounce debounce;
	uint64_t at = MSEC;
	unsigned wrong = 0;

	srand(4);
	debounce_init(&debounce, QUIET, filter, false);
	gesture_init(&gesture, true, HOLD);
	for (unsigned i = 0; i < 10000; i++) {
		unsigned presses[3] = {0}, away = between(margin, 20 * MSEC), held;
		bool is_long = between(0, 1);

		if (between(0, 3) == 0)
			away = margin;
		held = is_long ? HOLD + away : HOLD - 1 - away;
		move(&debounce, at, true, presses);
		if (between(0, 1))
			settle(&debounce, at + between(20 * MSEC, held - 1), presses);
		move(&debounce, at + held, false, presses);
		at += held + between(50 * MSEC, 500 * MSEC);
		settle(&debounce, at, presses);
		wrong += presses[SHORT_PRESS] != !is_long || presses[LONG_PRESS] != is_long;
	}
	return wrong;
}

TEST("10000 bouncing presses around the boundary")
{
	CHECK(ten_thousand(0, 0) == 0);
	/* The filter counts from the last bounce. */
	CHECK(ten_thousand(MSEC / 4, 12 * MSEC) == 0);
}

TAP_MAIN
