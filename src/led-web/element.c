/* SPDX-License-Identifier: MIT */

/* LEDs in JSON: RFC 8259. */

#include "element.h"

#include <stdio.h>
#include <string.h>

const char *element_error(const struct followed_led *led, const char *away)
{
	if (led->state == LED_ON || led->state == LED_OFF)
		return NULL;
	if (*led->why)
		return led->why;
	return *away ? away : "its state is not known yet";
}

/* Writes a string of JSON, and cuts it off where there is no room for more. */
static void quote(const char *text, char quoted[2 * FOLLOW_LED_WHY_MAX])
{
	size_t n = 0;

	for (; *text && n < 2 * FOLLOW_LED_WHY_MAX - 2; text++) {
		unsigned char c = (unsigned char)*text;

		/* What led-line says has nothing else: exchange.h. */
		if (c < ' ' || c > '~')
			c = '?';
		if (c == '"' || c == '\\')
			quoted[n++] = '\\';
		quoted[n++] = (char)c;
	}
	quoted[n] = '\0';
}

size_t element_write(const struct followed_led *led, const char *away, char text[ELEMENT_MAX])
{
	const char *error = element_error(led, away);
	char quoted[2 * FOLLOW_LED_WHY_MAX], pulse[24] = "";

	quote(error ? error : led->state == LED_ON ? "ON" : "OFF", quoted);
	if (led->pulse_ms)
		snprintf(pulse, sizeof pulse, ",\"pulse\":%u", led->pulse_ms);
	/* One whose setting is wrong is shown as a light. */
	return (size_t)snprintf(text, ELEMENT_MAX,
		"{\"name\":\"%s\",\"kind\":\"%s\"%s,\"%s\":\"%s\"}", led->name,
		kind_text(led->kind == KIND_SWITCH ? KIND_SWITCH : KIND_LIGHT), pulse,
		error ? "error" : "state", quoted);
}

size_t element_write_list(
	const struct follow *follow, const char *away, char text[ELEMENT_LIST_MAX])
{
	size_t length = 0;

	text[length++] = '[';
	for (unsigned i = 0; i < follow->n; i++) {
		if (i > 0)
			text[length++] = ',';
		length += element_write(&follow->leds[i], away, text + length);
	}
	text[length++] = ']';
	text[length] = '\0';
	return length;
}
