/* SPDX-License-Identifier: MIT */
#ifndef SILENCE_H
#define SILENCE_H

/*
 * What acknowledges a press: an OK, and the silence of a server that has no words.
 *
 * The original's server reads a command and ends the connection. A proxy whose server is away does
 * the same, and so does a led-handler that was killed. So the first silence is a reason to ask with
 * LED STATUS: a server that knows our protocol answers with a line. If the question ends in silence
 * too, silence is how this server acknowledges, until it says a line for the first time.
 */

#include "attempt.h"

/* The question. */
#define SILENCE_QUESTION "LED STATUS\n"

enum silence {
	SILENCE_UNHEARD, /* the server has not said a line, and was not asked, or not with success
			  */
	SILENCE_ASKING,  /* it has been silent, and is asked now */
	SILENCE_IS_OK,
	SILENCE_IS_FAILURE, /* it has said a line */
};

enum meaning { DELIVERED, FAILED, ASK };

/*
 * Says what the outcome of an attempt means for the press that is being delivered.
 *
 * silence: SILENCE_UNHEARD at first
 * outcome: of an attempt to deliver the press or, with SILENCE_ASKING, of the question
 */
enum meaning silence_take(enum silence *silence, enum attempt_outcome outcome);

#endif
