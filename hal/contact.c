/* SPDX-License-Identifier: MIT */
#include "contact.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct button_backend *const BACKENDS[] = {&BUTTON_GPIO, &BUTTON_FIFO};

struct button {
	const struct button_backend *backend;
	char *spec;
	void *state;
	bool open;
};

static struct button *create(const struct button_backend *backend, const char *spec, void *state)
{
	struct button *button = calloc(1, sizeof *button);
	char *copy = strdup(spec);

	if (!button || !copy) {
		free(button);
		free(copy);
		free(state);
		return NULL;
	}
	button->backend = backend;
	button->spec = copy;
	button->state = state;
	return button;
}

struct button *button_create(const char *spec, const char **why)
{
	size_t length = strcspn(spec, ":");
	const char *argument = spec[length] ? spec + length + 1 : NULL;
	struct button *button;
	void *state;

	for (size_t i = 0; i < sizeof BACKENDS / sizeof *BACKENDS; i++) {
		const struct button_backend *backend = BACKENDS[i];

		if (strncmp(spec, backend->name, length) != 0 || backend->name[length])
			continue;
		*why = backend->parse(argument, &state);
		if (*why)
			return NULL;
		button = create(backend, spec, state);
		if (!button)
			*why = strerror(ENOMEM);
		return button;
	}
	*why = "a button is gpio:LINE, gpio:CHIP/OFFSET or fifo:PATH";
	return NULL;
}

const char *button_spec(const struct button *button)
{
	return button->spec;
}

bool button_bounces(const struct button *button)
{
	return button->backend->bounces;
}

int button_open(struct button *button, char why[BUTTON_WHY_MAX])
{
	int r = button->backend->open(button->state, why);

	button->open = r >= 0;
	return r;
}

int button_fd(const struct button *button)
{
	return button->backend->fd(button->state);
}

bool button_pressed(const struct button *button)
{
	return button->backend->pressed && button->backend->pressed(button->state);
}

int button_next(struct button *button, struct button_event *event, char why[BUTTON_WHY_MAX])
{
	return button->backend->next(button->state, event, why);
}

void button_close(struct button *button)
{
	if (button->open)
		button->backend->close(button->state);
	button->open = false;
}

void button_destroy(struct button *button)
{
	if (!button)
		return;
	button_close(button);
	free(button->state);
	free(button->spec);
	free(button);
}
