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

/* What a watcher sees of an LED. */
enum shown {
	SHOWN_NOTHING, /* not yet */
	SHOWN_OFF,
	SHOWN_ON,
	SHOWN_TROUBLE, /* its hardware does not work */
};

/* Room for what leds_line() writes, a newline, and ANSWER_UNLOGGED. */
#define LEDS_LINE_MAX 256

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
 * definition, led: kept by the caller
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

/*
 * Carries out a command, or answers it. LED WATCH is not among them: watchers.h.
 *
 * request: with its time set, in milliseconds of arrival_ms()
 * answer: to be filled in, without a newline
 * Returns false when nobody can know whether it was carried out: then answer is for the log,
 * and the client has none.
 */
bool leds_carry_out(struct leds *leds, const struct request *request, char answer[ANSWER_MAX]);

/* Has a function called at each change of what leds_shown() returns, and possibly more often. */
void leds_on_change(struct leds *leds, void (*changed)(void *userdata), void *userdata);

/*
 * Finds the LED of a command.
 *
 * answer: set to the answer that refuses the command, if there is no such LED
 * Returns its number from 0, in the order of the configuration, or LEDS_MAX.
 */
unsigned leds_find(const struct leds *leds, const char *name, char answer[ANSWER_MAX]);

unsigned leds_count(const struct leds *leds);

enum shown leds_shown(const struct leds *leds, unsigned number);

/* Writes what a watcher is told: "OK LED kitchen ON" or "ERR kitchen: reason". */
void leds_line(const struct leds *leds, unsigned number, char line[LEDS_LINE_MAX]);

/* Saves what is not saved yet. No LED is touched. */
void leds_destroy(struct leds *leds);

#endif
