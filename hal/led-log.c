/* SPDX-License-Identifier: MIT */

/* log: no hardware, a line in the log for what an LED would do. */

#include <errno.h>
#include <stdlib.h>
#include <syslog.h>

#include "led.h"

struct led_log {
	const char *name;
	bool lit;
};

static const char *led_log_parse(const char *name, const char *argument, void **state)
{
	struct led_log *led;

	if (argument)
		return "after log there may be initial=, pulse= and kind= alone";
	led = calloc(1, sizeof *led);
	if (!led)
		return "out of memory";
	led->name = name;
	*state = led;
	return NULL;
}

static int led_log_set(void *state, bool lit, char why[LED_WHY_MAX])
{
	struct led_log *led = state;

	led->lit = lit;
	syslog(LOG_INFO, "LED %s%sStatus: %s", led->name, *led->name ? " " : "",
		lit ? "On" : "Off");
	return 0;
}

static int led_log_get(void *state, char why[LED_WHY_MAX])
{
	const struct led_log *led = state;

	return led->lit;
}

static void led_log_close(void *state)
{
}

const struct led_backend LED_LOG = {
	.name = "log",
	.parse = led_log_parse,
	.open = led_log_set,
	.set = led_log_set,
	.get = led_log_get,
	.close = led_log_close,
};
