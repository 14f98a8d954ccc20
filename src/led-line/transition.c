/* SPDX-License-Identifier: MIT */

/* What a command, or the end of a pulse, changes: the LED, and its record. */

#include "transition.h"

enum judgement transition_judge(const struct record *record, const struct request *request)
{
	if (record_has_key(record, request->key))
		return JUDGEMENT_KNOWN;
	if (request->late)
		return JUDGEMENT_LATE;
	switch (request->verb) {
	case VERB_ON:
	case VERB_OFF:
	case VERB_TOGGLE:
	case VERB_PULSE:
		return JUDGEMENT_MAKE;
	case VERB_STATUS:
	case VERB_LIST:
	case VERB_WATCH:
		break;
	}
	return JUDGEMENT_READ;
}

uint64_t transition_off_at(unsigned pulse_ms, unsigned limit_ms, uint64_t now)
{
	if (pulse_ms == 0 || (limit_ms > 0 && limit_ms < pulse_ms))
		pulse_ms = limit_ms;
	return pulse_ms ? now + pulse_ms * 1000ULL : 0;
}

void transition_make(const struct record *record, const struct request *request, bool lit,
	unsigned limit_ms, uint64_t now, struct transition *transition)
{
	struct record *done = &transition->done;

	*done = *record;
	transition->set = reorder_apply(&done->reorder, request->verb, request->at, &lit);
	done->lit = lit;
	if (transition->set && lit)
		done->off_at = transition_off_at(
			reorder_pulses(&done->reorder, request->at) ? request->pulse_ms : 0,
			limit_ms, now);
	else if (transition->set)
		done->off_at = 0;
	record_add_key(done, request->key);

	transition->pending = *done;
	transition->pending.pending = true;
	done->key_pending = false;
	/* Until the LED is put out, a pulse goes on: killed now, it would stay lit for ever. */
	if (!lit)
		transition->pending.off_at = record->off_at;
}

bool transition_is_overdue(const struct record *record, uint64_t now)
{
	return record->lit && record->off_at > 0 && record->off_at <= now;
}

void transition_end_pulse(struct record *record, uint64_t at)
{
	record->lit = false;
	record->off_at = 0;
	reorder_end_pulse(&record->reorder, at);
}
