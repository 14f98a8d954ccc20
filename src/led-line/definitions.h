/* SPDX-License-Identifier: MIT */
#ifndef DEFINITIONS_H
#define DEFINITIONS_H

/*
 * The LEDs of a led-line as they are given, one after another: which there are, which of them are
 * wrong, and what an earlier process has stored that is not let go because of that.
 */

#include "definition.h"
#include "led.h"

/* Begins as all zeros. It is never moved. */
struct definitions {
	struct definition list[LEDS_MAX];
	struct led *leds[LEDS_MAX]; /* of each; NULL where its SPEC is wrong */
	unsigned n;
	const char *last; /* the text of the last LED, if no other text has come since */
	bool in_comment;
	bool left_out; /* something has no place that may be meant as an LED */
};

/*
 * Takes the next LED. One whose SPEC is wrong has a place, and says why: its definition's wrong.
 * One without a usable name of its own, and one too many, has none. A text that begins with a comma
 * or "#", or has a quote at an end, makes the LED before it wrong; one with a quote is also an LED
 * itself, and wrong. Texts without a name after "#" belong to the comment.
 *
 * text: [NAME=]SPEC; kept by the caller
 * Returns NULL, or a constant: what is wrong.
 */
const char *definitions_add(struct definitions *definitions, const char *text);

/*
 * Whether a descriptor in the store that is no right LED's may belong to one that is wrong or
 * left out. A line that a right LED needs does not.
 *
 * stored: its name in the store
 */
bool definitions_keeps(const struct definitions *definitions, const char *stored);

/* Destroys the LEDs. */
void definitions_free(struct definitions *definitions);

#endif
