/* SPDX-License-Identifier: MIT */
#ifndef TIMER_H
#define TIMER_H

/* Timers of an event loop that are started, stopped and started again: sd_event_add_time(3). */

#include <systemd/sd-event.h>

/*
 * Adds a timer, which is stopped.
 *
 * timer: set to the source, for the caller to unref
 * accuracy_usec: how late it may be, in microseconds
 * Returns 0 or a negative errno.
 */
int timer_add(sd_event *event, sd_event_source **timer, uint64_t accuracy_usec,
	sd_event_time_handler_t handler, void *userdata);

/* Starts a timer, or starts it again. It expires once, at this time of clock_usec(). */
void timer_start_at(sd_event_source *timer, uint64_t usec);

/* The same; it expires this many microseconds from now. */
void timer_start(sd_event_source *timer, uint64_t usec);

/* Starts a timer, unless it is running: what follows the first change joins it. */
void timer_start_if_stopped(sd_event_source *timer, uint64_t usec);

void timer_stop(sd_event_source *timer);

#endif
