/* SPDX-License-Identifier: MIT */

/* gpio:LINE, an LED on a GPIO line. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "led.h"
#include "line.h"

_Static_assert(LED_WHY_MAX >= LINE_WHY_MAX, "a line's reason is handed on as it is");

struct led_gpio {
	struct line_spec spec;
	struct line *line;
};

static const char *led_gpio_parse(const char *name, const char *argument, void **state)
{
	struct led_gpio *led = calloc(1, sizeof *led);
	const char *why;

	if (!led)
		return "out of memory";
	why = line_spec_parse(argument, LINE_OUTPUT, &led->spec);
	if (why)
		free(led);
	else
		*state = led;
	return why;
}

static int led_gpio_open(void *state, bool lit, char why[LED_WHY_MAX])
{
	struct led_gpio *led = state;

	return line_request_output(&led->spec, lit, &led->line, why);
}

static int led_gpio_adopt(void *state, int fd)
{
	struct led_gpio *led = state;

	return line_adopt(fd, &led->line);
}

/* ENODEV: its chip is gone. Anything else is a transfer to an expander that has failed. */
static int complain(const struct led_gpio *led, int r, char why[LED_WHY_MAX])
{
	if (r < 0)
		snprintf(why, LED_WHY_MAX, "GPIO line %s%s: %s", led->spec.name,
			r == -ENODEV ? " is gone" : "", strerror(-r));
	return r;
}

static int led_gpio_set(void *state, bool lit, char why[LED_WHY_MAX])
{
	const struct led_gpio *led = state;

	return complain(led, line_set(led->line, lit), why);
}

static int led_gpio_get(void *state, char why[LED_WHY_MAX])
{
	const struct led_gpio *led = state;

	return complain(led, line_get(led->line), why);
}

static int led_gpio_fd(const void *state)
{
	const struct led_gpio *led = state;

	return line_fd(led->line);
}

static void led_gpio_close(void *state)
{
	struct led_gpio *led = state;

	line_release(led->line);
}

const struct led_backend LED_GPIO = {
	.name = "gpio",
	.parse = led_gpio_parse,
	.open = led_gpio_open,
	.adopt = led_gpio_adopt,
	.set = led_gpio_set,
	.get = led_gpio_get,
	.fd = led_gpio_fd,
	.close = led_gpio_close,
};
