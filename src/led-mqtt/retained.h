/* SPDX-License-Identifier: MIT */
#ifndef RETAINED_H
#define RETAINED_H

/*
 * The retained topics of this machine, each with the payload that the broker is to have. A topic
 * has one message on its way at a time: a slow broker gets the newest payload, and not each. No I/O
 * and no clock: all times are in microseconds of CLOCK_MONOTONIC.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A payload that somebody else has published is corrected after RETAINED_PAUSE_USEC, and so often
 * in a row: the other client may do the same. A row ends where nobody has published for
 * RETAINED_ROW_USEC.
 */
#define RETAINED_PAUSE_USEC 1000000ULL
#define RETAINED_CORRECTIONS 5
#define RETAINED_ROW_USEC 60000000ULL

struct retained_topic {
	struct retained_topic *next;
	char *name, *payload;
	bool is_discovery;    /* one that somebody deletes stays so until it is published again */
	bool wanted;          /* the payload is to be published */
	int id;               /* of the message that is on its way, or 0 */
	uint64_t corrects_at; /* when somebody else's payload is corrected, or 0 */
	uint64_t foreign_at;  /* when somebody else's payload came last */
	unsigned corrections; /* in a row */
};

/* Begins as all zeros. */
struct retained {
	bool up;
	struct retained_topic *first;
};

/* What a message on a topic is. */
enum retained_kind {
	RETAINED_OTHER,     /* none of these topics */
	RETAINED_KNOWN,     /* one of these; it is corrected if it has to be */
	RETAINED_CONTESTED, /* one of these, and from now on it is not corrected any more */
};

/*
 * Sets a topic's payload. An empty one clears the topic.
 *
 * Returns the topic, or NULL when memory is short.
 */
struct retained_topic *retained_set(
	struct retained *retained, const char *name, const char *payload);

/*
 * A payload has been published that is the topic's from now on.
 *
 * id: of that message, which is on its way
 */
void retained_said(struct retained *retained, const char *name, const char *payload, int id);

/* Takes over what the broker has on a topic that is none of these. */
void retained_take(struct retained *retained, const char *name, const char *payload);

/* Forgets a topic: what the broker has of it stays there. */
void retained_drop(struct retained *retained, const char *name);

/* Forgets the topics of discovery. */
void retained_drop_discovery(struct retained *retained);

/* Publishes the topics of discovery anew. */
void retained_repeat_discovery(struct retained *retained);

/* Whether the broker has all of these. */
bool retained_has_discovery(const struct retained *retained);

/* There is a new connection: everything is published anew. */
void retained_up(struct retained *retained);

/* The connection is gone, and nothing more is acknowledged on it. */
void retained_down(struct retained *retained);

/*
 * The next topic to publish now, or NULL. To be followed by retained_sent().
 */
struct retained_topic *retained_next(struct retained *retained, uint64_t now);

/* A topic's payload is on its way, as message id; or with 0, it could not be published. */
void retained_sent(struct retained_topic *topic, int id);

/*
 * The broker has acknowledged a message, or refused it.
 *
 * Returns its topic, or NULL if it is none of these. It is valid until the next call.
 */
const struct retained_topic *retained_acknowledged(struct retained *retained, int id);

/*
 * The broker has delivered a message.
 *
 * old: it is from before this connection
 */
enum retained_kind retained_seen(struct retained *retained, const char *name, const void *payload,
	size_t length, bool old, uint64_t now);

/* When retained_next() will have a correction; UINT64_MAX for never. */
uint64_t retained_due(const struct retained *retained);

/* How many topics are being cleared. */
unsigned retained_clears(const struct retained *retained);

/* Whether the broker has everything. */
bool retained_is_done(const struct retained *retained);

/* Frees the topics. */
void retained_clear(struct retained *retained);

#endif
