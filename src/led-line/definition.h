/* SPDX-License-Identifier: MIT */
#ifndef DEFINITION_H
#define DEFINITION_H

/* What an LED is, as a person writes it: [NAME=]SPEC, and options for every kind after commas. */

#include "command.h"
#include "kinds.h"
#include "led.h"

/* The name of the LED without a name. */
#define DEFINITION_UNNAMED "led"

/* Room for [NAME=]SPEC: it is part of a name in the descriptor store, of at most 255 bytes. */
#define DEFINITION_LABEL_MAX 240

/* What the LED shows first, when no earlier process left it in some state. */
enum initial {
	INITIAL_UNSET, /* --initial says it */
	INITIAL_OFF,
	INITIAL_ON,
	INITIAL_LAST, /* what the last command left, before a reboot too */
};

struct definition {
	char name[COMMAND_NAME_MAX + 1];
	char label[DEFINITION_LABEL_MAX]; /* NAME=SPEC, or SPEC for the LED without a name */
	const char *spec;                 /* in there, so that a definition is never moved */
	enum initial initial;
	enum kind kind;
	unsigned pulse_ms; /* whatever lights it, it goes out so much later; 0: it stays lit */
	char wrong[LED_WHY_MAX]; /* why the LED is not touched: definitions.h; or "" */
};

/*
 * Reads a definition. Returns NULL, or a constant reason: the name is "" then if that is what is
 * wrong.
 */
const char *definition_parse(const char *text, struct definition *definition);

/* Whether it is momentary, such as a door opener: LED ALL ON passes over it. */
bool definition_is_momentary(const struct definition *definition);

/* The LED's name as commands have it, or "" for the one without. */
const char *definition_name(const struct definition *definition);

/* Reads off, on or last. Returns NULL, or a constant reason. */
const char *definition_parse_initial(const char *text, enum initial *initial);

#endif
