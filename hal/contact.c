/* SPDX-License-Identifier: MIT */
#include "contact.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct contact_backend *const BACKENDS[] = {&CONTACT_GPIO, &CONTACT_FIFO};

struct contact {
	const struct contact_backend *backend;
	char *spec;
	void *state;
	bool open;
};

static struct contact *create(const struct contact_backend *backend, const char *spec, void *state)
{
	struct contact *contact = calloc(1, sizeof *contact);
	char *copy = strdup(spec);

	if (!contact || !copy) {
		free(contact);
		free(copy);
		free(state);
		return NULL;
	}
	contact->backend = backend;
	contact->spec = copy;
	contact->state = state;
	return contact;
}

struct contact *contact_create(const char *spec, const char **why)
{
	size_t length = strcspn(spec, ":");
	const char *argument = spec[length] ? spec + length + 1 : NULL;
	struct contact *contact;
	void *state;

	for (size_t i = 0; i < sizeof BACKENDS / sizeof *BACKENDS; i++) {
		const struct contact_backend *backend = BACKENDS[i];

		if (strncmp(spec, backend->name, length) != 0 || backend->name[length])
			continue;
		*why = backend->parse(argument, &state);
		if (*why)
			return NULL;
		contact = create(backend, spec, state);
		if (!contact)
			*why = strerror(ENOMEM);
		return contact;
	}
	*why = "a button is gpio:LINE, gpio:CHIP/OFFSET or fifo:PATH";
	return NULL;
}

const char *contact_spec(const struct contact *contact)
{
	return contact->spec;
}

bool contact_bounces(const struct contact *contact)
{
	return contact->backend->bounces;
}

int contact_open(struct contact *contact, char why[CONTACT_WHY_MAX])
{
	int r = contact->backend->open(contact->state, why);

	contact->open = r >= 0;
	return r;
}

int contact_fd(const struct contact *contact)
{
	return contact->backend->fd(contact->state);
}

bool contact_is_closed(const struct contact *contact)
{
	return contact->backend->is_closed && contact->backend->is_closed(contact->state);
}

int contact_next(struct contact *contact, struct contact_event *event, char why[CONTACT_WHY_MAX])
{
	return contact->backend->next(contact->state, event, why);
}

void contact_close(struct contact *contact)
{
	if (contact->open)
		contact->backend->close(contact->state);
	contact->open = false;
}

void contact_destroy(struct contact *contact)
{
	if (!contact)
		return;
	contact_close(contact);
	free(contact->state);
	free(contact->spec);
	free(contact);
}
