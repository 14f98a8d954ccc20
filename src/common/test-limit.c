/* SPDX-License-Identifier: MIT */
#include "limit.h"

#include "logged.h"
#include "tap.h"
#include "timers.h"

#define LINES 1000
#define INTERVAL_USEC 10000000ULL

static sd_event *event;
static struct limit *limit;

/* Returns how many of n lines are taken. */
static int take(int n)
{
	int taken = 0;

	for (int i = 0; i < n; i++)
		taken += limit_take(limit);
	return taken;
}

TEST("so many lines in an interval, and the number of the others at its end")
{
	limit = limit_create(event, "commands");
	CHECK(take(LINES) == LINES);
	CHECK(take(1) == 0);
	timers_pass(INTERVAL_USEC / 2);
	CHECK(take(41) == 0);
	timers_pass(INTERVAL_USEC / 2 - 1);
	CHECK(take(1) == 0);
	CHECK_TEXT(logged(), "");
	timers_pass(1);
	CHECK_TEXT(logged(), "43 commands more than the log's limit\n");
	CHECK(take(2 * LINES) == LINES);
	timers_pass(INTERVAL_USEC);
	CHECK_TEXT(logged(), "1000 commands more than the log's limit\n");
	timers_pass(INTERVAL_USEC);
	CHECK_TEXT(logged(), "");
	limit_destroy(limit);
	CHECK_TEXT(logged(), "");
}

TEST("an interval begins with a line, not with the end of the one before")
{
	limit = limit_create(event, "commands");
	CHECK(take(LINES) == LINES);
	timers_pass(3 * INTERVAL_USEC + INTERVAL_USEC / 2);
	CHECK(take(LINES) == LINES);
	timers_pass(INTERVAL_USEC - 1);
	CHECK(take(1) == 0);
	timers_pass(1);
	CHECK(take(LINES) == LINES);
	CHECK_TEXT(logged(), "1 commands more than the log's limit\n");
	limit_destroy(limit);
	CHECK_TEXT(logged(), "");
}

TEST("none is lost to a loop that is late")
{
	limit = limit_create(event, "commands");
	take(LINES + 5);
	timers_now += 2 * INTERVAL_USEC;
	CHECK(take(1) == 0);
	timers_pass(0);
	CHECK_TEXT(logged(), "6 commands more than the log's limit\n");
	CHECK(take(1) == 1);
	limit_destroy(limit);
	CHECK_TEXT(logged(), "");
}

TEST("what has not been counted yet is logged at the end of the program")
{
	limit = limit_create(event, "changes");
	take(LINES + 5);
	limit_destroy(limit);
	CHECK_TEXT(logged(), "5 changes more than the log's limit\n");
	CHECK(timers_running() == 0);
	limit_destroy(NULL);
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
