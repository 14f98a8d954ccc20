/* SPDX-License-Identifier: MIT */

/* Follows led-line's LEDs: the connections and the timer that follow.c wants. */

#include "follower.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "clock.h"
#include "exchange.h"
#include "timer.h"

#define ACCURACY_USEC 50000

struct follower {
	sd_event *event;
	const struct address *line;
	follower_changed changed;
	void *userdata;
	struct follow follow;
	struct exchange watch, list, kinds; /* LED WATCH, LED LIST, LED LIST KINDS */
	sd_event_source *timer;
	char trouble[ADDRESS_TEXT_MAX + FOLLOW_WHY_MAX + 20];
};

/* Opens or closes a connection. */
static void set_open(
	struct follower *follower, struct exchange *exchange, bool open, const char *command)
{
	if (open && !exchange->io)
		exchange_open(exchange, follower->event, follower->line, command);
	else if (!open)
		exchange_close(exchange);
}

/* Has the connections and the timer that are wanted now. Returns whether led-line is in trouble
 * anew. */
static void settle(struct follower *follower, bool changed)
{
	const struct follow *follow = &follower->follow;
	char line[ADDRESS_TEXT_MAX], trouble[sizeof follower->trouble] = "";

	if (follow->missing)
		snprintf(trouble, sizeof trouble, "no led-line at %s: %s",
			address_text(follower->line, line), follow->why);
	if (strcmp(trouble, follower->trouble) != 0) {
		changed = true;
		if (*trouble)
			syslog(LOG_NOTICE, "%s", trouble);
		strcpy(follower->trouble, trouble);
	}
	timer_start_at(follower->timer, follow_due(follow));
	if (changed)
		follower->changed(follower->userdata);
	/* Each may end at once, and be settled then. */
	set_open(follower, &follower->watch, follow->state != FOLLOW_AWAY, "LED WATCH\n");
	set_open(follower, &follower->list, follow->asks == FOLLOW_LIST, "LED LIST\n");
	set_open(follower, &follower->kinds, follow->asks == FOLLOW_KINDS, "LED LIST KINDS\n");
}

static bool on_watch_line(void *userdata, char *line)
{
	struct follower *follower = userdata;

	settle(follower, follow_line(&follower->follow, line, clock_usec()));
	return follower->watch.io;
}

static bool on_answer(void *userdata, char *line)
{
	struct follower *follower = userdata;

	settle(follower, follow_answer(&follower->follow, line, clock_usec()));
	return false;
}

static void on_ended(void *userdata, const char *why, bool sent)
{
	struct follower *follower = userdata;

	settle(follower, follow_end(&follower->follow, why, clock_usec()));
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct follower *follower = userdata;

	settle(follower, follow_tick(&follower->follow, clock_usec()));
	return 0;
}

struct follower *follower_create(
	sd_event *event, const struct address *line, follower_changed changed, void *userdata)
{
	struct follower *follower = calloc(1, sizeof *follower);

	if (!follower)
		return NULL;
	follower->event = sd_event_ref(event);
	follower->line = line;
	follower->changed = changed;
	follower->userdata = userdata;
	follower->watch =
		(struct exchange){.taken = on_watch_line, .ended = on_ended, .userdata = follower};
	follower->list =
		(struct exchange){.taken = on_answer, .ended = on_ended, .userdata = follower};
	follower->kinds = follower->list;
	if (timer_add(event, &follower->timer, ACCURACY_USEC, on_timer, follower) < 0) {
		follower_destroy(follower);
		return NULL;
	}
	follow_start(&follower->follow, clock_usec());
	timer_start(follower->timer, 0);
	return follower;
}

const struct follow *follower_get(const struct follower *follower)
{
	return &follower->follow;
}

const char *follower_trouble(const struct follower *follower)
{
	return follower->trouble;
}

void follower_hang(struct follower *follower)
{
	settle(follower, follow_hang(&follower->follow, clock_usec()));
}

void follower_destroy(struct follower *follower)
{
	if (!follower)
		return;
	exchange_close(&follower->watch);
	exchange_close(&follower->list);
	exchange_close(&follower->kinds);
	sd_event_source_disable_unref(follower->timer);
	sd_event_unref(follower->event);
	free(follower);
}
