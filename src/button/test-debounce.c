/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "debounce.h"
#include "tap.h"

#define MSEC 1000U
#define QUIET (15 * MSEC)

static unsigned between(unsigned low, unsigned high)
{
	return low + (unsigned)rand() % (high - low + 1);
}

static int compare(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

/* The openings so far. */
static unsigned openings;

/* Takes the events until now. Returns how many closings there are, which are presses. */
static unsigned settle(struct debounce *debounce, uint64_t now)
{
	struct contact_event event;
	unsigned closings = 0;

	while (debounce_next(debounce, now, &event)) {
		closings += event.closed;
		openings += !event.closed;
		/* An event is past, and is returned at most once. */
		if (event.at > now || closings > 1)
			return 1000;
	}
	return closings;
}

/* Takes an edge, as button does. Returns how many presses this makes. */
static unsigned edge(struct debounce *debounce, uint64_t at, bool down)
{
	unsigned presses = settle(debounce, at);

	debounce_edge(debounce, at, down);
	return presses + settle(debounce, at);
}

/*
 * A movement of a contact: 1 to 40 edges within 0 to 10 ms, the last one to where the
 * contact comes to rest. With as_read, an edge may have the level that came after it,
 * as the kernel does when it is late, but for the last.
 *
 * Returns how many presses were counted, and sets at_first to whether it was at the first edge
 * that says "closed".
 */
static unsigned move(struct debounce *debounce, uint64_t at, bool down, bool as_read,
	bool *at_first, uint64_t *end)
{
	unsigned edges = between(0, 19) * 2 + 1, presses = 0, times[40];
	unsigned length = between(0, 10 * MSEC);
	bool closed = false;

	times[0] = 0;
	for (unsigned i = 1; i < edges; i++)
		times[i] = between(0, length);
	qsort(times, edges, sizeof *times, compare);

	for (unsigned i = 0; i < edges; i++) {
		bool level = i % 2 == 0 ? down : !down;

		if (as_read && i + 1 < edges && between(0, 3) == 0)
			level = !level;
		if (edge(debounce, at + times[i], level)) {
			presses++;
			*at_first = !closed;
		}
		closed |= level;
	}
	*end = at + times[edges - 1];
	return presses;
}

/* 10,000 presses of a realistic contact, as close as 60 ms. Returns how many went wrong. */
static unsigned ten_thousand(bool as_read)
{
	unsigned wrong = 0;
	uint64_t at = 1000000, end;
	struct debounce debounce;

	srand(2);
	openings = 0;
	debounce_init(&debounce, QUIET, 0, false);
	for (unsigned i = 0; i < 10000; i++) {
		uint64_t period = between(0, 1) ? 60 * MSEC : between(60 * MSEC, 1000 * MSEC);
		uint64_t hold = between(26 * MSEC, (unsigned)period - 26 * MSEC);
		bool at_first = false;

		wrong += move(&debounce, at, true, as_read, &at_first, &end) != 1 || !at_first;
		wrong += move(&debounce, at + hold, false, as_read, &at_first, &end) != 0;
		at += period;
	}
	settle(&debounce, at);
	return wrong + (openings != 10000);
}

TEST("10000 bouncing presses are 10000 presses and openings, at the first closed edge")
{
	CHECK(ten_thousand(false) == 0);
}

TEST("the same where edges have a later level")
{
	CHECK(ten_thousand(true) == 0);
}

TEST("a press counts at once, its bouncing does not")
{
	struct debounce debounce;

	debounce_init(&debounce, QUIET, 0, false);
	CHECK(edge(&debounce, 0, true));
	CHECK(!edge(&debounce, QUIET - 1, false));
	CHECK(!edge(&debounce, 2 * QUIET - 2, true));
	CHECK(!edge(&debounce, 3 * QUIET, false));
	CHECK(edge(&debounce, 4 * QUIET, true));
}

TEST("a contact that is held from the start")
{
	struct debounce debounce;

	debounce_init(&debounce, QUIET, 0, true);
	CHECK(!edge(&debounce, 1000, false));
	CHECK(edge(&debounce, 1000 + QUIET, true));
}

TEST("a clock that steps back")
{
	struct debounce debounce;

	debounce_init(&debounce, QUIET, 0, false);
	CHECK(edge(&debounce, 100 * MSEC, true));
	CHECK(!edge(&debounce, 50 * MSEC, false));
	CHECK(debounce_deadline(&debounce) == 100 * MSEC);
	CHECK(edge(&debounce, 100 * MSEC + QUIET, true));
}

TEST("without debouncing every edge counts")
{
	struct debounce debounce;

	debounce_init(&debounce, 0, 0, false);
	CHECK(edge(&debounce, 5, true));
	CHECK(!edge(&debounce, 5, false));
	CHECK(edge(&debounce, 5, true));
}

TEST("an edge that is read as open is no press")
{
	struct debounce debounce;

	debounce_init(&debounce, QUIET, 0, false);
	CHECK(!edge(&debounce, 0, false));
	CHECK(!edge(&debounce, 100 * MSEC, false));
	/* A press within the quiet time of such an edge. */
	CHECK(edge(&debounce, 101 * MSEC, true));
	CHECK(!edge(&debounce, 102 * MSEC, false));
	CHECK(!edge(&debounce, 103 * MSEC, true));
}

/*
 * A pulse that is over by itself: two edges, of which the kernel may see but one. What it reads
 * after the first, it reads up to 50 us later.
 *
 * Returns how many presses were counted.
 */
static unsigned pulse(struct debounce *debounce, uint64_t at, bool rest)
{
	unsigned length = between(1, 500), presses = 0;

	if (length >= 50 || between(0, 1))
		presses += edge(debounce, at, between(0, 50) < length ? !rest : rest);
	return presses + edge(debounce, at + length, rest);
}

/* Pulses from start to end, 1 to 20 ms apart, with the timer that button has, or too late for it.
 */
static unsigned pulses(struct debounce *debounce, uint64_t start, uint64_t end, bool rest)
{
	unsigned presses = 0;
	uint64_t at = start + between(3 * MSEC, 20 * MSEC);

	for (; at + 3 * MSEC < end; at += between(1 * MSEC, 20 * MSEC)) {
		uint64_t deadline = debounce_deadline(debounce);

		if (deadline < at && between(0, 1))
			presses += settle(debounce, deadline);
		presses += pulse(debounce, at, rest);
	}
	return presses;
}

TEST("with a filter, pulses of 1 to 500 us are no press, and lose none")
{
	struct debounce debounce;
	unsigned wrong = 0, without_filter = 0;
	uint64_t at = 1000000, end;
	bool at_first;

	for (unsigned filter = 0; filter <= 2 * MSEC; filter += 2 * MSEC) {
		srand(3);
		openings = 0;
		debounce_init(&debounce, QUIET, filter, false);
		for (unsigned i = 0; i < 10000; i++) {
			unsigned hold = between(40 * MSEC, 500 * MSEC), presses;

			presses = pulses(&debounce, at, at + hold, false);
			at += hold;
			presses += move(&debounce, at, true, true, &at_first, &end);
			hold = between(40 * MSEC, 500 * MSEC);
			presses += pulses(&debounce, end, at + hold, true);
			at += hold;
			presses += move(&debounce, at, false, true, &at_first, &end);
			at = end;
			*(filter ? &wrong : &without_filter) += presses != 1;
		}
		settle(&debounce, at + QUIET + filter);
	}
	CHECK(openings == 10000);
	CHECK(wrong == 0);
	CHECK(without_filter > 1000);
}

TEST("a press counts when it has been closed for the filter's time")
{
	struct debounce debounce;

	debounce_init(&debounce, QUIET, 2 * MSEC, false);
	CHECK(debounce_deadline(&debounce) == DEBOUNCE_NEVER);
	CHECK(!edge(&debounce, 10 * MSEC, true));
	CHECK(debounce_deadline(&debounce) == 12 * MSEC);
	CHECK(!settle(&debounce, 12 * MSEC - 1));
	CHECK(settle(&debounce, 12 * MSEC));
	CHECK(debounce_deadline(&debounce) == DEBOUNCE_NEVER);
	CHECK(!settle(&debounce, 20 * MSEC));
	/* Edges that are read late are a press all the same. */
	CHECK(!edge(&debounce, 40 * MSEC, false));
	CHECK(!edge(&debounce, 80 * MSEC, true));
	CHECK(edge(&debounce, 90 * MSEC, false));
	/* Closed for too short a time. */
	CHECK(!edge(&debounce, 120 * MSEC, true));
	CHECK(!edge(&debounce, 122 * MSEC - 1, false));
	CHECK(!settle(&debounce, 200 * MSEC));
}

/* Whether the next event until now is this one. */
static bool is_next(struct debounce *debounce, uint64_t now, uint64_t at, bool closed)
{
	struct contact_event event;

	return debounce_next(debounce, now, &event) && event.at == at && event.closed == closed;
}

TEST("a contact opens when it rests open, and has been open since its first edge")
{
	struct debounce debounce;

	debounce_init(&debounce, QUIET, 0, false);
	CHECK(edge(&debounce, 0, true));
	CHECK(debounce_deadline(&debounce) == DEBOUNCE_NEVER);
	/* It bounces; the opening is as old as the first edge. */
	debounce_edge(&debounce, 100 * MSEC, false);
	CHECK(!settle(&debounce, 100 * MSEC));
	CHECK(debounce_certain(&debounce, 101 * MSEC) == 100 * MSEC);
	CHECK(!edge(&debounce, 102 * MSEC, true));
	CHECK(debounce_certain(&debounce, 102 * MSEC) == 100 * MSEC);
	CHECK(!edge(&debounce, 103 * MSEC, false));
	CHECK(debounce_deadline(&debounce) == 103 * MSEC + QUIET);
	openings = 0;
	CHECK(!settle(&debounce, 103 * MSEC + QUIET - 1) && openings == 0);
	CHECK(is_next(&debounce, 103 * MSEC + QUIET, 100 * MSEC, false));
	CHECK(debounce_certain(&debounce, 200 * MSEC) == 200 * MSEC);
	CHECK(debounce_deadline(&debounce) == DEBOUNCE_NEVER);
}

TEST("a press shorter than the quiet time opens, too")
{
	struct debounce debounce;

	debounce_init(&debounce, QUIET, 0, false);
	CHECK(edge(&debounce, 1 * MSEC, true));
	CHECK(!edge(&debounce, 4 * MSEC, false));
	/* The next press comes at once, before the timer. */
	CHECK(is_next(&debounce, 4 * MSEC + QUIET, 4 * MSEC, false));
	debounce_edge(&debounce, 4 * MSEC + QUIET, true);
	CHECK(is_next(&debounce, 100 * MSEC, 4 * MSEC + QUIET, true));
	CHECK(!settle(&debounce, 100 * MSEC));
}

TEST("an edge after which the contact is read as it was is a movement, too")
{
	struct debounce debounce;

	debounce_init(&debounce, QUIET, 0, true);
	CHECK(!edge(&debounce, 100 * MSEC, false));
	CHECK(!edge(&debounce, 105 * MSEC, false));
	CHECK(debounce_deadline(&debounce) == 105 * MSEC + QUIET);
}

TEST("a held contact that opens for a moment is held")
{
	struct debounce debounce;

	debounce_init(&debounce, QUIET, 0, false);
	CHECK(edge(&debounce, 0, true));
	openings = 0;
	CHECK(!edge(&debounce, 100 * MSEC, false));
	CHECK(!edge(&debounce, 110 * MSEC, true));
	CHECK(!settle(&debounce, 200 * MSEC) && openings == 0);
	CHECK(debounce_certain(&debounce, 200 * MSEC) == 200 * MSEC);
}

TEST("noise without end is one press")
{
	struct debounce debounce;
	unsigned presses = 0;

	debounce_init(&debounce, QUIET, 0, false);
	openings = 0;
	for (unsigned i = 0; i < 1000; i++)
		presses += edge(&debounce, i * 10 * MSEC, i % 2 == 0);
	CHECK(presses == 1 && openings == 0);
	CHECK(!settle(&debounce, 11000 * MSEC) && openings == 1);
}

TEST("a contact opens when it has been open for the filter's time")
{
	struct debounce debounce;

	debounce_init(&debounce, QUIET, 2 * MSEC, true);
	openings = 0;
	CHECK(!edge(&debounce, 10 * MSEC, false));
	CHECK(!edge(&debounce, 12 * MSEC - 1, true));
	CHECK(!settle(&debounce, 50 * MSEC) && openings == 0);
	CHECK(!edge(&debounce, 60 * MSEC, false));
	CHECK(is_next(&debounce, 62 * MSEC + QUIET, 62 * MSEC, false));
	/* A filter that is longer than the quiet time. */
	debounce_init(&debounce, QUIET, 40 * MSEC, true);
	CHECK(!edge(&debounce, 10 * MSEC, false));
	CHECK(!edge(&debounce, 50 * MSEC, true));
	CHECK(is_next(&debounce, 100 * MSEC, 50 * MSEC, false));
	CHECK(is_next(&debounce, 100 * MSEC, 90 * MSEC, true));
}

TAP_MAIN
