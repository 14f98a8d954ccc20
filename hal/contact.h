/* SPDX-License-Identifier: MIT */
#ifndef CONTACT_H
#define CONTACT_H

/*
 * The contact of a button: a GPIO line, a FIFO or a key. SPEC is BACKEND:ARGUMENT.
 *
 * Functions that can fail return 0 (or a value) and a negative errno; why is then one line for the
 * administrator.
 */

#include <stdbool.h>
#include <stdint.h>

/* Room for a reason. */
#define CONTACT_WHY_MAX 200

struct contact;

/* The contact closed or opened. */
struct contact_event {
	uint64_t at; /* microseconds of CLOCK_MONOTONIC */
	bool closed;
};

/* What a backend is: one file in hal/, one entry in hal/contact.c. */
struct contact_backend {
	const char *name;
	bool bounces; /* its events are edges of a real contact, which have to be debounced */

	/* As in struct led_backend. */
	const char *(*parse)(const char *argument, void **state);

	int (*open)(void *state, char why[CONTACT_WHY_MAX]);
	int (*fd)(const void *state);

	/* As contact_is_closed(). NULL: it never stays closed. */
	bool (*is_closed)(const void *state);

	/* As contact_next(). */
	int (*next)(void *state, struct contact_event *event, char why[CONTACT_WHY_MAX]);

	void (*close)(void *state);
};

extern const struct contact_backend CONTACT_GPIO, CONTACT_FIFO, CONTACT_INPUT;

/*
 * Creates a button from SPEC; it is not open yet.
 *
 * spec: kept by the caller
 * Returns it, or NULL with *why set to a constant reason.
 */
struct contact *contact_create(const char *spec, const char **why);

/* The SPEC it was created from. */
const char *contact_spec(const struct contact *contact);

bool contact_bounces(const struct contact *contact);

int contact_open(struct contact *contact, char why[CONTACT_WHY_MAX]);

/* The rest is for a button that is open. */

/* The descriptor to poll for input. */
int contact_fd(const struct contact *contact);

/* Whether the contact is closed, at opening or as of the last event. */
bool contact_is_closed(const struct contact *contact);

/*
 * Takes the next event, in the order in which they happened.
 *
 * Returns 1, 0 if there is none now, or a negative errno when the button is gone.
 */
int contact_next(struct contact *contact, struct contact_event *event, char why[CONTACT_WHY_MAX]);

void contact_close(struct contact *contact);
void contact_destroy(struct contact *contact);

#endif
