/* SPDX-License-Identifier: MIT */
#ifndef TRANSITION_H
#define TRANSITION_H

/*
 * What a command, or the end of a pulse, changes: the LED, and its record.
 *
 * The record is written before the LED is set and once more afterwards, so that led-line may be
 * killed at any moment: inherit.h.
 */

#include "command.h"
#include "record.h"

/* What there is to do for a request. */
enum judgement {
	JUDGEMENT_LATE,  /* nothing: it is too late */
	JUDGEMENT_KNOWN, /* to read the state: a command with this key was carried out */
	JUDGEMENT_READ,  /* to read the state, which is all that it asks for */
	JUDGEMENT_MAKE,  /* to read the state, and then transition_make() */
};

enum judgement transition_judge(const struct record *record, const struct request *request);

struct transition {
	bool set; /* the LED is to be set; false: a later command has settled its state */
	struct record pending; /* before it is set to pending.lit */
	struct record done;    /* afterwards, or at once where it is not set */
};

/*
 * Carries out a request.
 *
 * record: before it; where setting the LED fails, it is to be written again
 * request: VERB_ON, VERB_OFF, VERB_TOGGLE or VERB_PULSE
 * lit: what the hardware shows
 * limit_ms: the longest that the LED may be lit, in milliseconds, or 0
 * now: in microseconds of CLOCK_BOOTTIME
 */
void transition_make(const struct record *record, const struct request *request, bool lit,
	unsigned limit_ms, uint64_t now, struct transition *transition);

/*
 * When an LED that is lit now goes out by itself, in microseconds of CLOCK_BOOTTIME; or 0.
 *
 * pulse_ms: of the command that has lit it, or 0
 */
uint64_t transition_off_at(unsigned pulse_ms, unsigned limit_ms, uint64_t now);

/* Whether the LED is lit by a pulse whose time has passed. now: as above */
bool transition_is_overdue(const struct record *record, uint64_t now);

/* The LED has been read as off at the end of its pulse. at: in milliseconds of arrival_ms() */
void transition_end_pulse(struct record *record, uint64_t at);

#endif
