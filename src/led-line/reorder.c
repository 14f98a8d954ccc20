/* SPDX-License-Identifier: MIT */

/* Gives late commands the effect that they would still have had if they had been on time. */

#include "reorder.h"

#include <assert.h>
#include <string.h>

static uint64_t *bits_of(struct reorder *reorder, uint64_t ms)
{
	return &reorder->toggled[ms / 64 % (REORDER_WINDOW_MS / 64)];
}

/* Moves the window up to a newer command: what falls out of it is forgotten. */
static void advance(struct reorder *reorder, uint64_t at)
{
	if (at - reorder->newest >= REORDER_WINDOW_MS)
		memset(reorder->toggled, 0, sizeof reorder->toggled);
	else
		for (uint64_t ms = reorder->newest + 1; ms <= at; ms++)
			*bits_of(reorder, ms) &= ~(1ULL << ms % 64);
	reorder->newest = at;
}

/* Whether an odd number of toggles arrived after a time. */
static bool toggled_after(struct reorder *reorder, uint64_t at)
{
	unsigned count = 0;

	for (uint64_t ms = at + 1; ms <= reorder->newest; ms++)
		count += *bits_of(reorder, ms) >> ms % 64 & 1;
	return count % 2;
}

bool reorder_apply(struct reorder *reorder, enum verb verb, uint64_t at, bool *lit)
{
	bool in_pulse;

	assert(verb <= VERB_TOGGLE || verb == VERB_PULSE);

	if (at < reorder->set_at || at + REORDER_WINDOW_MS <= reorder->newest)
		return false;
	if (at > reorder->newest)
		advance(reorder, at);
	in_pulse = at < reorder->ended_at;
	if (verb != VERB_TOGGLE || in_pulse)
		reorder->ended_at = 0;
	if (verb == VERB_TOGGLE) {
		if (at > reorder->toggled_at)
			reorder->toggled_at = at;
		*bits_of(reorder, at) ^= 1ULL << at % 64;
		/* In time, it would have put the LED out, and the pulse's end would not have. */
		if (in_pulse)
			return false;
		*lit = !*lit;
		return true;
	}
	/* Toggles that arrived before it are of no effect any more. */
	reorder->set_at = at;
	*lit = (verb != VERB_OFF) != toggled_after(reorder, at);
	return true;
}

bool reorder_pulses(const struct reorder *reorder, uint64_t at)
{
	return at == reorder->set_at && at >= reorder->toggled_at;
}

void reorder_end_pulse(struct reorder *reorder, uint64_t at)
{
	reorder->ended_at = at;
}
