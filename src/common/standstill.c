/* SPDX-License-Identifier: MIT */

/* The event loop around stillness.c. */

#include "standstill.h"

#include <stdlib.h>
#include <sys/signalfd.h>

#include "clock.h"
#include "command.h"
#include "deferred.h"
#include "stillness.h"
#include "timer.h"

/* After everything else: all connections have been accepted then. */
#define LAST_PRIORITY (SD_EVENT_PRIORITY_IDLE + 1)

/*
 * A client that sends without end may leave no moment in which everything has been read. What came
 * before the standstill has had its turn after this time, too.
 */
#define CAUGHT_UP_USEC (COMMAND_LATE_MS * 1000ULL)
#define ACCURACY_USEC 100000

struct standstill {
	struct stillness stillness;
	sd_event_source *continued, *caught_up, *over;
	void (*stood_still)(void *userdata, bool may_be_late);
	void *userdata;
};

static void notice(struct standstill *standstill, bool may_be_late)
{
	if (!may_be_late)
		return;
	deferred_start(standstill->caught_up);
	timer_start(standstill->over, CAUGHT_UP_USEC);
	standstill->stood_still(standstill->userdata, true);
}

static int on_wait(sd_event_source *source, void *userdata)
{
	struct standstill *standstill = userdata;
	uint64_t woken;

	if (sd_event_now(sd_event_source_get_event(source), CLOCK_MONOTONIC, &woken) == 0)
		notice(standstill, stillness_sleep(&standstill->stillness, woken, clock_usec()));
	return 0;
}

static int on_continued(
	sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct standstill *standstill = userdata;

	notice(standstill, stillness_continue(&standstill->stillness, clock_usec()));
	return 0;
}

static void catch_up(const struct standstill *standstill)
{
	sd_event_source_set_enabled(standstill->caught_up, SD_EVENT_OFF);
	timer_stop(standstill->over);
	standstill->stood_still(standstill->userdata, false);
}

static int on_caught_up(sd_event_source *source, void *userdata)
{
	catch_up(userdata);
	return 0;
}

static int on_over(sd_event_source *source, uint64_t usec, void *userdata)
{
	catch_up(userdata);
	return 0;
}

struct standstill *standstill_create(
	sd_event *event, void (*stood_still)(void *userdata, bool may_be_late), void *userdata)
{
	struct standstill *standstill = calloc(1, sizeof *standstill);
	int r;

	if (!standstill)
		return NULL;
	standstill->stood_still = stood_still;
	standstill->userdata = userdata;
	r = sd_event_add_signal(event, &standstill->continued, SIGCONT | SD_EVENT_SIGNAL_PROCMASK,
		on_continued, standstill);
	if (r >= 0)
		r = sd_event_source_set_priority(
			standstill->continued, SD_EVENT_PRIORITY_IMPORTANT);
	if (r >= 0)
		r = sd_event_source_set_prepare(standstill->continued, on_wait);
	if (r >= 0)
		r = deferred_add(
			event, &standstill->caught_up, LAST_PRIORITY, on_caught_up, standstill);
	if (r >= 0)
		r = timer_add(event, &standstill->over, ACCURACY_USEC, on_over, standstill);
	if (r < 0) {
		standstill_destroy(standstill);
		return NULL;
	}
	return standstill;
}

void standstill_connected(struct standstill *standstill, uint64_t usec)
{
	notice(standstill, stillness_connected(usec));
}

void standstill_destroy(struct standstill *standstill)
{
	if (!standstill)
		return;
	sd_event_source_disable_unref(standstill->continued);
	sd_event_source_disable_unref(standstill->caught_up);
	sd_event_source_disable_unref(standstill->over);
	free(standstill);
}
