/* SPDX-License-Identifier: MIT */

/* Starts and stops timers of an event loop. */

#include "timer.h"

#include "clock.h"

int timer_add(sd_event *event, sd_event_source **timer, uint64_t accuracy_usec,
	sd_event_time_handler_t handler, void *userdata)
{
	int r = sd_event_add_time(
		event, timer, CLOCK_MONOTONIC, 0, accuracy_usec, handler, userdata);

	return r < 0 ? r : sd_event_source_set_enabled(*timer, SD_EVENT_OFF);
}

void timer_start_at(sd_event_source *timer, uint64_t usec)
{
	sd_event_source_set_time(timer, usec);
	sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

void timer_start(sd_event_source *timer, uint64_t usec)
{
	timer_start_at(timer, clock_usec() + usec);
}

void timer_start_if_stopped(sd_event_source *timer, uint64_t usec)
{
	int enabled = SD_EVENT_OFF;

	sd_event_source_get_enabled(timer, &enabled);
	if (enabled == SD_EVENT_OFF)
		timer_start(timer, usec);
}

void timer_stop(sd_event_source *timer)
{
	sd_event_source_set_enabled(timer, SD_EVENT_OFF);
}
