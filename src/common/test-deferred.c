/* SPDX-License-Identifier: MIT */
#include "deferred.h"

#include <string.h>

#include "tap.h"

static sd_event *event;
static char done[8], x[] = "x", one[] = "1", two[] = "2";

static int on_done(sd_event_source *source, void *userdata)
{
	strcat(done, userdata);
	return 0;
}

/* Runs the loop until nothing is left to do. */
static void run(void)
{
	while (sd_event_run(event, 0) > 0)
		;
}

TEST("it is not done at first, and once after each start")
{
	sd_event_source *source;

	*done = '\0';
	CHECK(deferred_add(event, &source, SD_EVENT_PRIORITY_NORMAL, on_done, x) == 0);
	run();
	CHECK_TEXT(done, "");
	deferred_start(source);
	deferred_start(source);
	run();
	CHECK_TEXT(done, "x");
	deferred_start(source);
	run();
	CHECK_TEXT(done, "xx");
	sd_event_source_disable_unref(source);
}

TEST("what has a lower priority is done first")
{
	sd_event_source *first, *last;

	*done = '\0';
	CHECK(deferred_add(event, &last, SD_EVENT_PRIORITY_IDLE, on_done, two) == 0);
	CHECK(deferred_add(event, &first, SD_EVENT_PRIORITY_NORMAL, on_done, one) == 0);
	deferred_start(last);
	deferred_start(first);
	run();
	CHECK_TEXT(done, "12");
	sd_event_source_disable_unref(first);
	sd_event_source_disable_unref(last);
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
