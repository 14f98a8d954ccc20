/* SPDX-License-Identifier: MIT */
#ifndef ORDERS_H
#define ORDERS_H

/* Carries commands from the broker to led-line, one after the other: what queue.h decides. */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "address.h"
#include "arrival.h"
#include "command.h"
#include "follower.h"
#include "limit.h"

/* Commands have been carried out, or dropped. */
typedef void (*orders_changed)(void *userdata);

struct orders;

/*
 * Creates an empty queue.
 *
 * line: where led-line listens; kept by the caller
 * clock: tells what time it is; kept by the caller
 * follower: knows the LEDs, and hears when led-line hangs; kept by the caller
 * limit: of the log; kept by the caller
 * Returns NULL when memory is short.
 */
struct orders *orders_create(sd_event *event, const struct address *line,
	const struct arrival_clock *clock, struct follower *follower, struct limit *limit,
	orders_changed changed, void *userdata);

/*
 * Queues a command, which is logged with its answer. One that led-line cannot take within 5 s of
 * its arrival is dropped.
 *
 * request: without a name, it is for every LED; with the time of its arrival
 */
void orders_add(struct orders *orders, const struct request *request);

/* Whether more commands are to be read from the broker. */
bool orders_want_more(const struct orders *orders);

/* Whether none waits. */
bool orders_are_done(const struct orders *orders);

/* How many have been carried out. */
unsigned long orders_done(const struct orders *orders);

/* Logs the commands that wait as dropped, and frees the queue. */
void orders_destroy(struct orders *orders);

#endif
