/* SPDX-License-Identifier: MIT */
#ifndef MIRROR_H
#define MIRROR_H

/*
 * What the broker is to have of this machine: what led-line, the settings and the broker say comes
 * in, retained topics and subscriptions come out, and only those that have changed. And what a
 * message of the broker means. No I/O and no clock: all times are in microseconds of
 * CLOCK_MONOTONIC.
 */

#include "broker.h"
#include "command.h"
#include "contacts.h"
#include "discovery.h"
#include "follow.h"
#include "move.h"
#include "options.h"
#include "retained.h"
#include "topics.h"

/*
 * A broker may send what is retained a little later than it acknowledges a message that was
 * published after the subscriptions: for so long, nothing of discovery is published.
 */
#define MIRROR_LOOK_USEC 500000ULL

/* As many as a machine may have, and as many again that are gone. */
#define THINGS_MAX (2 * LEDS_MAX)

/*
 * So many topics may wait until the broker acknowledges that they are cleared, and those of one
 * thing more: what else it retains of things that are gone stays until the next connection.
 */
#define MIRROR_CLEARS_MAX 256

/* An LED, a button or a contact that is there, or has left something at the broker. */
struct thing {
	char name[COMMAND_NAME_MAX + 1];
	/* Its messages of discovery, a bit for each kind: those that are published, and those that
	 * were retained before. */
	unsigned published, found;
};

struct things {
	struct thing items[THINGS_MAX];
	unsigned n;
};

struct mirror {
	const struct topics *topics;
	const struct names *groups, *button_names;
	const struct contacts *known_contacts;
	const struct discovery *discovery;
	char availability[TOPIC_MAX];
	char old_topic[DISCOVERY_TOPIC_MAX]; /* of 0.4's message for Home Assistant, or "" */
	const struct follow *follow;
	struct retained retained;
	struct things leds, buttons, contacts;
	struct move move;
	uint64_t looked_at; /* when what is retained has come; or 0 */
	char *old_message;  /* as it was found; or NULL */
	size_t old_length;
	bool old_has_leds;
	unsigned subscribed;
};

/* What a message of the broker means. */
enum meaning {
	MEANING_NONE,      /* nothing, or the topics have been changed */
	MEANING_COMMAND,   /* a command for an LED; for each LED if it has no name */
	MEANING_WRONG,     /* a command that cannot be read */
	MEANING_CONTESTED, /* somebody publishes on this topic over and over: it stays as it is */
	MEANING_BIRTH,     /* Home Assistant has started: mirror_repeat() after a random second */
};

/*
 * Begins: the machine is online, and has the buttons and contacts.
 *
 * groups: of this machine
 * follow: what is known of the LEDs
 * The parameters are kept by the caller.
 */
void mirror_start(struct mirror *mirror, const struct topics *topics, const struct names *groups,
	const struct names *buttons, const struct contacts *contacts,
	const struct discovery *discovery, const struct follow *follow);

/* What is known of the LEDs has changed. */
void mirror_leds(struct mirror *mirror);

/* Publishes discovery anew. */
void mirror_repeat(struct mirror *mirror);

/*
 * The broker has acknowledged a message of one of the topics, or refused it.
 *
 * topic: not valid any more afterwards
 */
void mirror_acknowledged(
	struct mirror *mirror, const struct retained_topic *topic, bool refused, uint64_t now);

/*
 * Returns the next topic to publish now, or NULL. To be followed by retained_sent().
 */
struct retained_topic *mirror_next(struct mirror *mirror, uint64_t now);

/* When mirror_next() will have one, if nothing else happens; UINT64_MAX for never. */
uint64_t mirror_due(const struct mirror *mirror);

/* A connection to the broker is there, or gone. */
void mirror_up(struct mirror *mirror);
void mirror_down(struct mirror *mirror);

/* The program is about to end. */
void mirror_stop(struct mirror *mirror);

/*
 * A message has come.
 *
 * is_retained: it is from before the subscription
 * request: set to a command, without its time
 * why: set to what is wrong with it
 */
enum meaning mirror_message(struct mirror *mirror, const char *topic, const void *payload,
	size_t length, bool is_retained, uint64_t now, struct request *request, const char **why);

/*
 * Writes the filter of the next subscription that is due.
 *
 * Returns false if there is none.
 */
bool mirror_next_filter(
	struct mirror *mirror, char filter[DISCOVERY_TOPIC_MAX], enum broker_delivery *delivery);

/* Frees what it has. */
void mirror_end(struct mirror *mirror);

#endif
