/* SPDX-License-Identifier: MIT */
#ifndef STATUS_H
#define STATUS_H

/* What systemctl status says of a program: the STATUS= of sd_notify(3). */

#include <stddef.h>
#include <systemd/sd-event.h>

/* Room for the text: the service manager takes no longer message. */
#define STATUS_MAX 4000

struct status;

/*
 * Creates a status that is sent a moment after it has changed, once for a batch of changes.
 *
 * write: writes the text, without a newline, when it is to be sent
 * Returns NULL when memory is short.
 */
struct status *status_create(
	sd_event *event, void (*write)(void *userdata, char text[STATUS_MAX]), void *userdata);

/* Says that the service is ready, and sends the text in the same message. */
void status_ready(struct status *status);

/* The text may be another one now: has it written and sent in a moment. */
void status_changed(struct status *status);

/* Sends nothing more. */
void status_destroy(struct status *status);

#endif
