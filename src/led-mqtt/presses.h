/* SPDX-License-Identifier: MIT */
#ifndef PRESSES_H
#define PRESSES_H

/*
 * The socket that buttons connect to, one connection a press. Each is answered when the broker has
 * acknowledged its message.
 */

#include <systemd/sd-event.h>

#include "broker.h"
#include "limit.h"
#include "topics.h"

struct presses;

/*
 * Creates a server without sockets.
 *
 * broker, topics, limit: kept by the caller
 * send: the topic for commands without its /set: MQTT_BASE/MQTT_SEND
 * Returns NULL when memory is short.
 */
struct presses *presses_create(sd_event *event, struct broker *broker, const struct topics *topics,
	const char *send, struct limit *limit);

/*
 * Serves a listening stream socket, which from then on is the server's to close.
 *
 * Returns 0 or a negative errno; -E2BIG when there are too many.
 */
int presses_add_socket(struct presses *presses, int fd);

/* The broker has acknowledged a message, which may be a press's; or has refused it. */
void presses_acknowledged(struct presses *presses, int id, const char *why);

/* The connection to the broker is gone: who waits for it is not answered. */
void presses_down(struct presses *presses);

/* How many presses the broker has acknowledged. */
unsigned long presses_done(const struct presses *presses);

/* Accepts no more clients. */
void presses_stop(struct presses *presses);

/* Whether somebody still waits for the broker. */
bool presses_are_waiting(const struct presses *presses);

void presses_destroy(struct presses *presses);

#endif
