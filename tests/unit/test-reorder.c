/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "../../src/led-line/reorder.h"
#include "tap.h"

static void a_late_on_changes_nothing(void)
{
	struct reorder reorder = {0};
	bool lit = true;

	CHECK(reorder_apply(&reorder, VERB_OFF, 20, &lit) && !lit);
	CHECK(!reorder_apply(&reorder, VERB_ON, 10, &lit) && !lit);
	CHECK(reorder_apply(&reorder, VERB_ON, 30, &lit) && lit);
}

static void the_same_tick_counts_as_told(void)
{
	struct reorder reorder = {0};
	bool lit = false;

	CHECK(reorder_apply(&reorder, VERB_ON, 10, &lit) && lit);
	CHECK(reorder_apply(&reorder, VERB_OFF, 10, &lit) && !lit);
	CHECK(reorder_apply(&reorder, VERB_TOGGLE, 10, &lit) && lit);
}

static void late_toggles_and_what_they_toggle(void)
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

/* Commands in the order of their arrival, 1 ms apart, and what they leave. */
struct arrivals {
	enum verb verbs[200];
	unsigned n;
	bool start, wanted;
};

/* Whether the commands, told in this order, leave what they do in the order of arrival. */
static bool ends_right(const struct arrivals *arrivals, const unsigned *told)
{
	struct reorder reorder = {0};
	bool lit = arrivals->start;

	for (unsigned i = 0; i < arrivals->n; i++)
		reorder_apply(&reorder, arrivals->verbs[told[i]], 100 + told[i], &lit);
	return lit == arrivals->wanted;
}

/* Tries every order of telling that begins with the first so many. Returns how many fail. */
static unsigned try_orders(const struct arrivals *arrivals, unsigned *told, unsigned first)
{
	unsigned wrong = 0;

	if (first == arrivals->n)
		return !ends_right(arrivals, told);
	for (unsigned i = first; i < arrivals->n; i++) {
		unsigned swap = told[first];

		told[first] = told[i];
		told[i] = swap;
		wrong += try_orders(arrivals, told, first + 1);
		told[i] = told[first];
		told[first] = swap;
	}
	return wrong;
}

static void add(struct arrivals *arrivals, enum verb verb)
{
	bool was = arrivals->n == 0 ? arrivals->start : arrivals->wanted;

	arrivals->wanted = verb == VERB_TOGGLE ? !was : verb == VERB_ON;
	arrivals->verbs[arrivals->n++] = verb;
}

static void every_order_of_seven(void)
{
	unsigned long wrong = 0;

	for (unsigned n = 1; n <= 7; n++) {
		unsigned long sequences = 1;

		for (unsigned i = 0; i < n; i++)
			sequences *= 3;
		for (unsigned long code = 0; code < sequences; code++) {
			struct arrivals arrivals = {0};
			unsigned told[7] = {0, 1, 2, 3, 4, 5, 6};
			unsigned long rest = code;

			for (unsigned i = 0; i < n; i++, rest /= 3)
				add(&arrivals, VERBS[rest % 3]);
			wrong += try_orders(&arrivals, told, 0);
		}
	}
	CHECK(wrong == 0);
}

static void random_orders_of_two_hundred(void)
{
	unsigned wrong = 0;

	srand(1);
	for (int round = 0; round < 1000; round++) {
		struct arrivals arrivals = {.start = rand() % 2};
		unsigned told[200];

		for (unsigned i = 0; i < 200; i++) {
			/* Every second round, mostly toggles: a late ON has many behind it. */
			bool toggle = round % 2 && rand() % 50;

			add(&arrivals, toggle ? VERB_TOGGLE : VERBS[rand() % 3]);
			told[i] = i;
		}
		for (unsigned i = 199; i > 0; i--) {
			unsigned j = (unsigned)rand() % (i + 1), swap = told[i];

			told[i] = told[j];
			told[j] = swap;
		}
		wrong += !ends_right(&arrivals, told);
	}
	CHECK(wrong == 0);
}

static void any_number_of_toggles(void)
{
	struct reorder reorder = {0};
	bool lit = false;

	/* ON at 10 is told after 65 toggles that came behind it: an odd number of them. */
	for (unsigned i = 1; i <= 65; i++)
		reorder_apply(&reorder, VERB_TOGGLE, 10 + i, &lit);
	CHECK(reorder_apply(&reorder, VERB_ON, 10, &lit) && !lit);
	/* And so are as many in one millisecond. */
	for (unsigned i = 0; i < 100001; i++)
		reorder_apply(&reorder, VERB_TOGGLE, 100, &lit);
	CHECK(reorder_apply(&reorder, VERB_ON, 99, &lit) && !lit);
}

static void what_is_older_than_the_window(void)
{
	struct reorder reorder = {0};
	bool lit = false;

	CHECK(reorder_apply(&reorder, VERB_TOGGLE, 1000000, &lit) && lit);
	CHECK(!reorder_apply(&reorder, VERB_ON, 1000000 - REORDER_WINDOW_MS, &lit) && lit);
	CHECK(reorder_apply(&reorder, VERB_ON, 1000001 - REORDER_WINDOW_MS, &lit) && !lit);
	/* A toggle that the window has left behind does not come back in it. */
	CHECK(reorder_apply(&reorder, VERB_TOGGLE, 1000001 + REORDER_WINDOW_MS, &lit) && lit);
	CHECK(reorder_apply(&reorder, VERB_ON, 1000002, &lit) && !lit);
}

/* A pulse is ON until its end, and any later command takes its place. */
static void what_takes_a_pulses_place(void)
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

static void a_pulse_after_toggles(void)
{
	struct reorder reorder = {0};
	bool lit = false;

	CHECK(reorder_apply(&reorder, VERB_TOGGLE, 10, &lit) && lit);
	CHECK(reorder_apply(&reorder, VERB_PULSE, 20, &lit) && lit);
	CHECK(reorder_pulses(&reorder, 20));
	/* Two toggles behind it leave the LED lit, but for good. */
	reorder = (struct reorder){0};
	lit = false;
	reorder_apply(&reorder, VERB_TOGGLE, 30, &lit);
	reorder_apply(&reorder, VERB_TOGGLE, 31, &lit);
	CHECK(reorder_apply(&reorder, VERB_PULSE, 20, &lit) && lit);
	CHECK(!reorder_pulses(&reorder, 20));
}

/* PULSE at 10, its end at 20: commands of before the end come after it. */
static void late_commands_and_a_pulse_that_has_ended(void)
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

TAP_MAIN({"an ON older than an OFF changes nothing", a_late_on_changes_nothing},
	{"commands of the same tick count as told", the_same_tick_counts_as_told},
	{"late toggles and what they toggle", late_toggles_and_what_they_toggle},
	{"every order of up to seven commands ends as they arrived", every_order_of_seven},
	{"random orders of 200 commands end as they arrived", random_orders_of_two_hundred},
	{"any number of toggles is in its order", any_number_of_toggles},
	{"what is older than the window changes nothing", what_is_older_than_the_window},
	{"what takes a pulse's place", what_takes_a_pulses_place},
	{"a pulse after, and before, toggles", a_pulse_after_toggles},
	{"late commands, and a pulse that has ended", late_commands_and_a_pulse_that_has_ended})
