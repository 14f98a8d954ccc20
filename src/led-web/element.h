/* SPDX-License-Identifier: MIT */
#ifndef ELEMENT_H
#define ELEMENT_H

/* An LED in JSON, for /leds and /events. No I/O. */

#include <stddef.h>

#include "follow.h"

/* Room for an element. */
#define ELEMENT_MAX (2 * FOLLOW_LED_WHY_MAX + COMMAND_NAME_MAX + 100)

/* Room for the list of all. */
#define ELEMENT_LIST_MAX (LEDS_MAX * (ELEMENT_MAX + 1) + 3)

/*
 * Why an LED does not work, for people: what led-line says, or that led-line is away. NULL if it
 * works.
 *
 * away: why led-line cannot be followed, or ""
 */
const char *element_error(const struct followed_led *led, const char *away);

/*
 * Writes an LED: {"name":"kitchen","kind":"light","state":"ON"}.
 *
 * Returns its length in bytes.
 */
size_t element_write(const struct followed_led *led, const char *away, char text[ELEMENT_MAX]);

/* Writes the list of all. Returns its length in bytes. */
size_t element_write_list(
	const struct follow *follow, const char *away, char text[ELEMENT_LIST_MAX]);

#endif
