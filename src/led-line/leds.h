/* SPDX-License-Identifier: MIT */
#ifndef LEDS_H
#define LEDS_H

/*
 * All LEDs of a led-line: finds the LED that a command names, tells the service manager about all
 * of them, and keeps the states of those that begin with their last one.
 */

#include <systemd/sd-event.h>

#include "arrival.h"
#include "command.h"
#include "definition.h"
#include "led.h"

struct leds;

/*
 * Creates a collection without LEDs.
 *
 * clock: as commands tell their time; kept by the caller
 * Returns NULL when memory is short.
 */
struct leds *leds_create(sd_event *event, const struct arrival_clock *clock);

/*
 * Adds an LED. There are never more than LEDS_MAX.
 *
 * definition: kept by the caller
 * led: from now on the collection's
 * Returns 0 or a negative errno.
 */
int leds_add(struct leds *leds, const struct definition *definition, struct led *led);

/* As holder_inherit(), for whichever LED it belongs to. */
bool leds_inherit(struct leds *leds, int fd, const char *name);

/*
 * Opens the LEDs, after everything inherited has been offered. Failures are logged and retried.
 *
 * let_go: whether descriptors have just been removed from the store: one of them may have a line,
 *     which is waited for then, for at most a second
 */
void leds_start(struct leds *leds, bool let_go);

/* Carries out a command: a server_carry_out. */
bool leds_carry_out(void *leds, const struct request *request, char answer[ANSWER_MAX]);

/* Saves what is not saved yet. No LED is touched. */
void leds_destroy(struct leds *leds);

#endif
