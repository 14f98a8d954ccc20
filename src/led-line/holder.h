/* SPDX-License-Identifier: MIT */
#ifndef HOLDER_H
#define HOLDER_H

/*
 * Holds the LED: carries out commands, keeps the state over restarts and reboots,
 * and gets the hardware back when it has been away.
 */

#include <systemd/sd-event.h>

#include "command.h"
#include "led.h"

/* What the LED shows first, when no earlier process left it in some state. */
enum initial {
	INITIAL_OFF,
	INITIAL_ON,
	INITIAL_LAST, /* what the last command left, before a reboot too */
};

struct holder;

/* Creates a holder of an LED, which stays the caller's. Returns NULL when memory is short. */
struct holder *holder_create(sd_event *event, struct led *led, enum initial initial);

/*
 * Offers a descriptor that came out of the service manager's store.
 *
 * name: the name that it was stored under
 * Returns whether it was the holder's own, which it has taken (or closed, if dead).
 */
bool holder_inherit(struct holder *holder, int fd, const char *name);

/*
 * Opens the LED, after everything inherited has been offered. Failures are logged and retried.
 *
 * let_go: whether descriptors have just been removed from the store: one of them may have the line,
 *     which is waited for then, for at most a second
 */
void holder_start(struct holder *holder, bool let_go);

/* Carries out a command: a server_carry_out. */
bool holder_carry_out(void *holder, const struct request *request, char answer[ANSWER_MAX]);

/* Saves what is not saved yet. The LED is not touched. */
void holder_destroy(struct holder *holder);

#endif
