/* SPDX-License-Identifier: MIT */

/* Buttons: finds the backend of a SPEC, and hands on to it. */

#include "contact.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spec.h"

static const struct contact_backend *const BACKENDS[] = {
	&CONTACT_GPIO, &CONTACT_FIFO, &CONTACT_INPUT};

struct contact {
	const struct contact_backend *backend;
	const char *spec;
	void *state;
	bool open;
};

struct contact *contact_create(const char *spec, const char **why)
{
	struct contact *contact = calloc(1, sizeof *contact);
	const char *argument;

	if (!contact) {
		*why = strerror(ENOMEM);
		return NULL;
	}
	contact->spec = spec;
	*why = "a button is gpio:LINE, gpio:CHIP/OFFSET, input:DEVICE or fifo:PATH";
	for (size_t i = 0; i < sizeof BACKENDS / sizeof *BACKENDS; i++) {
		if (!spec_is_for(spec, BACKENDS[i]->name, &argument))
			continue;
		contact->backend = BACKENDS[i];
		*why = BACKENDS[i]->parse(argument, &contact->state);
	}
	if (*why) {
		free(contact);
		return NULL;
	}
	return contact;
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
	free(contact);
}
