/* SPDX-License-Identifier: MIT */

/* What each LED is: the answer to LED LIST KINDS, and the way back. */

#include "kinds.h"

#include <stdio.h>
#include <string.h>

static const char START[] = "OK LED LIST KINDS", PULSE[] = "pulse=";

static const char *const WORDS[] = {
	[KIND_LIGHT] = "light",
	[KIND_SWITCH] = "switch",
	[KIND_UNKNOWN] = "?",
};

bool kind_read(const char *text, size_t length, enum kind *kind)
{
	for (enum kind i = KIND_LIGHT; i <= KIND_SWITCH; i++) {
		if (strlen(WORDS[i]) == length && memcmp(text, WORDS[i], length) == 0) {
			*kind = i;
			return true;
		}
	}
	return false;
}

const char *kind_text(enum kind kind)
{
	return WORDS[kind];
}

bool kind_is_momentary(enum kind kind, unsigned pulse_ms)
{
	return kind == KIND_SWITCH && pulse_ms > 0;
}

void kinds_write(const struct kinds *kinds, char answer[ANSWER_MAX])
{
	char *p = answer + sprintf(answer, "%s", START);

	for (unsigned i = 0; i < kinds->n; i++) {
		const struct led_kind *led = &kinds->leds[i];

		p += sprintf(p, " %s=%s", led->name, WORDS[led->kind]);
		if (led->kind != KIND_UNKNOWN && led->pulse_ms > 0)
			p += sprintf(p, ",%s%u", PULSE, led->pulse_ms);
	}
	if (kinds->left_out)
		strcpy(p, " ?");
}

/* Reads what stands after a name: "switch,pulse=500", or "?". */
static void read_kind(const char *text, const char *end, struct led_kind *led)
{
	size_t length = strcspn(text, ", ");

	if (!kind_read(text, length, &led->kind))
		led->kind = length == 1 && *text == '?' ? KIND_UNKNOWN : KIND_LIGHT;
	for (text += length; text < end; text += length) {
		text++;
		length = strcspn(text, ", ");
		if (length > strlen(PULSE) && memcmp(text, PULSE, strlen(PULSE)) == 0)
			command_read_pulse(
				text + strlen(PULSE), length - strlen(PULSE), &led->pulse_ms);
	}
}

/* Reads "NAME=KIND". Returns whether it is that. */
static bool read_led(const char *word, const char *end, struct led_kind *led)
{
	size_t length = strcspn(word, "= ");

	if (word[length] != '=' || !command_read_name(word, length, led->name))
		return false;
	read_kind(word + length + 1, end, led);
	return true;
}

bool kinds_read(const char *answer, struct kinds *kinds)
{
	const char *word, *end;

	*kinds = (struct kinds){0};
	if (strncmp(answer, START, strlen(START)) != 0)
		return false;
	end = answer + strlen(START);
	if (*end && *end != ' ')
		return false;
	while (*end) {
		word = end + 1;
		end = word + strcspn(word, " ");
		if (end - word == 1 && *word == '?')
			kinds->left_out = true;
		else if (kinds->n < LEDS_MAX && read_led(word, end, &kinds->leds[kinds->n]))
			kinds->n++;
	}
	return true;
}

bool kinds_are_uncertain(const struct kinds *kinds)
{
	for (unsigned i = 0; i < kinds->n; i++)
		if (kinds->leds[i].kind == KIND_UNKNOWN)
			return true;
	return kinds->left_out;
}
