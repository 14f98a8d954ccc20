/* SPDX-License-Identifier: MIT */
#ifndef HOLDER_H
#define HOLDER_H

/*
 * Holds one LED: changes it as commands say, puts it out after a pulse, keeps its state over
 * restarts, and gets the hardware back when it has been away.
 */

#include <systemd/sd-event.h>

#include "arrival.h"
#include "command.h"
#include "definition.h"
#include "led.h"
#include "news.h"

struct holder;

/* Called at each change of holder_shown(), holder_trouble() or holder_stays_lit(). */
typedef void (*holder_changed)(void *userdata);

/*
 * Creates a holder of an LED.
 *
 * clock: as commands tell their time; kept by the caller
 * definition, led: kept by the caller. An LED that is wrong is as one whose hardware is missing,
 *     and is not touched; led may be NULL then.
 * Returns NULL when memory is short.
 */
struct holder *holder_create(sd_event *event, const struct arrival_clock *clock,
	const struct definition *definition, struct led *led, holder_changed changed,
	void *userdata);

/* What it was created from. */
const struct definition *holder_definition(const struct holder *holder);

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
 * lit: its first state, where no earlier process left one
 * free_by: until this time of clock_usec(), a busy line is waited for: it may be held by a
 *     descriptor that has just been removed from the store
 */
void holder_start(struct holder *holder, bool lit, uint64_t free_by);

/*
 * Carries out a command, or reads the state.
 *
 * request: VERB_ON, VERB_OFF, VERB_TOGGLE, VERB_PULSE or VERB_STATUS
 * carried_out: set to whether the command has been carried out, now or earlier
 * Returns the state that the hardware has now, 1 or 0, or a negative errno with why set.
 */
int holder_carry_out(struct holder *holder, const struct request *request, bool *carried_out,
	char why[LED_WHY_MAX]);

/* Looks at the hardware: it may have changed. */
void holder_check(struct holder *holder);

/* What was last read from the hardware. */
enum shown holder_shown(const struct holder *holder);

/* What is wrong with the LED, where it shows SHOWN_TROUBLE. */
const char *holder_trouble(const struct holder *holder);

/* How many reasons there have been: another number is another holder_trouble(). */
unsigned holder_reasons(const struct holder *holder);

/* Whether the LED would be lit after a reboot: a pulse does not last so long. */
bool holder_stays_lit(const struct holder *holder);

/* The LED is not touched. */
void holder_destroy(struct holder *holder);

#endif
