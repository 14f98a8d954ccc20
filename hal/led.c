/* SPDX-License-Identifier: MIT */

/* An LED: finds its backend, and knows whether it is open. */

#include "led.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spec.h"

static const struct led_backend *const BACKENDS[] = {&LED_GPIO, &LED_CLASS, &LED_LOG};

struct led {
	const struct led_backend *backend;
	void *state;
	bool open;
};

struct led *led_create(const char *name, const char *spec, const char **why)
{
	struct led *led = calloc(1, sizeof *led);
	const char *argument;

	if (!led) {
		*why = strerror(ENOMEM);
		return NULL;
	}
	*why = "an LED is " LED_SPECS;
	for (size_t i = 0; i < sizeof BACKENDS / sizeof *BACKENDS; i++) {
		if (!spec_is_for(spec, BACKENDS[i]->name, &argument))
			continue;
		led->backend = BACKENDS[i];
		*why = BACKENDS[i]->parse(name, argument, &led->state);
	}
	if (*why) {
		free(led);
		return NULL;
	}
	return led;
}

int led_open(struct led *led, bool lit, char why[LED_WHY_MAX])
{
	int r = led->open ? 0 : led->backend->open(led->state, lit, why);

	led->open = r >= 0;
	return r;
}

int led_adopt(struct led *led, int fd)
{
	int r = led->backend->adopt ? led->backend->adopt(led->state, fd) : -EOPNOTSUPP;

	led->open = r >= 0;
	return r;
}

int led_resume(struct led *led, char why[LED_WHY_MAX])
{
	int r = led->backend->resume ? led->backend->resume(led->state, why) : -EOPNOTSUPP;

	led->open = r >= 0;
	return r;
}

bool led_is_open(const struct led *led)
{
	return led->open;
}

int led_set(struct led *led, bool lit, char why[LED_WHY_MAX])
{
	return led->backend->set(led->state, lit, why);
}

int led_get(struct led *led, char why[LED_WHY_MAX])
{
	return led->backend->get(led->state, why);
}

int led_fd(const struct led *led)
{
	return led->open && led->backend->fd ? led->backend->fd(led->state) : -1;
}

void led_close(struct led *led)
{
	if (led->open)
		led->backend->close(led->state);
	led->open = false;
}

void led_destroy(struct led *led)
{
	if (!led)
		return;
	led_close(led);
	free(led->state);
	free(led);
}
