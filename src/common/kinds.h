/* SPDX-License-Identifier: MIT */
#ifndef KINDS_H
#define KINDS_H

/* What each LED is, in the words of LED LIST KINDS. No I/O, for led-line and for those who ask it.
 */

#include <stdbool.h>

#include "command.h"

/* What an LED is for those who show it. */
enum kind {
	KIND_LIGHT, /* one of those that "all lights off" means */
	KIND_SWITCH,
	KIND_UNKNOWN, /* its setting is wrong */
};

struct led_kind {
	char name[COMMAND_NAME_MAX + 1]; /* of one without a name: "led" */
	enum kind kind;
	unsigned pulse_ms; /* it goes out by itself so much later; 0: it stays lit */
};

/* Begins as all zeros. */
struct kinds {
	struct led_kind leds[LEDS_MAX]; /* in the order of the configuration */
	unsigned n;
	bool left_out; /* there is another LED in the configuration, which has no usable name */
};

/* Reads light or switch. Returns whether it is one of them. */
bool kind_read(const char *text, size_t length, enum kind *kind);

/* Its word, or "?" for KIND_UNKNOWN. */
const char *kind_text(enum kind kind);

/* Whether the LED is something that only acts for a moment, such as a door opener. */
bool kind_is_momentary(enum kind kind, unsigned pulse_ms);

/* Writes the answer: "OK LED LIST KINDS led=light door=switch,pulse=500 kitchen=? ?". */
void kinds_write(const struct kinds *kinds, char answer[ANSWER_MAX]);

/*
 * Reads an answer. A kind that only a newer led-line knows is a light, and its other words are
 * passed over.
 *
 * kinds: set to it, and without LEDs if it is none
 * Returns whether it is one. An older led-line answers with an ERR: all its LEDs are lights.
 */
bool kinds_read(const char *answer, struct kinds *kinds);

/* Whether there is a "?": then which LEDs there are, and what they are, is not known for sure. */
bool kinds_are_uncertain(const struct kinds *kinds);

#endif
