/* SPDX-License-Identifier: MIT */
#ifndef BROKER_H
#define BROKER_H

/*
 * A connection to an MQTT broker that is made again whenever it ends: libmosquitto, and what it is
 * kept away from. Nothing here waits: names are looked up, and connections made, by a thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "transport.h"

struct broker_options {
	struct transport_options transport;
	const char *id;                /* the client's, the same at each connection */
	const char *user, *password;   /* or NULL */
	const char *will_topic, *will; /* retained; or NULL */
};

/* How a broker delivers messages of a subscription. */
enum broker_delivery {
	BROKER_COMMANDS, /* none that were retained */
	BROKER_RETAINED, /* those that are retained too, and none of our own */
	BROKER_EVERYTHING,
};

/* What has become of a message. */
enum broker_outcome {
	BROKER_TAKEN,
	BROKER_UNWANTED, /* taken, but nobody has subscribed to its topic (MQTT 5) */
	BROKER_REFUSED,
};

struct broker_events {
	/* A connection is there, and nothing has been published or subscribed to on it. */
	void (*up)(void *userdata);
	/* A message. The payload may be anything. */
	void (*message)(void *userdata, const char *topic, const void *payload, size_t length,
		bool retained);
	/*
	 * The broker has acknowledged a message, or refused it.
	 *
	 * id: as broker_publish() set it
	 * why: why it has refused it
	 */
	void (*acknowledged)(void *userdata, int id, enum broker_outcome outcome, const char *why);
	/* The connection has ended, or could not be made. Its messages will not be acknowledged. */
	void (*down)(void *userdata);
};

struct broker;

/*
 * Creates a broker, which begins to connect.
 *
 * options, events: kept by the caller
 * Returns NULL when memory is short.
 */
struct broker *broker_create(sd_event *event, const struct broker_options *options,
	const struct broker_events *events, void *userdata);

/* Whether there is a connection, and messages can be published. */
bool broker_is_up(const struct broker *broker);

/* When the message that the broker has delivered may have come: arrival_ms(). */
uint64_t broker_arrival_ms(const struct broker *broker);

/* This process stood still: messages may have waited since the last one was read. */
void broker_stood_still(struct broker *broker);

/* What is to be known of the connection, for people. */
const char *broker_text(const struct broker *broker);

/*
 * Publishes a message with QoS 1.
 *
 * id: set to what acknowledged() will have, not 0; or NULL
 * Returns NULL, or the reason why it is not on its way.
 */
const char *broker_publish(
	struct broker *broker, const char *topic, const char *payload, bool retain, int *id);

/* Subscribes. A refusal is logged. */
void broker_subscribe(struct broker *broker, const char *filter, enum broker_delivery delivery);

/* Reads nothing from the broker for now, or goes on reading. */
void broker_pause(struct broker *broker, bool paused);

/* Ends the connection in an orderly way: no will is published. */
void broker_disconnect(struct broker *broker);

void broker_destroy(struct broker *broker);

#endif
