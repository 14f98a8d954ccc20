/* SPDX-License-Identifier: MIT */
#ifndef PRESSES_H
#define PRESSES_H

/*
 * The socket that buttons connect to, one connection for each press, or for what a contact says.
 * Each is answered when the broker has acknowledged its messages.
 */

#include <systemd/sd-event.h>

#include "broker.h"
#include "contacts.h"
#include "follow.h"
#include "limit.h"
#include "options.h"
#include "retained.h"
#include "topics.h"

/* All of these are kept by the caller. */
struct presses_options {
	const struct topics *topics;
	const struct names *groups; /* of this machine */
	const struct contacts *contacts;
	const char *send;            /* the topic for commands without its /set */
	const struct follow *follow; /* this machine's LEDs */
	struct retained *retained;   /* gets what contacts say */
};

struct presses;

/*
 * Creates a server without sockets.
 *
 * broker, limit: kept by the caller
 * Returns NULL when memory is short.
 */
struct presses *presses_create(sd_event *event, struct broker *broker,
	const struct presses_options *options, struct limit *limit);

/*
 * Serves a listening stream socket, which from then on is the server's to close.
 *
 * Returns 0 or a negative errno; -E2BIG when there are too many.
 */
int presses_add_socket(struct presses *presses, int fd);

/* What has become of a message, which may be a press's. */
void presses_acknowledged(
	struct presses *presses, int id, enum broker_outcome outcome, const char *why);

/* A command has come from the broker, which may be one of a press. */
void presses_came(struct presses *presses, const char *topic, const struct request *request);

/* The connection to the broker is gone: clients that wait for it are not answered. */
void presses_down(struct presses *presses);

/*
 * This process stood still, or has read since then all that came meanwhile. What may have waited
 * for too long is not published if its client has gone: a button has given up, or tries again.
 */
void presses_stood_still(struct presses *presses, bool still);

/* How many presses the broker has acknowledged. */
unsigned long presses_done(const struct presses *presses);

/* Accepts no more clients. */
void presses_stop(struct presses *presses);

/* Whether somebody still waits for the broker. */
bool presses_are_waiting(const struct presses *presses);

void presses_destroy(struct presses *presses);

#endif
