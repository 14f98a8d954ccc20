/* SPDX-License-Identifier: MIT */
#ifndef TIMERS_H
#define TIMERS_H

/*
 * The functions of clock.h and timer.h, with a time that passes only when the test says so. The
 * sources are real ones, but the loop never runs them.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "clock.h"
#include "timer.h"

static uint64_t timers_now = 1000000000;

static struct fake_timer {
	sd_event_source *source; /* or NULL: it is unused */
	sd_event_time_handler_t handler;
	void *userdata;
	bool running;
	uint64_t at;
} timers[128];

#define TIMERS_END (timers + sizeof timers / sizeof *timers)

static inline struct fake_timer *timers_find(const sd_event_source *source)
{
	struct fake_timer *timer = timers;

	while (timer < TIMERS_END && timer->source != source)
		timer++;
	if (timer == TIMERS_END)
		abort();
	return timer;
}

static inline int timers_never(sd_event_source *source, void *userdata)
{
	abort();
}

static inline void timers_forget(void *timer)
{
	*(struct fake_timer *)timer = (struct fake_timer){0};
}

/* Lets time pass, and runs the timers that expire in it, in their order. */
static inline void timers_pass(uint64_t usec)
{
	uint64_t end = timers_now + usec;

	for (;;) {
		struct fake_timer *next = NULL;

		for (struct fake_timer *timer = timers; timer < TIMERS_END; timer++)
			if (timer->running && timer->at <= end && (!next || timer->at < next->at))
				next = timer;
		if (!next)
			break;
		if (next->at > timers_now)
			timers_now = next->at;
		next->running = false;
		next->handler(next->source, timers_now, next->userdata);
	}
	timers_now = end;
}

/* Returns how many are running. */
static inline unsigned timers_running(void)
{
	unsigned n = 0;

	for (struct fake_timer *timer = timers; timer < TIMERS_END; timer++)
		n += timer->running;
	return n;
}

uint64_t clock_usec(void)
{
	return timers_now;
}

int timer_add(sd_event *event, sd_event_source **source, uint64_t accuracy_usec,
	sd_event_time_handler_t handler, void *userdata)
{
	struct fake_timer *timer = timers_find(NULL);
	int r = sd_event_add_defer(event, source, timers_never, timer);

	if (r < 0)
		return r;
	*timer = (struct fake_timer){*source, handler, userdata, false, 0};
	sd_event_source_set_destroy_callback(*source, timers_forget);
	return sd_event_source_set_enabled(*source, SD_EVENT_OFF);
}

void timer_start_at(sd_event_source *source, uint64_t usec)
{
	struct fake_timer *timer = timers_find(source);

	timer->running = true;
	timer->at = usec;
}

void timer_start(sd_event_source *source, uint64_t usec)
{
	timer_start_at(source, timers_now + usec);
}

void timer_start_if_stopped(sd_event_source *source, uint64_t usec)
{
	if (!timers_find(source)->running)
		timer_start(source, usec);
}

void timer_stop(sd_event_source *source)
{
	timers_find(source)->running = false;
}

#endif
