/* SPDX-License-Identifier: MIT */
#ifndef DELIVERY_H
#define DELIVERY_H

/*
 * Presses on their way to the server: one connection a press, in order, each
 * acknowledged, and sent again until it is or until it is too old.
 */

#include <systemd/sd-event.h>

#include "address.h"

/* Presses that wait at the most. */
#define DELIVERY_QUEUE 16

#define COMMANDS_MAX 32

/* A list of commands, sent in turn, the first again after the last. */
struct commands {
	const char *texts[COMMANDS_MAX];
	unsigned n;
};

/* What a command is sent for. Each has a list of its own, which advances by itself. */
enum occasion { ON_PRESS, ON_RELEASE, ON_LONG_PRESS, OCCASIONS };

struct delivery;

struct delivery_counts {
	unsigned long pressed, delivered, dropped;
	unsigned waiting;
	const char *outcome; /* how the last press ended, or how the current one fares */
};

/* Told whenever the counts have changed. */
typedef void (*delivery_changed)(void *userdata, const struct delivery_counts *counts);

/*
 * server: where to connect
 * lists: a list for each occasion; kept by the caller for as long as the delivery lives
 * retry_usec: how old a press may become
 * Returns NULL when memory is short.
 */
struct delivery *delivery_create(sd_event *event, const struct address *server,
	const struct commands lists[OCCASIONS], uint64_t retry_usec, delivery_changed changed,
	void *userdata);

/* Takes a press, whose command is the next one of this occasion's list. Never blocks. */
void delivery_press(struct delivery *delivery, enum occasion occasion);

/* Gives up what has not been delivered, with a warning. */
void delivery_destroy(struct delivery *delivery);

#endif
