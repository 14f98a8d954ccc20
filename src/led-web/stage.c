/* SPDX-License-Identifier: MIT */

/* The stages of a connection. */

#include "stage.h"

#include <string.h>

uint64_t stage_due(enum stage stage, uint64_t now)
{
	switch (stage) {
	case STAGE_HEAD:
		return now + STAGE_HEAD_USEC;
	case STAGE_BODY:
		return now + STAGE_BODY_USEC;
	case STAGE_SETTLES:
		return now + STAGE_SETTLES_USEC;
	default:
		return UINT64_MAX;
	}
}

/* Whether all LEDs are known to be so, but for those that a command for all passes over. */
static bool are_all(const struct follow *follow, enum led_state state)
{
	for (unsigned i = 0; i < follow->n; i++) {
		const struct followed_led *led = &follow->leds[i];

		if (led->state == LED_MISSING || (state == LED_ON && followed_is_momentary(led)))
			continue;
		if (led->state != state)
			return false;
	}
	return true;
}

/* Whether what a command is for is known to be as led-line has answered. */
static bool has_settled(const struct follow *follow, const char *name, const struct result *result)
{
	const struct followed_led *led = follow_find(follow, name);
	enum led_state state;

	if (!result || result->status != 200)
		return true;
	/* What LEDs there are is just coming, and then how they are. */
	if (follow->state == FOLLOW_LISTING)
		return false;
	/* It may be followed by " except". */
	state = strncmp(result->text, "ON", 2) == 0 ? LED_ON : LED_OFF;
	if (!*name)
		return are_all(follow, state);
	return !led || led->state == state;
}

bool stage_goes_on(enum stage stage, const struct follow *follow, const char *name,
	const struct result *result)
{
	switch (stage) {
	case STAGE_LEDS:
		/* They are known, or it is that led-line is away. */
		return follow->n > 0 || follow->missing || follow->state == FOLLOW_FOLLOWING;
	case STAGE_SETTLES:
		return has_settled(follow, name, result);
	default:
		return stage == STAGE_STREAM;
	}
}

bool stage_delays_stop(enum stage stage)
{
	return stage == STAGE_COMMAND || stage == STAGE_SETTLES || stage == STAGE_ANSWER;
}
