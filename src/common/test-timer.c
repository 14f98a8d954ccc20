/* SPDX-License-Identifier: MIT */
#include "timer.h"

#include "clock.h"
#include "tap.h"

static sd_event *event;
static sd_event_source *timer;
static int expired;

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	CHECK(source == timer && userdata == &expired);
	expired++;
	return 0;
}

static void add(void)
{
	expired = 0;
	CHECK(timer_add(event, &timer, 1, on_timer, &expired) == 0);
}

/* Runs the loop until the timer has expired so many times, or not for a while, in microseconds. */
static void run(int n, uint64_t usec)
{
	while (expired < n && sd_event_run(event, usec) > 0)
		;
}

static bool is_running(void)
{
	int enabled = SD_EVENT_OFF;

	sd_event_source_get_enabled(timer, &enabled);
	return enabled != SD_EVENT_OFF;
}

TEST("it is stopped at first, and expires once after each start")
{
	add();
	run(1, 1000);
	CHECK(expired == 0 && !is_running());
	timer_start(timer, 1000);
	run(1, 1000000);
	CHECK(expired == 1 && !is_running());
	timer_start_at(timer, clock_usec() + 1000);
	run(2, 1000000);
	CHECK(expired == 2);
	timer_start_at(timer, 0);
	run(4, 1000);
	CHECK(expired == 3);
	sd_event_source_disable_unref(timer);
}

TEST("it expires no earlier than at its time, of the clock")
{
	uint64_t at = clock_usec() + 20000;

	add();
	timer_start(timer, 1000000000);
	timer_start_at(timer, at);
	while (expired == 0)
		sd_event_run(event, 1000000);
	CHECK(clock_usec() >= at);
	timer_start(timer, 20000);
	at = clock_usec() + 19000;
	while (expired == 1)
		sd_event_run(event, 1000000);
	CHECK(clock_usec() >= at);
	sd_event_source_disable_unref(timer);
}

TEST("one that runs is started again by a start, and not by what joins it")
{
	uint64_t first = 0, second = 0;

	add();
	timer_start(timer, 1000000000);
	sd_event_source_get_time(timer, &first);
	timer_start_if_stopped(timer, 0);
	sd_event_source_get_time(timer, &second);
	CHECK(first == second);
	run(9, 1000);
	CHECK(expired == 0);
	timer_start(timer, 0);
	run(9, 1000);
	CHECK(expired == 1);
	timer_start_if_stopped(timer, 0);
	run(9, 1000);
	CHECK(expired == 2);
	sd_event_source_disable_unref(timer);
}

TEST("one that is stopped does not expire")
{
	add();
	timer_start(timer, 0);
	timer_stop(timer);
	run(1, 1000);
	CHECK(expired == 0);
	sd_event_source_disable_unref(timer);
}

int main(void)
{
	int failed;

	if (sd_event_new(&event) < 0)
		return 1;
	failed = tap_run();
	sd_event_unref(event);
	return failed;
}
