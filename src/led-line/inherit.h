/* SPDX-License-Identifier: MIT */
#ifndef INHERIT_H
#define INHERIT_H

/* How an LED begins when led-line starts, by what the process before has left of it. */

#include "record.h"

enum start {
	START_FRESH,   /* nothing: it is opened in its first state */
	START_RECORD,  /* the record: it is opened in the state in there */
	START_KEPT,    /* the record, and the kernel has kept the LED: it stays as it is */
	START_ADOPTED, /* the request for its line, mostly with a record: it stays as it is */
};

/*
 * Completes a record: what led-line was doing when it ended is either done or forgotten.
 *
 * record: as inherited; all zeros where there is none
 * before: the times of the commands before the one that is pending; NULL where nobody knows them
 * lit: its first state for START_FRESH; what the hardware shows for START_KEPT and START_ADOPTED
 * limit_ms: the longest that the LED may be lit, in milliseconds, or 0
 * now: in microseconds of CLOCK_BOOTTIME
 * at: the same time in milliseconds of arrival_ms()
 */
void inherit_complete(struct record *record, const struct reorder *before, enum start start,
	bool lit, unsigned limit_ms, uint64_t now, uint64_t at);

#endif
