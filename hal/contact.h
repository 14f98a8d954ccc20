/* SPDX-License-Identifier: MIT */
#ifndef BUTTON_H
#define BUTTON_H

/*
 * A button, whatever it is made of. SPEC is BACKEND:ARGUMENT.
 *
 * Functions that can fail return 0 (or a value) and a negative errno; why is then
 * one line for the administrator.
 */

#include <stdbool.h>
#include <stdint.h>

/* Room for a reason. */
#define BUTTON_WHY_MAX 200

struct button;

/* The contact closed or opened. */
struct button_event {
	uint64_t at; /* microseconds of CLOCK_MONOTONIC */
	bool pressed;
};

/* What a backend is: one file in hal/, one entry in hal/contact.c. */
struct button_backend {
	const char *name;
	bool bounces; /* its events are edges of a contact, and want debouncing */

	/* As in struct led_backend. */
	const char *(*parse)(const char *argument, void **state);

	int (*open)(void *state, char why[BUTTON_WHY_MAX]);
	int (*fd)(const void *state);

	/* Whether the contact is closed now. NULL: it never stays so. */
	bool (*pressed)(const void *state);

	/* As button_next(). */
	int (*next)(void *state, struct button_event *event, char why[BUTTON_WHY_MAX]);

	void (*close)(void *state);
};

extern const struct button_backend BUTTON_GPIO, BUTTON_FIFO;

/*
 * Creates a button from SPEC; it is not open yet.
 *
 * Returns it, or NULL with *why set to a constant reason.
 */
struct button *button_create(const char *spec, const char **why);

/* The SPEC it was created from. */
const char *button_spec(const struct button *button);

bool button_bounces(const struct button *button);

int button_open(struct button *button, char why[BUTTON_WHY_MAX]);

/* The rest is for a button that is open. */

/* The descriptor to poll for input. */
int button_fd(const struct button *button);

/* Whether the contact is closed, at opening or as of the last event. */
bool button_pressed(const struct button *button);

/*
 * Takes the next event, in the order in which they happened.
 *
 * Returns 1, 0 if there is none now, or a negative errno when the button is gone.
 */
int button_next(struct button *button, struct button_event *event, char why[BUTTON_WHY_MAX]);

void button_close(struct button *button);
void button_destroy(struct button *button);

#endif
