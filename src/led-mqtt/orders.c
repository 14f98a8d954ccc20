/* SPDX-License-Identifier: MIT */

/* Carries commands to led-line: the connection, the timers and the log for queue.c. */

#include "orders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "deferred.h"
#include "exchange.h"
#include "queue.h"
#include "timer.h"

/* Longer than led-handler takes to say that led-line is out of reach. */
#define ANSWER_USEC 5500000ULL

#define RETRY_USEC 100000ULL
#define ACCURACY_USEC 10000

struct orders {
	sd_event *event;
	const struct address *line;
	const struct arrival_clock *clock;
	struct follower *follower;
	struct limit *limit;
	orders_changed changed;
	void *userdata;
	struct queue queue;
	struct exchange exchange;
	char timed[COMMAND_MAX + COMMAND_TIME_MAX + 2]; /* the command as led-line gets it */
	sd_event_source *timer;                         /* for an answer, or a new attempt */
	sd_event_source *hang;                          /* an answer takes too long */
	sd_event_source *next; /* goes on outside the callbacks of the exchange */
};

/* Logs how a command ended. */
static void log_end(struct orders *orders, const char *how)
{
	if (limit_take(orders->limit))
		syslog(LOG_INFO, "the broker sent \"%s\": %s", orders->queue.command, how);
}

/* Ends an attempt, and has the next one made. */
static void finish(struct orders *orders)
{
	exchange_close(&orders->exchange);
	timer_stop(orders->timer);
	timer_stop(orders->hang);
	deferred_start(orders->next);
}

static void on_ended(void *userdata, const char *why, bool sent)
{
	struct orders *orders = userdata;

	timer_stop(orders->hang);
	if (queue_failed(&orders->queue, sent, arrival_now_ms(orders->clock))) {
		timer_start(orders->timer, RETRY_USEC);
		return;
	}
	log_end(orders, why);
	finish(orders);
}

static bool on_answer(void *userdata, char *line)
{
	struct orders *orders = userdata;

	log_end(orders, line);
	queue_answered(&orders->queue, line);
	finish(orders);
	return false;
}

static void ask(struct orders *orders)
{
	/* Another machine has another clock. led-handler, which may be there, takes no time. */
	if (*orders->line->path)
		snprintf(orders->timed, sizeof orders->timed, "%s @%llu\n", orders->queue.command,
			(unsigned long long)orders->queue.at);
	else
		snprintf(orders->timed, sizeof orders->timed, "%s\n", orders->queue.command);
	timer_start(orders->timer, ANSWER_USEC);
	timer_start(orders->hang, FOLLOW_ANSWER_USEC);
	exchange_open(&orders->exchange, orders->event, orders->line, orders->timed);
}

static int on_next(sd_event_source *source, void *userdata)
{
	struct orders *orders = userdata;
	const char *why;

	for (;;) {
		switch (queue_next(&orders->queue, follower_get(orders->follower),
			arrival_now_ms(orders->clock), &why)) {
		case QUEUE_DROPPED:
			log_end(orders, why);
			continue;
		case QUEUE_ASK:
			ask(orders);
			break;
		case QUEUE_PAUSE:
			timer_start(orders->timer, RETRY_USEC);
			break;
		case QUEUE_NOTHING:
			break;
		}
		orders->changed(orders->userdata);
		return 0;
	}
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct orders *orders = userdata;

	if (orders->queue.state == QUEUE_ASKING) {
		log_end(orders, "led-line does not answer");
		queue_unanswered(&orders->queue);
	}
	queue_retry(&orders->queue);
	finish(orders);
	return 0;
}

static int on_hang(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct orders *orders = userdata;

	follower_hang(orders->follower);
	return 0;
}

struct orders *orders_create(sd_event *event, const struct address *line,
	const struct arrival_clock *clock, struct follower *follower, struct limit *limit,
	orders_changed changed, void *userdata)
{
	struct orders *orders = calloc(1, sizeof *orders);

	if (!orders)
		return NULL;
	orders->event = sd_event_ref(event);
	orders->line = line;
	orders->clock = clock;
	orders->follower = follower;
	orders->limit = limit;
	orders->changed = changed;
	orders->userdata = userdata;
	orders->exchange =
		(struct exchange){.taken = on_answer, .ended = on_ended, .userdata = orders};
	if (timer_add(event, &orders->timer, ACCURACY_USEC, on_timer, orders) < 0 ||
		timer_add(event, &orders->hang, ACCURACY_USEC, on_hang, orders) < 0 ||
		deferred_add(event, &orders->next, SD_EVENT_PRIORITY_NORMAL, on_next, orders) < 0) {
		orders_destroy(orders);
		return NULL;
	}
	return orders;
}

void orders_add(struct orders *orders, const struct request *request)
{
	const char *why = queue_add(&orders->queue, request);

	if (why && limit_take(orders->limit))
		syslog(LOG_WARNING, "a command was dropped: %s", why);
	deferred_start(orders->next);
}

bool orders_want_more(const struct orders *orders)
{
	return queue_wants_more(&orders->queue);
}

bool orders_are_done(const struct orders *orders)
{
	return orders->queue.waiting == 0;
}

unsigned long orders_done(const struct orders *orders)
{
	return orders->queue.done;
}

void orders_destroy(struct orders *orders)
{
	if (!orders)
		return;
	while (!orders_are_done(orders) &&
		queue_drop(&orders->queue, follower_get(orders->follower)))
		log_end(orders, "led-mqtt is stopping");
	exchange_close(&orders->exchange);
	sd_event_source_disable_unref(orders->timer);
	sd_event_source_disable_unref(orders->hang);
	sd_event_source_disable_unref(orders->next);
	sd_event_unref(orders->event);
	free(orders);
}
