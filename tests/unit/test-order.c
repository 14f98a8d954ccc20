/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "../../src/order.h"
#include "tap.h"

static void a_late_on_changes_nothing(void)
{
	struct order order = {0};
	bool lit = true;

	CHECK(order_apply(&order, VERB_OFF, 20, &lit) && !lit);
	CHECK(!order_apply(&order, VERB_ON, 10, &lit) && !lit);
	CHECK(order_apply(&order, VERB_ON, 30, &lit) && lit);
}

static void the_same_tick_counts_as_told(void)
{
	struct order order = {0};
	bool lit = false;

	CHECK(order_apply(&order, VERB_ON, 10, &lit) && lit);
	CHECK(order_apply(&order, VERB_OFF, 10, &lit) && !lit);
	CHECK(order_apply(&order, VERB_TOGGLE, 10, &lit) && lit);
}

static void late_toggles_and_what_they_toggle(void)
{
	struct order order = {0};
	bool lit = false;

	/* ON at 10, TOGGLE at 20: off, although the TOGGLE comes first. */
	CHECK(order_apply(&order, VERB_TOGGLE, 20, &lit) && lit);
	CHECK(order_apply(&order, VERB_ON, 10, &lit) && !lit);
	/* A TOGGLE before the ON changes nothing, one between the two does. */
	CHECK(!order_apply(&order, VERB_TOGGLE, 5, &lit) && !lit);
	CHECK(order_apply(&order, VERB_TOGGLE, 15, &lit) && lit);
}

/* Any order of telling ends in the state that the order of arrival would have. */
static void a_thousand_shuffles(void)
{
	static const enum verb VERBS[] = {VERB_ON, VERB_OFF, VERB_TOGGLE};

	srand(1);
	for (int round = 0; round < 1000; round++) {
		struct order order = {0};
		enum verb verbs[20];
		unsigned told[20];
		bool start = rand() % 2, wanted = start, lit = start;

		for (unsigned i = 0; i < 20; i++) {
			verbs[i] = VERBS[rand() % 3];
			told[i] = i;
			wanted = verbs[i] == VERB_TOGGLE ? !wanted : verbs[i] == VERB_ON;
		}
		for (unsigned i = 19; i > 0; i--) {
			unsigned j = (unsigned)rand() % (i + 1), swap = told[i];

			told[i] = told[j];
			told[j] = swap;
		}
		for (unsigned i = 0; i < 20; i++)
			order_apply(&order, verbs[told[i]], 100 + told[i], &lit);
		CHECK(lit == wanted);
	}
}

static void many_toggles_are_bounded(void)
{
	struct order order = {0};
	bool lit = false;

	for (unsigned i = 1; i <= 1000; i++)
		order_apply(&order, VERB_TOGGLE, i, &lit);
	CHECK(!lit);
	CHECK(order.toggles == ORDER_TOGGLES);
	/* An ON that only the last toggle came after. */
	CHECK(order_apply(&order, VERB_ON, 999, &lit) && !lit);
}

TAP_MAIN({"an ON older than an OFF changes nothing", a_late_on_changes_nothing},
	{"commands of the same tick count as told", the_same_tick_counts_as_told},
	{"late toggles and what they toggle", late_toggles_and_what_they_toggle},
	{"a thousand shuffles end as they arrived", a_thousand_shuffles},
	{"any number of toggles is bounded", many_toggles_are_bounded})
