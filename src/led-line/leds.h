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
#include "news.h"

struct leds;

/* Room for what leds_line() writes, a newline, and ANSWER_UNLOGGED. */
#define LEDS_LINE_MAX 256

/* Room for what is wrong with the settings: the status has all LEDs that work beside it. */
#define LEDS_WRONG_MAX 3000

/*
 * Creates a collection without LEDs.
 *
 * clock: as commands tell their time; kept by the caller
 * wrong: what is wrong with the settings, for the status, in LEDS_WRONG_MAX; "" if nothing is; kept
 *     by the caller. As long as something is, words in the state file stay that are no LED's.
 * Returns NULL when memory is short.
 */
struct leds *leds_create(sd_event *event, const struct arrival_clock *clock, const char *wrong);

/*
 * Adds an LED. There are never more than LEDS_MAX.
 *
 * definition, led: kept by the caller
 * Returns 0 or a negative errno.
 */
int leds_add(struct leds *leds, const struct definition *definition, struct led *led);

/* There is another LED in the settings, which is left out because they are wrong. */
void leds_leave_out(struct leds *leds);

/* As holder_inherit(), for whichever LED it belongs to. */
bool leds_inherit(struct leds *leds, int fd, const char *name);

/*
 * Opens the LEDs, after everything inherited has been offered. Failures are logged and retried.
 *
 * let_go: whether descriptors have just been removed from the store: one of them may have a line,
 *     which is waited for then, for at most a second
 * Returns 0 or a negative errno.
 */
int leds_start(struct leds *leds, bool let_go);

/* Says to the service manager that led-line is ready, and how the LEDs are. */
void leds_ready(const struct leds *leds);

/*
 * Carries out a command, or answers it. LED WATCH is not among them: watchers.h.
 *
 * request: with its time set, in milliseconds of arrival_ms()
 * answer: to be filled in, without a newline
 * Returns false when nobody can know whether it was carried out: then answer is for the log,
 * and the client has none.
 */
bool leds_carry_out(struct leds *leds, const struct request *request, char answer[ANSWER_MAX]);

/* Whether there is no LED, since all are wrong and left out: each command is refused. */
bool leds_are_none(const struct leds *leds);

/* Has a function called at each change of leds_shown(), and possibly more often. */
void leds_on_change(struct leds *leds, void (*changed)(void *userdata), void *userdata);

/*
 * Finds the LED of a command.
 *
 * number: set to its number from 0, in the order of the configuration
 * answer: set to the answer that refuses the command, if there is no such LED
 * Returns whether there is one.
 */
bool leds_find(
	const struct leds *leds, const char *name, unsigned *number, char answer[ANSWER_MAX]);

/* What each LED shows, as it was last read from the hardware. Returns how many LEDs there are. */
unsigned leds_shown(const struct leds *leds, struct showing shown[LEDS_MAX]);

/* Writes what a watcher is sent: "OK LED kitchen ON" or "ERR kitchen: reason". */
void leds_line(const struct leds *leds, unsigned number, char line[LEDS_LINE_MAX]);

/*
 * Has a function called as soon as the state file has the newest states, or could not be written;
 * at once, if that is so already.
 */
void leds_flush(struct leds *leds, void (*flushed)(void *userdata), void *userdata);

/*
 * Has the state file written if it is not up to date.
 *
 * Returns whether it was, or could not be written the last time
 */
bool leds_are_saved(struct leds *leds);

/* Waits for nothing: leds_flush() comes first. No LED is touched. */
void leds_destroy(struct leds *leds);

#endif
