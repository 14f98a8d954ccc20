/* SPDX-License-Identifier: MIT */
#ifndef RETAINED_H
#define RETAINED_H

/*
 * The retained topics of this machine, each with the payload that the broker is to have. A topic
 * has one message on its way at a time: a slow broker gets the newest payload, and not each.
 */

#include <stdbool.h>
#include <stddef.h>

#include "broker.h"
#include "limit.h"

struct retained;

/*
 * Creates a table without topics.
 *
 * broker: where they are published; kept by the caller
 * limit: of the log; kept by the caller
 * Returns NULL when memory is short.
 */
struct retained *retained_create(sd_event *event, struct broker *broker, struct limit *limit);

/*
 * Sets a topic's payload, which is published now, or when there is a connection. An empty one
 * clears the topic.
 */
void retained_set(struct retained *retained, const char *topic, const char *payload);

/* There is a new connection: everything is published anew. */
void retained_up(struct retained *retained);

/* The connection is gone, and nothing more is acknowledged on it. */
void retained_down(struct retained *retained);

/* The broker has acknowledged a message, which may be one of these; or has refused it. */
void retained_acknowledged(struct retained *retained, int id, const char *why);

/*
 * The broker has delivered a topic's payload. If that is not the one that the topic is to have, as
 * with a will that comes late, it is published again, but at most once a second: whoever publishes
 * the other one may do the same.
 *
 * Returns whether it is one of these topics.
 */
bool retained_seen(
	struct retained *retained, const char *topic, const void *payload, size_t length);

/* Whether the broker has everything. */
bool retained_is_done(const struct retained *retained);

void retained_destroy(struct retained *retained);

#endif
