/* SPDX-License-Identifier: MIT */
#include "forget.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "timer.h"

#define TIMEOUT_USEC 30000000ULL
#define ACCURACY_USEC 100000

struct forgetting {
	sd_event *event;
	struct broker *broker;
	sd_event_source *timer;
	const char *discovery;
	const struct topics *topics;
	char marker[TOPIC_MAX];
	unsigned unacknowledged, cleared;
	bool marked;         /* the marker has come back: what was retained came before it */
	const char *refused; /* why the broker has refused something, a constant; or NULL */
};

static void end(struct forgetting *forgetting, const char *why)
{
	if (why)
		fprintf(stderr, "led-mqtt: %s\n", why);
	sd_event_exit(forgetting->event, why ? EXIT_FAILURE : EXIT_SUCCESS);
}

static void publish(struct forgetting *forgetting, const char *topic, bool retain)
{
	if (!broker_publish(forgetting->broker, topic, "", retain, NULL))
		forgetting->unacknowledged++;
}

static void on_up(void *userdata)
{
	struct forgetting *forgetting = userdata;
	char topic[TOPIC_MAX];

	broker_subscribe(forgetting->broker, topics_write(forgetting->topics, "#", "", topic),
		BROKER_EVERYTHING);
	if (*forgetting->discovery)
		publish(forgetting, forgetting->discovery, true);
	publish(forgetting, forgetting->marker, false);
}

static void on_message(
	void *userdata, const char *topic, const void *payload, size_t length, bool is_retained)
{
	struct forgetting *forgetting = userdata;

	(void)payload;
	if (strcmp(topic, forgetting->marker) == 0 && !is_retained) {
		forgetting->marked = true;
	} else if (is_retained && length > 0) {
		forgetting->cleared++;
		publish(forgetting, topic, true);
	}
}

static void on_acknowledged(void *userdata, int id, const char *why)
{
	struct forgetting *forgetting = userdata;

	(void)id;
	forgetting->unacknowledged--;
	if (why)
		forgetting->refused = why;
	if (forgetting->marked && forgetting->unacknowledged == 0)
		end(forgetting, forgetting->refused);
}

static void on_down(void *userdata)
{
	struct forgetting *forgetting = userdata;

	end(forgetting, broker_text(forgetting->broker));
}

static void on_changed(void *userdata)
{
	(void)userdata;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct forgetting *forgetting = userdata;

	(void)source;
	(void)usec;
	end(forgetting, broker_is_up(forgetting->broker)
				? "not everything could be cleared in 30 s: try again"
				: broker_text(forgetting->broker));
	return 0;
}

int forget(const struct broker_options *options, const struct topics *topics, const char *discovery)
{
	static const struct broker_events EVENTS = {
		on_up, on_message, on_acknowledged, on_down, on_changed};
	struct forgetting forgetting = {.topics = topics, .discovery = discovery};
	int r;

	topics_write(topics, "forget", "", forgetting.marker);
	r = sd_event_default(&forgetting.event);
	if (r >= 0)
		r = timer_add(forgetting.event, &forgetting.timer, ACCURACY_USEC, on_timeout,
			&forgetting);
	if (r >= 0)
		forgetting.broker = broker_create(forgetting.event, options, &EVENTS, &forgetting);
	if (r >= 0 && !forgetting.broker)
		r = -ENOMEM;
	if (r >= 0) {
		timer_start(forgetting.timer, TIMEOUT_USEC);
		r = sd_event_loop(forgetting.event);
	} else {
		fprintf(stderr, "led-mqtt: %s\n", strerror(-r));
	}
	if (forgetting.broker)
		broker_disconnect(forgetting.broker);
	broker_destroy(forgetting.broker);
	sd_event_source_disable_unref(forgetting.timer);
	sd_event_unref(forgetting.event);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
