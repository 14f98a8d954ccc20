/* SPDX-License-Identifier: MIT */

/* How an LED begins when led-line starts, by what the process before has left of it. */

#include "inherit.h"

#include "transition.h"

/*
 * The record says something else than the LED shows. Either led-line ended before it carried out
 * the pending command: its key is forgotten, and the times are those before it. Or another program
 * has set the LED: the times of all commands are forgotten.
 */
static void correct(struct record *record, const struct reorder *before, bool lit)
{
	record->reorder = record->pending && before ? *before : (struct reorder){0};
	if (record->key_pending)
		record_forget_last_key(record);
	record->lit = lit;
}

void inherit_complete(struct record *record, const struct reorder *before, enum start start,
	bool lit, unsigned limit_ms, uint64_t now, uint64_t at)
{
	bool overdue = transition_is_overdue(record, now);
	bool pending = record->pending || record->key_pending;

	if (start == START_RECORD)
		lit = record->lit && !overdue;
	/* A command that is pending has not lit an LED that is still there, and dark. */
	if (overdue && !lit && (start == START_RECORD || !pending))
		transition_end_pulse(record, at);
	if (lit != record->lit)
		correct(record, before, lit);
	record->pending = record->key_pending = false;
	if (!lit)
		record->off_at = 0;
	else if (record->off_at == 0)
		record->off_at = transition_off_at(0, limit_ms, now);
}
