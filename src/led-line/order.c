/* SPDX-License-Identifier: MIT */
#include "order.h"

#include <assert.h>
#include <string.h>

static uint64_t *bits_of(struct order *order, uint64_t ms)
{
	return &order->toggled[ms / 64 % (ORDER_WINDOW_MS / 64)];
}

/* Moves the window up to a newer command: what falls out of it is forgotten. */
static void advance(struct order *order, uint64_t at)
{
	if (at - order->newest >= ORDER_WINDOW_MS)
		memset(order->toggled, 0, sizeof order->toggled);
	else
		for (uint64_t ms = order->newest + 1; ms <= at; ms++)
			*bits_of(order, ms) &= ~(1ULL << ms % 64);
	order->newest = at;
}

/* Whether an odd number of toggles arrived after a time. */
static bool toggled_after(struct order *order, uint64_t at)
{
	unsigned count = 0;

	for (uint64_t ms = at + 1; ms <= order->newest; ms++)
		count += *bits_of(order, ms) >> ms % 64 & 1;
	return count % 2;
}

bool order_apply(struct order *order, enum verb verb, uint64_t at, bool *lit)
{
	assert(verb != VERB_STATUS);

	if (at < order->set_at || at + ORDER_WINDOW_MS <= order->newest)
		return false;
	if (at > order->newest)
		advance(order, at);
	if (verb == VERB_TOGGLE) {
		*bits_of(order, at) ^= 1ULL << at % 64;
		*lit = !*lit;
		return true;
	}
	/* Toggles that arrived before it are of no effect any more. */
	order->set_at = at;
	*lit = (verb == VERB_ON) != toggled_after(order, at);
	return true;
}
