/* SPDX-License-Identifier: MIT */
#ifndef ORDER_H
#define ORDER_H

/*
 * Commands in the order in which they reached the machine, although the
 * processes that bring them overtake each other: what a late command changes
 * is what it would have changed in its turn.
 */

#include "command.h"

/* How many toggles are remembered for a late ON or OFF to come in before. */
#define ORDER_TOGGLES 64

/* What has been carried out. Begins as all zeros. */
struct order {
	uint64_t set_at;                    /* when the newest ON or OFF arrived */
	uint64_t toggled_at[ORDER_TOGGLES]; /* when the toggles since then did */
	unsigned toggles;
};

/*
 * Takes one command into account.
 *
 * verb: not VERB_STATUS
 * at: when it reached the machine; two with the same time count as told
 * lit: the LED's state, replaced with the one that it has to have now
 * Returns false when a later command has already settled the matter, and the
 * LED is to be left alone.
 */
bool order_apply(struct order *order, enum verb verb, uint64_t at, bool *lit);

#endif
