/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "switch.h"
#include "tap.h"

#define MSEC 1000ULL
#define QUIET (15 * MSEC)
#define HOLD (600 * MSEC)

static struct switch_state state;
static char found[64]; /* the occasions: p, r, l */

/* Finds all occasions until now. */
static void look(uint64_t now)
{
	enum occasion occasion;

	for (size_t n = strlen(found); switch_next(&state, now, &occasion); n++)
		if (n < sizeof found - 1)
			found[n] = "prl"[occasion];
}

/* What was found since the last time that this was called. */
static const char *take(void)
{
	static char taken[sizeof found];

	memcpy(taken, found, sizeof taken);
	memset(found, 0, sizeof found);
	return taken;
}

static void event(uint64_t at, bool closed)
{
	look(at);
	switch_take(&state, (struct contact_event){at, closed});
}

static void init(bool release, bool long_press, bool position)
{
	const struct switch_options options = {.quiet = QUIET,
		.hold = HOLD,
		.has_release = release,
		.has_long = long_press,
		.has_position = position};

	switch_init(&state, &options);
	take();
}

static void begin(bool bounces, bool closed)
{
	switch_begin(&state, bounces, closed);
	look(0);
}

TEST("a start is no event, whether the contact is open or closed, with releases or without")
{
	for (int i = 0; i < 16; i++) {
		init(i & 1, i & 2, false);
		begin(i & 4, i & 8);
		look(10 * HOLD);
		CHECK_TEXT(take(), "");
		CHECK(switch_deadline(&state, 10 * HOLD) == SWITCH_NEVER);
	}
}

TEST("a contact that bounces for a second is one position, or two if it ends where it was")
{
	for (int seed = 0; seed < 200; seed++) {
		uint64_t now = 1000 * MSEC, settled;
		bool closed = false;

		srand((unsigned)seed);
		init(true, false, true);
		begin(true, false);
		CHECK_TEXT(take(), "r");
		for (settled = now + 1000 * MSEC; now < settled;
			now += 1 + (uint64_t)rand() % (QUIET - 1)) {
			closed = !closed;
			event(now, closed);
		}
		look(now + QUIET);
		CHECK_TEXT(take(), closed ? "p" : "pr");
		look(now + 10 * HOLD);
		CHECK_TEXT(take(), "");
	}
}

TEST("a position is an occasion at the start, and each time that the contact is there again")
{
	for (int bounces = 0; bounces < 2; bounces++) {
		for (int i = 0; i < 8; i++) {
			init(true, false, true);
			begin(bounces, i & 1);
			CHECK_TEXT(take(), i & 1 ? "p" : "r");
			begin(bounces, i & 2);
			CHECK_TEXT(take(), i & 2 ? "p" : "r");
			begin(bounces, i & 4);
			CHECK_TEXT(take(), i & 4 ? "p" : "r");
		}
	}
}

TEST("a position follows the contact before it goes away")
{
	for (int bounces = 0; bounces < 2; bounces++) {
		init(true, false, true);
		begin(bounces, false);
		event(MSEC, true);
		look(MSEC);
		CHECK_TEXT(take(), "rp");
		begin(bounces, true);
		CHECK_TEXT(take(), "p");
		event(100 * MSEC, false);
		look(200 * MSEC);
		CHECK_TEXT(take(), "r");
		begin(bounces, false);
		CHECK_TEXT(take(), "r");
	}
}

TEST("an event contact that was away sends nothing, and its press is forgotten")
{
	for (int bounces = 0; bounces < 2; bounces++) {
		init(true, true, false);
		begin(bounces, false);
		event(MSEC, true);
		look(MSEC);
		begin(bounces, false);
		look(2 * HOLD);
		CHECK_TEXT(take(), "");
		/* Nothing is left of an event that was not looked at. */
		switch_take(&state, (struct contact_event){3 * HOLD, true});
		begin(bounces, false);
		look(6 * HOLD);
		CHECK_TEXT(take(), "");
	}
}

TEST("presses, releases and long presses, of a contact that bounces and of one that does not")
{
	static const struct {
		bool release, long_press;
		const char *brief, *held;
	} CASES[] = {
		{false, false, "p", "p"},
		{true, false, "pr", "pr"},
		{false, true, "p", "l"},
		{true, true, "pr", "lr"},
	};

	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		for (int bounces = 0; bounces < 2; bounces++) {
			init(CASES[i].release, CASES[i].long_press, false);
			begin(bounces, false);
			event(MSEC, true);
			event(MSEC + HOLD - 1, false);
			look(2 * HOLD);
			CHECK_TEXT(take(), CASES[i].brief);
			event(3 * HOLD, true);
			event(4 * HOLD, false);
			look(5 * HOLD);
			CHECK_TEXT(take(), CASES[i].held);
		}
	}
}

TEST("a press counts at its first edge, a release when the contact is at rest")
{
	init(true, false, false);
	begin(true, false);
	event(MSEC, true);
	look(MSEC);
	CHECK_TEXT(take(), "p");
	event(50 * MSEC, false);
	look(50 * MSEC + QUIET - 1);
	CHECK_TEXT(take(), "");
	CHECK(switch_deadline(&state, 50 * MSEC + QUIET - 1) == 50 * MSEC + QUIET);
	look(50 * MSEC + QUIET);
	CHECK_TEXT(take(), "r");
	CHECK(switch_deadline(&state, 50 * MSEC + QUIET) == SWITCH_NEVER);

	begin(false, false);
	event(MSEC, true);
	look(MSEC);
	CHECK_TEXT(take(), "p");
	event(2 * MSEC, false);
	look(2 * MSEC);
	CHECK_TEXT(take(), "r");
}

TEST("a press becomes long at its time, unless the contact may have opened by then")
{
	init(false, true, false);
	begin(true, false);
	event(MSEC, true);
	look(MSEC);
	CHECK(switch_deadline(&state, MSEC) == MSEC + HOLD);
	look(MSEC + HOLD - 1);
	CHECK_TEXT(take(), "");
	look(MSEC + HOLD);
	CHECK_TEXT(take(), "l");

	/* It opens for a moment, just before. */
	begin(true, false);
	event(MSEC, true);
	event(HOLD, false);
	look(HOLD + 5);
	CHECK(switch_deadline(&state, HOLD + 5) == HOLD + QUIET);
	look(MSEC + HOLD);
	CHECK_TEXT(take(), "");
	event(MSEC + HOLD + 5, true);
	look(MSEC + HOLD + 5 + QUIET);
	CHECK_TEXT(take(), "l");
}

TEST("one key while another one is held")
{
	init(true, true, false);
	begin(false, false);
	event(0, true);
	event(100, true);
	event(200, false);
	event(300, false);
	look(2 * HOLD);
	CHECK_TEXT(take(), "pprr");

	init(true, false, false);
	begin(false, false);
	event(0, true);
	event(100, true);
	look(100);
	CHECK_TEXT(take(), "pp");
}

TEST("the filter keeps short pulses out")
{
	const struct switch_options options = {
		.quiet = QUIET, .filter = 2 * MSEC, .has_release = true};

	switch_init(&state, &options);
	begin(true, false);
	event(MSEC, true);
	event(2 * MSEC, false);
	look(100 * MSEC);
	CHECK_TEXT(take(), "");
	event(200 * MSEC, true);
	look(200 * MSEC);
	CHECK(switch_deadline(&state, 200 * MSEC) == 202 * MSEC);
	look(202 * MSEC);
	CHECK_TEXT(take(), "p");
}

/* The presses of ten rings of a second each, through an optocoupler: 50 Hz, closed for 4 ms. */
static unsigned ring(uint64_t quiet)
{
	const struct switch_options options = {.quiet = quiet};
	unsigned presses = 0;

	switch_init(&state, &options);
	begin(true, false);
	for (uint64_t second = 1; second <= 10; second++) {
		for (uint64_t period = 0; period < 50; period++) {
			uint64_t at = (2000 * second + 20 * period) * MSEC;

			event(at, true);
			event(at + 4 * MSEC, false);
			presses += (unsigned)strlen(take());
		}
	}
	return presses;
}

TEST("a doorbell's alternating current: with 30 ms of quiet, one ring is one press")
{
	CHECK(ring(QUIET) == 500);
	CHECK(ring(30 * MSEC) == 10);
}

static uint64_t between(unsigned low, unsigned high)
{
	return low + (unsigned)rand() % (high - low + 1);
}

/* The contact moves and bounces, for less than QUIET. The timer may come between, at any time. */
static uint64_t move(uint64_t at, bool closed)
{
	for (uint64_t n = 2 * between(0, 5), i = 0; i <= n; i++) {
		event(at, i % 2 == 0 ? closed : !closed);
		if (between(0, 1))
			look(at);
		at += between(1, MSEC);
	}
	return at;
}

/*
 * A latching switch is thrown, restarted and lost, at any time.
 *
 * Returns how often its last occasion was not its position once it was at rest.
 */
static unsigned throw(unsigned times)
{
	bool closed = false, latest = false;
	unsigned wrong = 0;
	uint64_t at = MSEC;

	for (unsigned i = 0; i < times; i++) {
		bool restarts = between(0, 9) == 0, is_lost = between(0, 9) == 0;

		closed = !closed;
		at = move(at, closed) + between(0, (unsigned)(2 * QUIET));
		if (restarts)
			init(true, false, true);
		if ((restarts || is_lost) && between(0, 1))
			closed = !closed;
		if (restarts || is_lost)
			begin(true, closed);
		if (between(0, 3) == 0) {
			at += QUIET;
			look(at);
			if (*found)
				latest = found[strlen(found) - 1] == 'p';
			wrong += latest != closed;
		}
		if (*found)
			latest = found[strlen(found) - 1] == 'p';
		/* ON and OFF take turns, but for a start, and a contact that is there again. */
		for (const char *p = found; !restarts && !is_lost && *p && p[1]; p++)
			wrong += *p == p[1];
		take();
	}
	return wrong;
}

TEST("a latching switch and its LED agree after 100000 throws, with restarts between")
{
	srand(5);
	init(true, false, true);
	begin(true, false);
	CHECK_TEXT(take(), "r");
	CHECK(throw(100000) == 0);
}

TAP_MAIN
