/* SPDX-License-Identifier: MIT */

/* gpio:LINE, a contact between a GPIO line and ground, or 3.3 V with ,active-high. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contact.h"
#include "line.h"

_Static_assert(BUTTON_WHY_MAX >= LINE_WHY_MAX, "a line's reason is handed on as it is");

struct button_gpio {
	struct line_spec spec;
	struct line *line;
	bool pressed;
};

static const char *button_gpio_parse(const char *argument, void **state)
{
	struct button_gpio *button = calloc(1, sizeof *button);
	const char *why;

	if (!button)
		return "out of memory";
	why = line_spec_parse(argument, true, &button->spec);
	if (why)
		free(button);
	else
		*state = button;
	return why;
}

static int button_gpio_open(void *state, char why[BUTTON_WHY_MAX])
{
	struct button_gpio *button = state;
	int r = line_request_edges(&button->spec, &button->line, why);

	if (r >= 0)
		button->pressed = line_get(button->line) == 1;
	return r;
}

static int button_gpio_fd(const void *state)
{
	const struct button_gpio *button = state;

	return line_fd(button->line);
}

static bool button_gpio_pressed(const void *state)
{
	const struct button_gpio *button = state;

	return button->pressed;
}

static int button_gpio_next(void *state, struct button_event *event, char why[BUTTON_WHY_MAX])
{
	struct button_gpio *button = state;
	struct line_edge edge;
	int r = line_next_edge(button->line, &edge);

	if (r < 0)
		snprintf(why, BUTTON_WHY_MAX, "GPIO line %s is gone: %s", button->spec.name,
			strerror(-r));
	if (r > 0) {
		button->pressed = edge.active;
		*event = (struct button_event){edge.at, edge.active};
	}
	return r;
}

static void button_gpio_close(void *state)
{
	struct button_gpio *button = state;

	line_release(button->line);
}

const struct button_backend BUTTON_GPIO = {
	.name = "gpio",
	.bounces = true,
	.parse = button_gpio_parse,
	.open = button_gpio_open,
	.fd = button_gpio_fd,
	.pressed = button_gpio_pressed,
	.next = button_gpio_next,
	.close = button_gpio_close,
};
