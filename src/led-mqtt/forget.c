/* SPDX-License-Identifier: MIT */

/* --forget: the connection and the timer for sweep.c. */

#include "forget.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "cleanup.h"
#include "clock.h"
#include "old-message.h"
#include "sweep.h"
#include "timer.h"

#define TIMEOUT_USEC 120000000ULL
#define ACCURACY_USEC 100000

struct forgetting {
	sd_event *event;
	struct broker *broker;
	sd_event_source *timeout, *timer;
	const struct discovery *discovery;
	const struct topics *topics;
	const struct contacts *contacts;
	char marker[TOPIC_MAX];
	char old_topic[DISCOVERY_TOPIC_MAX]; /* of 0.4's message for Home Assistant, or "" */
	struct sweep sweep;
};

static void end(struct forgetting *forgetting, const char *why)
{
	if (why)
		fprintf(stderr, "led-mqtt: %s\n", why);
	sd_event_exit(forgetting->event, why ? EXIT_FAILURE : EXIT_SUCCESS);
}

static void publish(struct forgetting *forgetting, const char *topic, const char *payload)
{
	if (!broker_publish(forgetting->broker, topic, payload, true, NULL))
		sweep_published(&forgetting->sweep);
}

static void subscribe(struct forgetting *forgetting)
{
	char topic[TOPIC_MAX], filter[DISCOVERY_TOPIC_MAX];

	topics_write(forgetting->topics, "#", "", topic);
	broker_subscribe(forgetting->broker, topic, BROKER_EVERYTHING);
	if (!*forgetting->old_topic)
		return;
	broker_subscribe(forgetting->broker, discovery_filter(forgetting->discovery, filter),
		BROKER_EVERYTHING);
	broker_subscribe(forgetting->broker, forgetting->old_topic, BROKER_EVERYTHING);
}

/* Clears what need not be there, since a refusal says whether discovery may be cleared at all. */
static void probe_discovery(struct forgetting *forgetting)
{
	char topic[DISCOVERY_TOPIC_MAX];

	if (!*forgetting->old_topic)
		return;
	publish(forgetting, discovery_topic(forgetting->discovery, DISCOVERY_LIGHT, "led", topic),
		"");
	if (old_message_has_id(forgetting->topics))
		publish(forgetting, forgetting->old_topic, "");
}

static void go_on(struct forgetting *forgetting)
{
	struct sweep *sweep = &forgetting->sweep;

	switch (sweep_next(sweep, clock_usec())) {
	case SWEEP_MARK:
		publish(forgetting, forgetting->marker, "x");
		break;
	case SWEEP_SUBSCRIBE:
		subscribe(forgetting);
		break;
	case SWEEP_UNMARK:
		publish(forgetting, forgetting->marker, "");
		probe_discovery(forgetting);
		break;
	case SWEEP_END:
		end(forgetting, sweep->why);
		break;
	case SWEEP_WAIT:
		break;
	}
	timer_start_at(forgetting->timer, sweep_due(sweep));
}

static void clear_contact(struct forgetting *forgetting, const char *name)
{
	const struct topics *topics = forgetting->topics;
	char topic[TOPIC_MAX];

	publish(forgetting, topics_write_contact(topics, name, "", topic), "");
	publish(forgetting, topics_write_contact(topics, name, "availability", topic), "");
}

/* Clears what is known without any message: a broker may send nothing to a wildcard. */
static void clear_settings(struct forgetting *forgetting)
{
	char topic[DISCOVERY_TOPIC_MAX];

	publish(forgetting, topics_write(forgetting->topics, "", "availability", topic), "");
	for (unsigned i = 0; i < forgetting->contacts->n; i++) {
		const char *name = forgetting->contacts->items[i].name;

		clear_contact(forgetting, name);
		if (*forgetting->old_topic)
			publish(forgetting,
				discovery_topic(
					forgetting->discovery, DISCOVERY_CONTACT, name, topic),
				"");
	}
}

static void on_up(void *userdata)
{
	struct forgetting *forgetting = userdata;

	sweep_up(&forgetting->sweep, clock_usec());
	clear_settings(forgetting);
	go_on(forgetting);
}

static void clear_led(void *userdata, const char *name)
{
	struct forgetting *forgetting = userdata;
	char topic[TOPIC_MAX];

	publish(forgetting, topics_write(forgetting->topics, name, "", topic), "");
	publish(forgetting, topics_write(forgetting->topics, name, "availability", topic), "");
}

/* Whether a message is of this machine. */
static bool is_ours(
	const struct forgetting *forgetting, const char *topic, const void *payload, size_t length)
{
	char name[COMMAND_NAME_MAX + 1], start[TOPIC_MAX];
	enum discovery_kind kind;

	topics_write(forgetting->topics, "", "", start);
	if (strncmp(topic, start, strlen(start)) == 0 && topic[strlen(start)] == '/')
		return true;
	if (!*forgetting->old_topic)
		return false;
	if (strcmp(topic, forgetting->old_topic) != 0)
		return discovery_read_topic(forgetting->discovery, topic, &kind, name);
	return old_message_has_id(forgetting->topics) ||
	       old_message_read(forgetting->topics, payload, length, NULL, NULL).is_ours;
}

/* Discovery has names of LEDs and contacts, whose topics a broker may not send. */
static void clear_named(
	struct forgetting *forgetting, const char *topic, const void *payload, size_t length)
{
	char name[COMMAND_NAME_MAX + 1];
	enum discovery_kind kind;

	if (!*forgetting->old_topic)
		return;
	if (strcmp(topic, forgetting->old_topic) == 0)
		old_message_read(forgetting->topics, payload, length, clear_led, forgetting);
	else if (!discovery_read_topic(forgetting->discovery, topic, &kind, name))
		return;
	else if (discovery_of(kind) == DISCOVERY_OF_LED)
		clear_led(forgetting, name);
	else if (discovery_of(kind) == DISCOVERY_OF_CONTACT)
		clear_contact(forgetting, name);
}

static void on_message(
	void *userdata, const char *topic, const void *payload, size_t length, bool is_retained)
{
	struct forgetting *forgetting = userdata;
	bool is_marker = strcmp(topic, forgetting->marker) == 0;

	if (is_retained && length > 0 && is_ours(forgetting, topic, payload, length) &&
		sweep_found(&forgetting->sweep, is_marker, clock_usec())) {
		clear_named(forgetting, topic, payload, length);
		publish(forgetting, topic, "");
	}
	go_on(forgetting);
}

static void on_acknowledged(void *userdata, int id, enum broker_outcome outcome, const char *why)
{
	struct forgetting *forgetting = userdata;

	sweep_acknowledged(
		&forgetting->sweep, outcome == BROKER_REFUSED ? why : NULL, clock_usec());
	go_on(forgetting);
}

static void on_down(void *userdata)
{
	struct forgetting *forgetting = userdata;

	sweep_down(&forgetting->sweep, broker_text(forgetting->broker));
	go_on(forgetting);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	go_on(userdata);
	return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct forgetting *forgetting = userdata;

	end(forgetting, broker_is_up(forgetting->broker)
				? "not everything could be cleared in two minutes: try again"
				: broker_text(forgetting->broker));
	return 0;
}

static int set_up(struct forgetting *forgetting, const struct broker_options *options)
{
	static const struct broker_events EVENTS = {on_up, on_message, on_acknowledged, on_down};
	int r = sd_event_default(&forgetting->event);

	if (r >= 0)
		r = timer_add(forgetting->event, &forgetting->timeout, ACCURACY_USEC, on_timeout,
			forgetting);
	if (r >= 0)
		r = timer_add(
			forgetting->event, &forgetting->timer, ACCURACY_USEC, on_timer, forgetting);
	if (r < 0)
		return r;
	forgetting->broker = broker_create(forgetting->event, options, &EVENTS, forgetting);
	return forgetting->broker ? 0 : -ENOMEM;
}

static void finish(struct forgetting *forgetting)
{
	broker_destroy(forgetting->broker);
	sd_event_source_disable_unref(forgetting->timeout);
	sd_event_source_disable_unref(forgetting->timer);
	sd_event_unref(forgetting->event);
}

int forget(const struct broker_options *options, const struct discovery *discovery,
	const struct contacts *contacts)
{
	CLEANUP(finish)
	struct forgetting forgetting = {
		.topics = &discovery->topics, .discovery = discovery, .contacts = contacts};
	int r;

	topics_write(&discovery->topics, "forget", "", forgetting.marker);
	if (*discovery->prefix)
		old_message_topic(discovery, forgetting.old_topic);
	r = set_up(&forgetting, options);
	if (r < 0) {
		fprintf(stderr, "led-mqtt: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	timer_start(forgetting.timeout, TIMEOUT_USEC);
	return sd_event_loop(forgetting.event) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
