/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "reorder.h"
#include "tap.h"

TEST("an ON older than an OFF changes nothing")
{
	struct reorder reorder = {0};
	bool lit = true;

	CHECK(reorder_apply(&reorder, VERB_OFF, 20, &lit) && !lit);
	CHECK(!reorder_apply(&reorder, VERB_ON, 10, &lit) && !lit);
	CHECK(reorder_apply(&reorder, VERB_ON, 30, &lit) && lit);
}

TEST("commands of the same tick count in the order of their calls")
{
	struct reorder reorder = {0};
	bool lit = false;

	CHECK(reorder_apply(&reorder, VERB_ON, 10, &lit) && lit);
	CHECK(reorder_apply(&reorder, VERB_OFF, 10, &lit) && !lit);
	CHECK(reorder_apply(&reorder, VERB_TOGGLE, 10, &lit) && lit);
}

TEST("late toggles and what they toggle")
{
	struct reorder reorder = {0};
	bool lit = false;

	/* ON at 10, TOGGLE at 20: off, although the TOGGLE comes first. */
	CHECK(reorder_apply(&reorder, VERB_TOGGLE, 20, &lit) && lit);
	CHECK(reorder_apply(&reorder, VERB_ON, 10, &lit) && !lit);
	/* A TOGGLE before the ON changes nothing, one between the two does. */
	CHECK(!reorder_apply(&reorder, VERB_TOGGLE, 5, &lit) && !lit);
	CHECK(reorder_apply(&reorder, VERB_TOGGLE, 15, &lit) && lit);
}

static const enum verb VERBS[] = {VERB_ON, VERB_OFF, VERB_TOGGLE};

/* The machine has been running for a day. */
#define START_MS 86400000

/* Commands in the order of their arrival, 1 ms apart, and what they leave. */
struct arrivals {
	enum verb verbs[200];
	unsigned n;
	bool start, wanted;
};

/* Whether the commands, applied in this order, leave what they do in the order of arrival. */
static bool ends_right(const struct arrivals *arrivals, const unsigned *applied)
{
	struct reorder reorder = {0};
	bool lit = arrivals->start;

	for (unsigned i = 0; i < arrivals->n; i++)
		reorder_apply(&reorder, arrivals->verbs[applied[i]], START_MS + applied[i], &lit);
	return lit == arrivals->wanted;
}

/* Tries every order of telling that begins with the first so many. Returns how many fail. */
static unsigned try_orders(const struct arrivals *arrivals, unsigned *applied, unsigned first)
{
	unsigned wrong = 0;

	if (first == arrivals->n)
		return !ends_right(arrivals, applied);
	for (unsigned i = first; i < arrivals->n; i++) {
		unsigned swap = applied[first];

		applied[first] = applied[i];
		applied[i] = swap;
		wrong += try_orders(arrivals, applied, first + 1);
		applied[i] = applied[first];
		applied[first] = swap;
	}
	return wrong;
}

static void add(struct arrivals *arrivals, enum verb verb)
{
	bool was = arrivals->n == 0 ? arrivals->start : arrivals->wanted;

	arrivals->wanted = verb == VERB_TOGGLE ? !was : verb == VERB_ON;
	arrivals->verbs[arrivals->n++] = verb;
}

TEST("every order of up to seven commands ends as they arrived")
{
	unsigned long wrong = 0;

	for (unsigned n = 1; n <= 7; n++) {
		unsigned long sequences = 1;

		for (unsigned i = 0; i < n; i++)
			sequences *= 3;
		for (unsigned long code = 0; code < sequences; code++) {
			struct arrivals arrivals = {0};
			unsigned applied[7] = {0, 1, 2, 3, 4, 5, 6};
			unsigned long rest = code;

			for (unsigned i = 0; i < n; i++, rest /= 3)
				add(&arrivals, VERBS[rest % 3]);
			wrong += try_orders(&arrivals, applied, 0);
		}
	}
	CHECK(wrong == 0);
}

TEST("random orders of 200 commands end as they arrived")
{
	unsigned wrong = 0;

	srand(1);
	for (int round = 0; round < 1000; round++) {
		struct arrivals arrivals = {.start = rand() % 2};
		unsigned applied[200];

		for (unsigned i = 0; i < 200; i++) {
			/* Every second round, mostly toggles: a late ON has many after it. */
			bool toggle = round % 2 && rand() % 50;

			add(&arrivals, toggle ? VERB_TOGGLE : VERBS[rand() % 3]);
			applied[i] = i;
		}
		for (unsigned i = 199; i > 0; i--) {
			unsigned j = (unsigned)rand() % (i + 1), swap = applied[i];

			applied[i] = applied[j];
			applied[j] = swap;
		}
		wrong += !ends_right(&arrivals, applied);
	}
	CHECK(wrong == 0);
}

TEST("any number of toggles is in its order")
{
	struct reorder reorder = {0};
	bool lit = false;

	/* ON at 10 is applied after 65 toggles that came later: an odd number of them. */
	for (unsigned i = 1; i <= 65; i++)
		reorder_apply(&reorder, VERB_TOGGLE, 10 + i, &lit);
	CHECK(reorder_apply(&reorder, VERB_ON, 10, &lit) && !lit);
	/* And so are as many in one millisecond. */
	for (unsigned i = 0; i < 100001; i++)
		reorder_apply(&reorder, VERB_TOGGLE, 100, &lit);
	CHECK(reorder_apply(&reorder, VERB_ON, 99, &lit) && !lit);
}

TEST("what is older than the window changes nothing")
{
	struct reorder reorder = {0};
	bool lit = false;

	CHECK(reorder_apply(&reorder, VERB_TOGGLE, 1000000, &lit) && lit);
	CHECK(!reorder_apply(&reorder, VERB_ON, 1000000 - REORDER_WINDOW_MS, &lit) && lit);
	CHECK(reorder_apply(&reorder, VERB_ON, 1000001 - REORDER_WINDOW_MS, &lit) && !lit);
	/* A toggle that has left the window does not come back in it. */
	CHECK(reorder_apply(&reorder, VERB_TOGGLE, 1000001 + REORDER_WINDOW_MS, &lit) && lit);
	CHECK(reorder_apply(&reorder, VERB_ON, 1000002, &lit) && !lit);
}

/* A pulse is ON until its end, and any later command takes its place. */
TEST("what takes a pulse's place")
{
	static const enum verb LATER[] = {VERB_ON, VERB_OFF, VERB_TOGGLE, VERB_PULSE};

	for (size_t i = 0; i < sizeof LATER / sizeof *LATER; i++) {
		struct reorder reorder = {0};
		bool lit = false;

		CHECK(reorder_apply(&reorder, LATER[i], 20, &lit));
		lit = LATER[i] != VERB_OFF;
		/* The PULSE is late: it only does not pulse where it still counts as an ON. */
		reorder_apply(&reorder, VERB_PULSE, 10, &lit);
		CHECK(!reorder_pulses(&reorder, 10));
		CHECK(lit == (LATER[i] == VERB_ON || LATER[i] == VERB_PULSE));
	}
}

TEST("a pulse after, and before, toggles")
{
	struct reorder reorder = {0};
	bool lit = false;

	CHECK(reorder_apply(&reorder, VERB_TOGGLE, 10, &lit) && lit);
	CHECK(reorder_apply(&reorder, VERB_PULSE, 20, &lit) && lit);
	CHECK(reorder_pulses(&reorder, 20));
	/* Two toggles after it leave the LED lit, but for good. */
	reorder = (struct reorder){0};
	lit = false;
	reorder_apply(&reorder, VERB_TOGGLE, 30, &lit);
	reorder_apply(&reorder, VERB_TOGGLE, 31, &lit);
	CHECK(reorder_apply(&reorder, VERB_PULSE, 20, &lit) && lit);
	CHECK(!reorder_pulses(&reorder, 20));
	/* It came in the same millisecond, and after the toggle. */
	reorder = (struct reorder){0};
	reorder_apply(&reorder, VERB_TOGGLE, 10, &lit);
	reorder_apply(&reorder, VERB_PULSE, 10, &lit);
	CHECK(reorder_pulses(&reorder, 10));
}

/* PULSE at 10, its end at 20: commands of before the end come after it. */
TEST("late commands, and a pulse that has ended")
{
	static const struct {
		enum verb verbs[2];
		uint64_t at[2];
		bool lit;
	} CASES[] = {
		{{VERB_ON, VERB_STATUS}, {15, 0}, true},
		{{VERB_OFF, VERB_STATUS}, {15, 0}, false},
		{{VERB_ON, VERB_STATUS}, {5, 0}, false},
		/* It would have put the LED out, and the pulse's end would not have. */
		{{VERB_TOGGLE, VERB_STATUS}, {15, 0}, false},
		{{VERB_TOGGLE, VERB_TOGGLE}, {15, 16}, true},
		{{VERB_TOGGLE, VERB_STATUS}, {5, 0}, false},
		{{VERB_TOGGLE, VERB_STATUS}, {25, 0}, true},
		{{VERB_TOGGLE, VERB_TOGGLE}, {25, 15}, true},
		{{VERB_TOGGLE, VERB_ON}, {25, 15}, false},
		{{VERB_OFF, VERB_TOGGLE}, {25, 15}, false},
	};

	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		struct reorder reorder = {0};
		bool lit = false;

		CHECK(reorder_apply(&reorder, VERB_PULSE, 10, &lit) && lit);
		reorder_end_pulse(&reorder, 20);
		lit = false;
		for (int j = 0; j < 2 && CASES[i].at[j]; j++)
			reorder_apply(&reorder, CASES[i].verbs[j], CASES[i].at[j], &lit);
		CHECK(lit == CASES[i].lit);
	}
}

TEST("a toggle in a pulse that has ended sets nothing, one at its end does")
{
	struct reorder reorder = {0};
	bool lit = false;

	reorder_apply(&reorder, VERB_PULSE, 10, &lit);
	reorder_end_pulse(&reorder, 20);
	lit = false;
	CHECK(!reorder_apply(&reorder, VERB_TOGGLE, 19, &lit) && !lit);
	reorder_end_pulse(&reorder, 20);
	CHECK(reorder_apply(&reorder, VERB_TOGGLE, 20, &lit) && lit);
}

TEST("a toggle that has left the window is forgotten, at the window's very edge too")
{
	for (uint64_t step = REORDER_WINDOW_MS - 2; step <= REORDER_WINDOW_MS; step++) {
		struct reorder reorder = {0};
		bool lit = false;

		CHECK(reorder_apply(&reorder, VERB_TOGGLE, 100000, &lit) && lit);
		CHECK(reorder_apply(&reorder, VERB_TOGGLE, 100000 + step, &lit) && !lit);
		CHECK(reorder_apply(&reorder, VERB_TOGGLE, 100000 + REORDER_WINDOW_MS + 3, &lit));
		/* One toggle is newer than this. */
		CHECK(reorder_apply(&reorder, VERB_OFF, 100000 + step, &lit) && lit);
	}
	for (uint64_t at = 100000; at < 100000 + 2 * REORDER_WINDOW_MS; at += 64) {
		struct reorder reorder = {0};
		bool lit = false;

		/* The last one takes the first one's place in the window. */
		reorder_apply(&reorder, VERB_TOGGLE, at, &lit);
		reorder_apply(&reorder, VERB_TOGGLE, at + 1, &lit);
		reorder_apply(&reorder, VERB_TOGGLE, at + REORDER_WINDOW_MS, &lit);
		CHECK(reorder_apply(&reorder, VERB_OFF, at + REORDER_WINDOW_MS - 1, &lit) && lit);
	}
}

TAP_MAIN
