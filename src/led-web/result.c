/* SPDX-License-Identifier: MIT */

/* What led-line says, in the words of HTTP. */

#include "result.h"

#include <stdio.h>
#include <string.h>

#include "element.h"

void result_answered(struct result *result, const char *answer)
{
	static const char OK[] = "OK LED ", UNKNOWN_LED[] = "ERR no LED is called ";
	char name[COMMAND_NAME_MAX + 1];
	size_t length;

	if (strncmp(answer, OK, strlen(OK)) == 0) {
		answer += strlen(OK);
		length = strcspn(answer, " ");
		/* The state, after the name if there is one. */
		if ((length == 3 && strncmp(answer, "ALL", 3) == 0) ||
			command_read_name(answer, length, name))
			answer += length + (answer[length] == ' ');
		result->status = 200;
	} else if (strncmp(answer, "ERR ", 4) == 0) {
		result->status = strncmp(answer, UNKNOWN_LED, strlen(UNKNOWN_LED)) == 0 ? 404 : 503;
	} else {
		result_unknown(result, "led-line says something else");
		return;
	}
	snprintf(result->text, sizeof result->text, "%s", answer);
}

void result_unknown(struct result *result, const char *why)
{
	result->status = 502;
	snprintf(result->text, sizeof result->text, "ERR nobody knows what became of it: %.*s",
		ANSWER_MAX - 64, why);
}

void result_failed(struct result *result, const char *why)
{
	result->status = 503;
	snprintf(result->text, sizeof result->text, "ERR %.*s", ANSWER_MAX - 8, why);
}

void result_state(
	struct result *result, const struct follow *follow, const char *name, const char *away)
{
	const struct followed_led *led = follow_find(follow, name);
	const char *error = led ? element_error(led, away) : NULL;

	if (error) {
		result_failed(result, error);
	} else if (led) {
		result->status = 200;
		strcpy(result->text, led->state == LED_ON ? "ON" : "OFF");
	} else if (follow->missing) { /* it may be one of those that are not known yet */
		result_failed(result, away);
	} else {
		result->status = 404;
		snprintf(result->text, sizeof result->text, "ERR no LED is called %s", name);
	}
}
