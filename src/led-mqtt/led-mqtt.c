/* SPDX-License-Identifier: MIT */

/* led-mqtt: LEDs and buttons of this machine on the topics of an MQTT broker. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "arrival.h"
#include "broker.h"
#include "clock.h"
#include "confine.h"
#include "descriptors.h"
#include "follower.h"
#include "forget.h"
#include "limit.h"
#include "listen.h"
#include "log.h"
#include "mirror.h"
#include "options.h"
#include "orders.h"
#include "presses.h"
#include "random-number.h"
#include "refusal.h"
#include "resolver.h"
#include "service.h"
#include "settings.h"
#include "standstill.h"
#include "status.h"
#include "text.h"
#include "timer.h"
#include "transport.h"
#include "variables.h"

#define ACCURACY_USEC 10000

/* When Home Assistant starts, machines publish discovery within this time, and not all at once. */
#define BIRTH_USEC 1000000

/* How long a stop waits for the broker to acknowledge what is on its way. */
#define STOP_USEC 1000000

struct program {
	sd_event *event;
	const struct options *options;
	struct limit *limit;
	struct arrival_clock clock;
	struct broker *broker;
	struct mirror mirror;
	struct follower *follower;
	struct orders *orders;
	struct presses *presses;
	struct status *status;
	sd_event_source *stop, *correction;
	struct standstill *standstill;
	sd_event_source *birth; /* Home Assistant has started */
	bool stopping;
	bool warned; /* of an LED whose name is a topic's */
};

static void write_status(void *userdata, char text[STATUS_MAX])
{
	const struct program *program = userdata;
	unsigned n = follower_get(program->follower)->n;
	const char *trouble = follower_trouble(program->follower);

	snprintf(text, STATUS_MAX, "%s; %u %s%s%s; %lu commands, %lu presses",
		broker_text(program->broker), n, n == 1 ? "LED" : "LEDs", *trouble ? "; " : "",
		trouble, orders_done(program->orders), presses_done(program->presses));
}

/* --- the broker ------------------------------------------------------------------------- */

static void subscribe(struct program *program)
{
	enum broker_delivery delivery;
	char filter[DISCOVERY_TOPIC_MAX];

	while (mirror_next_filter(&program->mirror, filter, &delivery))
		broker_subscribe(program->broker, filter, delivery);
}

/* Publishes what the broker has to get. */
static void publish(struct program *program)
{
	struct retained_topic *topic;

	while ((topic = mirror_next(&program->mirror, clock_usec()))) {
		int id = 0;
		const char *why =
			broker_publish(program->broker, topic->name, topic->payload, true, &id);

		if (why && limit_take(program->limit))
			syslog(LOG_WARNING, "%s cannot be published: %s", topic->name, why);
		retained_sent(topic, why ? 0 : id);
	}
	timer_start_at(program->correction, mirror_due(&program->mirror));
}

/* Has the broker get what has changed. */
static void synchronize(struct program *program)
{
	if (broker_is_up(program->broker))
		subscribe(program);
	/* Others that see this machine online can send it commands. */
	publish(program);
}

static int on_correction(sd_event_source *source, uint64_t usec, void *userdata)
{
	publish(userdata);
	return 0;
}

static int on_birth(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct program *program = userdata;

	mirror_repeat(&program->mirror);
	publish(program);
	return 0;
}

static void warn_of_names(struct program *program)
{
	const struct follow *follow = follower_get(program->follower);

	for (unsigned i = 0; i < follow->n && !program->warned; i++) {
		if (topics_is_led(follow->leds[i].name))
			continue;
		syslog(LOG_WARNING, "LED %s: this name is a topic's, so it is not published",
			follow->leds[i].name);
		program->warned = true;
	}
}

static void on_leds(void *userdata)
{
	struct program *program = userdata;

	warn_of_names(program);
	if (!program->stopping) {
		mirror_leds(&program->mirror);
		synchronize(program);
	}
	status_changed(program->status);
}

static void on_up(void *userdata)
{
	struct program *program = userdata;

	mirror_up(&program->mirror);
	synchronize(program);
	status_changed(program->status);
}

static void on_message(
	void *userdata, const char *topic, const void *payload, size_t length, bool is_retained)
{
	struct program *program = userdata;
	struct request request;
	char quoted[TOPIC_MAX];
	const char *why;

	switch (mirror_message(&program->mirror, topic, payload, length, is_retained, clock_usec(),
		&request, &why)) {
	case MEANING_COMMAND:
		presses_came(program->presses, topic, &request);
		request.at = broker_arrival_ms(program->broker);
		orders_add(program->orders, &request);
		broker_pause(program->broker, !orders_want_more(program->orders));
		break;
	case MEANING_WRONG:
		if (limit_take(program->limit))
			syslog(LOG_INFO, "%s: %s", text_printable(topic, quoted, sizeof quoted),
				why);
		break;
	case MEANING_CONTESTED:
		syslog(LOG_WARNING,
			"%s is published by somebody else again and again: left as it is", topic);
		break;
	case MEANING_BIRTH:
		timer_start_if_stopped(program->birth, random_number() % BIRTH_USEC);
		break;
	case MEANING_NONE:
		publish(program);
		break;
	}
}

/* Ends when all is done. Not at once: this may be within a callback of the broker. */
static void stop_if_done(struct program *program)
{
	if (program->stopping && orders_are_done(program->orders) &&
		(!broker_is_up(program->broker) || (retained_is_done(&program->mirror.retained) &&
							   !presses_are_waiting(program->presses))))
		timer_start(program->stop, 0);
}

static void on_acknowledged(void *userdata, int id, enum broker_outcome outcome, const char *why)
{
	struct program *program = userdata;
	const struct retained_topic *topic = retained_acknowledged(&program->mirror.retained, id);

	if (topic && outcome == BROKER_REFUSED && limit_take(program->limit))
		syslog(LOG_WARNING, "%s cannot be published: %s", topic->name, why);
	if (topic)
		mirror_acknowledged(
			&program->mirror, topic, outcome == BROKER_REFUSED, clock_usec());
	presses_acknowledged(program->presses, id, outcome, why);
	publish(program);
	stop_if_done(program);
	status_changed(program->status);
}

static void on_down(void *userdata)
{
	struct program *program = userdata;

	mirror_down(&program->mirror);
	presses_down(program->presses);
	stop_if_done(program);
	status_changed(program->status);
}

static const struct broker_events EVENTS = {
	.up = on_up,
	.message = on_message,
	.acknowledged = on_acknowledged,
	.down = on_down,
};

static void on_orders(void *userdata)
{
	struct program *program = userdata;

	broker_pause(program->broker, !orders_want_more(program->orders));
	stop_if_done(program);
	status_changed(program->status);
}

/* --- start and stop --------------------------------------------------------------------- */

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct program *program = userdata;

	sd_notify(0, "STOPPING=1");
	program->stopping = true;
	presses_stop(program->presses);
	mirror_stop(&program->mirror);
	publish(program);
	timer_start(program->stop, STOP_USEC);
	stop_if_done(program);
	return 0;
}

/* What waits now may have waited for long: presses too, until all of them have been read. */
static void on_stood_still(void *userdata, bool may_be_late)
{
	struct program *program = userdata;

	if (may_be_late)
		broker_stood_still(program->broker);
	presses_stood_still(program->presses, may_be_late);
}

static int on_stop(sd_event_source *source, uint64_t usec, void *userdata)
{
	return sd_event_exit(sd_event_source_get_event(source), EXIT_SUCCESS);
}

/* Takes the sockets that the service manager passes, else opens our own. */
static int add_sockets(struct program *program)
{
	const struct address *address = &program->options->listen;
	const char *why = NULL;
	int n = sd_listen_fds(true), fds[LISTEN_MAX], r = n;

	for (int i = 0; i < n && r >= 0; i++)
		r = presses_add_socket(program->presses, SD_LISTEN_FDS_START + i);
	if (n != 0)
		return r;
	if (listen_on(address, fds, &why) < 0) {
		syslog(LOG_ERR, "cannot listen on %s: %s", address->path, why);
		return -EADDRNOTAVAIL;
	}
	return presses_add_socket(program->presses, fds[0]);
}

static int add_sources(struct program *program)
{
	sd_event *event = program->event;
	int r;

	r = timer_add(event, &program->stop, ACCURACY_USEC, on_stop, program);
	if (r >= 0)
		r = timer_add(event, &program->correction, ACCURACY_USEC, on_correction, program);
	if (r >= 0)
		r = timer_add(event, &program->birth, ACCURACY_USEC, on_birth, program);
	return r;
}

static int set_up(struct program *program)
{
	const struct options *options = program->options;
	struct presses_options presses = {.topics = &options->topics,
		.groups = &options->groups,
		.contacts = &options->contacts,
		.send = options->send,
		.retained = &program->mirror.retained};
	int r;

	r = service_create(&program->event, on_signal, program);
	if (r >= 0)
		r = add_sources(program);
	if (r < 0)
		return r;
	arrival_clock_open(&program->clock);
	program->standstill = standstill_create(program->event, on_stood_still, program);
	program->limit = limit_create(program->event, "messages");
	program->status = status_create(program->event, write_status, program);
	program->broker = broker_create(program->event, &options->broker, &EVENTS, program);
	program->follower = follower_create(program->event, &options->line, on_leds, program);
	program->orders = orders_create(program->event, &options->line, &program->clock,
		program->follower, program->limit, on_orders, program);
	if (!program->standstill || !program->limit || !program->status || !program->broker ||
		!program->follower || !program->orders)
		return -ENOMEM;
	presses.follow = follower_get(program->follower);
	program->presses =
		presses_create(program->event, program->broker, &presses, program->limit);
	if (!program->presses)
		return -ENOMEM;
	mirror_start(&program->mirror, &options->topics, &options->groups, &options->buttons,
		&options->contacts, &options->discovery, follower_get(program->follower));
	return add_sockets(program);
}

static int run(struct program *program)
{
	int r = set_up(program);

	if (r >= 0) {
		status_ready(program->status);
		r = sd_event_loop(program->event);
	}
	if (r < 0 && r != -EADDRNOTAVAIL)
		syslog(LOG_ERR, "%s", strerror(-r));
	if (program->broker)
		broker_disconnect(program->broker);
	presses_destroy(program->presses);
	orders_destroy(program->orders);
	follower_destroy(program->follower);
	mirror_end(&program->mirror);
	broker_destroy(program->broker);
	limit_destroy(program->limit);
	arrival_clock_close(&program->clock);
	status_destroy(program->status);
	sd_event_source_disable_unref(program->stop);
	standstill_destroy(program->standstill);
	sd_event_source_disable_unref(program->correction);
	sd_event_source_disable_unref(program->birth);
	sd_event_unref(program->event);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/*
 * A setting is wrong, and the service manager has passed sockets: those who wait there get an
 * answer. Returns the exit status.
 */
static int answer_wrong(const struct settings *settings)
{
	char answer[SETTINGS_ERROR_TEXT_MAX];
	const char *why = answer + strlen("ERR ");
	int r;

	settings_error_text(&settings->errors[0], "ERR a setting is wrong", answer);
	settings_log(settings);
	sd_notifyf(0, "STATUS=%s", why);
	r = refuse(SD_LISTEN_FDS_START, sd_listen_fds(true), why, REFUSAL_USEC);
	if (r < 0)
		syslog(LOG_ERR, "%s", strerror(-r));
	return 2;
}

/* Loads what is loaded when it is first needed: a confined process could not. */
static void load_code(const struct options *options)
{
	resolver_load();
	if (options->broker.transport.address.tls)
		transport_load();
}

int main(int argc, char *argv[])
{
	struct options options = {0};
	struct program program = {.options = &options, .clock = {-1}};
	struct settings settings;
	int status;

	descriptors_fill();
	options_read(&options, &settings, argv);
	if (sd_listen_fds(false) <= 0)
		settings_exit_if_wrong(&settings);

	log_open("led-mqtt");
	variables_warn(environ);
	load_code(&options);
	confine_log(confine_to_program());
	if (settings.n_errors > 0)
		status = answer_wrong(&settings);
	else if (options.forget)
		status = forget(&options.broker, &options.discovery, &options.contacts);
	else
		status = run(&program);
	options_free(&options);
	settings_free(&settings);
	return status;
}
