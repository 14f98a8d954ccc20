/* SPDX-License-Identifier: MIT */
#include "led.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct led_backend *const BACKENDS[] = {&LED_GPIO, &LED_CLASS, &LED_LOG};

struct led {
	const struct led_backend *backend;
	char *spec;
	void *state;
	bool open;
};

static struct led *create(const struct led_backend *backend, const char *spec, void *state)
{
	struct led *led = calloc(1, sizeof *led);
	char *copy = strdup(spec);

	if (!led || !copy) {
		free(led);
		free(copy);
		free(state);
		return NULL;
	}
	led->backend = backend;
	led->spec = copy;
	led->state = state;
	return led;
}

struct led *led_create(const char *spec, const char **why)
{
	size_t length = strcspn(spec, ":");
	const char *argument = spec[length] ? spec + length + 1 : NULL;
	struct led *led;
	void *state;

	for (size_t i = 0; i < sizeof BACKENDS / sizeof *BACKENDS; i++) {
		const struct led_backend *backend = BACKENDS[i];

		if (strncmp(spec, backend->name, length) != 0 || backend->name[length])
			continue;
		*why = backend->parse(argument, &state);
		if (*why)
			return NULL;
		led = create(backend, spec, state);
		if (!led)
			*why = strerror(ENOMEM);
		return led;
	}
	*why = "an LED is gpio:LINE, gpio:CHIP/OFFSET, leds:NAME or log";
	return NULL;
}

const char *led_spec(const struct led *led)
{
	return led->spec;
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
	free(led->spec);
	free(led);
}
