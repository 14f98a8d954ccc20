/* SPDX-License-Identifier: MIT */
#ifndef REORDER_H
#define REORDER_H

/*
 * Commands take effect in the order in which they reached the machine, although the
 * processes that bring them overtake each other. A late command has only the effect
 * that it would still have had if it had been on time.
 */

#include <stdint.h>

#include "command.h"

/* How many milliseconds back a command may be late. A power of two. */
#define REORDER_WINDOW_MS 8192

_Static_assert(REORDER_WINDOW_MS > COMMAND_LATE_MS, "whatever is carried out is in its order");

/* What has been carried out. Begins as all zeros. */
struct reorder {
	uint64_t set_at;     /* when the newest ON, OFF or PULSE arrived */
	uint64_t toggled_at; /* when the newest TOGGLE did */
	uint64_t newest;     /* when the newest command of all did */
	uint64_t ended_at;   /* when a pulse ended that no command has replaced since, or 0 */
	/* A bit for each millisecond up to newest: an odd number of toggles arrived in it. */
	uint64_t toggled[REORDER_WINDOW_MS / 64];
};

/*
 * Takes one command into account.
 *
 * verb: VERB_ON, VERB_OFF, VERB_TOGGLE or VERB_PULSE
 * at: when it reached the machine, in milliseconds; two of the same millisecond count in
 *     the order of the calls
 * lit: the LED's state, replaced with the one that it has to have now
 * Returns false when a later command has already settled the matter, or the command is
 * older than the window, and the LED is to be left alone.
 */
bool reorder_apply(struct reorder *reorder, enum verb verb, uint64_t at, bool *lit);

/* Whether a PULSE that was taken into account is the newest command: it lights the LED for a time.
 */
bool reorder_pulses(const struct reorder *reorder, uint64_t at);

/* The LED has gone out at the end of its pulse. at: in milliseconds */
void reorder_end_pulse(struct reorder *reorder, uint64_t at);

#endif
