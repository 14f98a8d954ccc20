/* SPDX-License-Identifier: MIT */
#include "orders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "exchange.h"
#include "timer.h"

/* Longer than led-handler takes to say that led-line is out of reach. */
#define ANSWER_USEC 5500000ULL

#define RETRY_USEC 100000ULL
#define ACCURACY_USEC 10000

struct order {
	struct request request;
	unsigned led; /* where it is for every LED, but only one at a time can be told: the next */
};

struct orders {
	sd_event *event;
	const struct address *line;
	const struct arrival_clock *clock;
	const struct follower *follower;
	struct limit *limit;
	orders_changed changed;
	void *userdata;
	struct order queue[ORDERS_MAX]; /* a ring; the first is being carried out */
	unsigned first, waiting;
	unsigned long done;
	struct exchange exchange;
	char command[COMMAND_MAX + 1];
	char timed[COMMAND_MAX + COMMAND_TIME_MAX + 2]; /* as led-line gets it */
	sd_event_source *timer;
	bool asking; /* the timer runs for an answer, and not for a new attempt */
};

static void attempt(struct orders *orders);

static struct order *current(struct orders *orders)
{
	return &orders->queue[orders->first];
}

/* Whether an order is for every LED, one by one: LED ALL takes only ON and OFF. */
static bool is_for_each(const struct request *request)
{
	return !*request->name && !request->all;
}

static bool is_late(const struct orders *orders, const struct request *request)
{
	return arrival_ms(orders->clock, -1) > request->at + COMMAND_LATE_MS;
}

/* The command of the current order. Returns false if there is no LED left. */
static bool write_command(struct orders *orders, char text[COMMAND_MAX + 1])
{
	struct request request = current(orders)->request;
	const struct followed_led *leds;
	unsigned n = follower_leds(orders->follower, &leds);

	if (is_for_each(&request)) {
		if (current(orders)->led >= n)
			return false;
		strcpy(request.name, leds[current(orders)->led].name);
	}
	command_write(&request, text);
	return true;
}

/* Logs how a command ended. */
static void log_end(struct orders *orders, const char *how)
{
	if (limit_take(orders->limit))
		syslog(LOG_INFO, "the broker sent \"%s\": %s", orders->command, how);
}

static void remove_first(struct orders *orders)
{
	orders->first = (orders->first + 1) % ORDERS_MAX;
	orders->waiting--;
}

/* Goes on with the next LED of the order, or with the next order. */
static void advance(struct orders *orders, bool done)
{
	struct order *order = current(orders);

	exchange_close(&orders->exchange);
	timer_stop(orders->timer);
	orders->done += done;
	if (is_for_each(&order->request))
		order->led++;
	else
		remove_first(orders);
	attempt(orders);
	orders->changed(orders->userdata);
}

/* Whether a command may be sent twice. */
static bool may_repeat(const struct request *request)
{
	return request->verb == VERB_ON || request->verb == VERB_OFF || *request->key;
}

static void on_ended(void *userdata, const char *why, bool sent)
{
	struct orders *orders = userdata;
	const struct order *order = current(orders);

	if (is_late(orders, &order->request) || (sent && !may_repeat(&order->request))) {
		log_end(orders, why);
		advance(orders, false);
		return;
	}
	orders->asking = false;
	timer_start(orders->timer, RETRY_USEC);
}

static bool on_answer(void *userdata, char *line)
{
	struct orders *orders = userdata;

	log_end(orders, line);
	advance(orders, strncmp(line, "OK", 2) == 0);
	return false;
}

/* Begins with the first order, or goes on with it. */
static void attempt(struct orders *orders)
{
	while (orders->waiting > 0) {
		bool has_led = write_command(orders, orders->command);

		if (has_led && !is_late(orders, &current(orders)->request))
			break;
		if (has_led)
			log_end(orders, COMMAND_LATE);
		remove_first(orders);
	}
	if (orders->waiting == 0)
		return;
	/* Another machine has another clock. led-handler, which may be there, takes no time. */
	if (*orders->line->path)
		snprintf(orders->timed, sizeof orders->timed, "%s @%llu\n", orders->command,
			(unsigned long long)current(orders)->request.at);
	else
		snprintf(orders->timed, sizeof orders->timed, "%s\n", orders->command);
	orders->asking = true;
	timer_start(orders->timer, ANSWER_USEC);
	exchange_open(&orders->exchange, orders->event, orders->line, orders->timed);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct orders *orders = userdata;

	(void)source;
	(void)usec;
	if (!orders->asking) {
		attempt(orders);
	} else {
		log_end(orders, "led-line does not answer");
		advance(orders, false);
	}
	return 0;
}

struct orders *orders_create(sd_event *event, const struct address *line,
	const struct arrival_clock *clock, const struct follower *follower, struct limit *limit,
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
	if (timer_add(event, &orders->timer, ACCURACY_USEC, on_timer, orders) < 0) {
		orders_destroy(orders);
		return NULL;
	}
	return orders;
}

void orders_add(struct orders *orders, const struct request *request)
{
	struct order *order = &orders->queue[(orders->first + orders->waiting) % ORDERS_MAX];

	if (orders->waiting == ORDERS_MAX) {
		if (limit_take(orders->limit))
			syslog(LOG_WARNING, "a command was dropped: %d were waiting", ORDERS_MAX);
		return;
	}
	*order = (struct order){.request = *request};
	order->request.all =
		!*request->name && (request->verb == VERB_ON || request->verb == VERB_OFF);
	orders->waiting++;
	if (orders->waiting == 1)
		attempt(orders);
}

unsigned orders_waiting(const struct orders *orders)
{
	return orders->waiting;
}

unsigned long orders_done(const struct orders *orders)
{
	return orders->done;
}

void orders_destroy(struct orders *orders)
{
	if (!orders)
		return;
	exchange_close(&orders->exchange);
	sd_event_source_disable_unref(orders->timer);
	sd_event_unref(orders->event);
	free(orders);
}
