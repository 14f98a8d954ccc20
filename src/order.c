/* SPDX-License-Identifier: MIT */
#include "order.h"

#include <assert.h>

/* Forgets the toggles that came at or before a time: an ON or OFF undid them. */
static void forget_toggles(struct order *order, uint64_t at)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < order->toggles; i++)
		if (order->toggled_at[i] > at)
			order->toggled_at[kept++] = order->toggled_at[i];
	order->toggles = kept;
}

static void remember_toggle(struct order *order, uint64_t at)
{
	unsigned oldest = 0;

	if (order->toggles < ORDER_TOGGLES) {
		order->toggled_at[order->toggles++] = at;
		return;
	}
	for (unsigned i = 1; i < ORDER_TOGGLES; i++)
		if (order->toggled_at[i] < order->toggled_at[oldest])
			oldest = i;
	order->toggled_at[oldest] = at;
}

bool order_apply(struct order *order, enum verb verb, uint64_t at, bool *lit)
{
	assert(verb != VERB_STATUS);

	if (at < order->set_at)
		return false;
	if (verb == VERB_TOGGLE) {
		remember_toggle(order, at);
		*lit = !*lit;
		return true;
	}
	order->set_at = at;
	forget_toggles(order, at);
	*lit = (verb == VERB_ON) != (order->toggles % 2 == 1);
	return true;
}
