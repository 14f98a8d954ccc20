/* SPDX-License-Identifier: MIT */
#include "standstill.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "stillness.h"
#include "tap.h"

/* --- in place of stillness.c ------------------------------------------------------------ */

static bool late;
static unsigned n_slept, n_continued;

bool stillness_sleep(struct stillness *stillness, uint64_t woken, uint64_t now)
{
	CHECK(woken <= now);
	n_slept++;
	return late;
}

bool stillness_continue(const struct stillness *stillness, uint64_t now)
{
	n_continued++;
	return late;
}

bool stillness_connected(uint64_t usec)
{
	return usec == 7;
}

/* ---------------------------------------------------------------------------------------- */

static sd_event *event;
static struct standstill *standstill;
static char seen[100]; /* S: stood still, c: caught up, r: something was read */

static void on_stood_still(void *userdata, bool may_be_late)
{
	CHECK(userdata == &late);
	strcat(seen, may_be_late ? "S" : "c");
	late = false;
}

static int on_reading(sd_event_source *source, void *userdata)
{
	strcat(seen, "r");
	return 0;
}

/* Something to read, with the lowest priority that anything has. */
static void has_come(void)
{
	sd_event_source *source = NULL;

	CHECK(sd_event_add_defer(event, &source, on_reading, NULL) >= 0);
	CHECK(sd_event_source_set_priority(source, SD_EVENT_PRIORITY_IDLE) >= 0);
	CHECK(sd_event_source_set_floating(source, true) >= 0);
	sd_event_source_unref(source);
}

static void begin(void)
{
	late = false;
	n_slept = n_continued = 0;
	seen[0] = '\0';
	CHECK(sd_event_new(&event) >= 0);
	standstill = standstill_create(event, on_stood_still, &late);
	CHECK(standstill != NULL);
}

static void end(void)
{
	standstill_destroy(standstill);
	event = sd_event_unref(event);
}

static void settle(void)
{
	while (sd_event_run(event, 0) > 0)
		;
}

TEST("each wait is looked at, and one that came late counts until all has been read")
{
	begin();
	has_come();
	settle();
	CHECK_TEXT(seen, "r");
	CHECK(n_slept > 0);
	late = true;
	has_come();
	has_come();
	settle();
	CHECK_TEXT(seen, "rSrrc");
	settle();
	CHECK_TEXT(seen, "rSrrc");
	end();
}

TEST("SIGCONT comes before anything is read")
{
	begin();
	settle();
	has_come();
	kill(getpid(), SIGCONT);
	settle();
	CHECK_TEXT(seen, "r");
	CHECK(n_continued == 1);
	end();
}

TEST("a connection before the start, and an end in between")
{
	begin();
	standstill_connected(standstill, 6);
	CHECK_TEXT(seen, "");
	standstill_connected(standstill, 7);
	has_come();
	settle();
	CHECK_TEXT(seen, "Src");
	standstill_connected(standstill, 7);
	end();
	standstill_destroy(NULL);
}

TAP_MAIN
