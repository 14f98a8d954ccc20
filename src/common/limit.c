/* SPDX-License-Identifier: MIT */

/* A limit on lines of the log, and the count of those that were left out. */

#include "limit.h"

#include <stdlib.h>
#include <syslog.h>

#include "clock.h"
#include "timer.h"

#define BURST 1000
#define INTERVAL_USEC 10000000ULL
#define ACCURACY_USEC 10000

struct limit {
	sd_event_source *timer;
	const char *what;
	uint64_t began; /* microseconds of CLOCK_MONOTONIC */
	unsigned n;     /* since then, with those that had no line */
};

static void log_left_out(struct limit *limit)
{
	if (limit->n > BURST)
		syslog(LOG_WARNING, "%u %s more than the log's limit", limit->n - BURST,
			limit->what);
	limit->n = 0;
}

static int on_interval(sd_event_source *source, uint64_t usec, void *userdata)
{
	log_left_out(userdata);
	return 0;
}

struct limit *limit_create(sd_event *event, const char *what)
{
	struct limit *limit = calloc(1, sizeof *limit);

	if (!limit)
		return NULL;
	limit->what = what;
	if (timer_add(event, &limit->timer, ACCURACY_USEC, on_interval, limit) >= 0)
		return limit;
	free(limit);
	return NULL;
}

bool limit_take(struct limit *limit)
{
	uint64_t now = clock_usec();

	if (limit->n <= BURST && now - limit->began >= INTERVAL_USEC) {
		limit->began = now;
		limit->n = 0;
	}
	if (++limit->n == BURST + 1)
		timer_start_at(limit->timer, limit->began + INTERVAL_USEC);
	return limit->n <= BURST;
}

void limit_destroy(struct limit *limit)
{
	if (!limit)
		return;
	log_left_out(limit);
	sd_event_source_disable_unref(limit->timer);
	free(limit);
}
