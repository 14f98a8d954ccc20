/* SPDX-License-Identifier: MIT */
#ifndef DELIVERY_H
#define DELIVERY_H

/*
 * Presses, or a position, on their way to the server, one connection each. press-queue.h or
 * position.h decides what is sent and what becomes of it, attempt.h how a connection has ended.
 */

#include <systemd/sd-event.h>

#include "address.h"
#include "position.h"
#include "press-queue.h"

/* Room for what delivery_status() writes. */
#define DELIVERY_STATUS_MAX                                                                        \
	(POSITION_STATUS_MAX > PRESS_STATUS_MAX ? POSITION_STATUS_MAX : PRESS_STATUS_MAX)

struct delivery;
struct status;

/*
 * Where command_lists_have_position(), it delivers a position, else presses.
 *
 * server: where to connect; kept by the caller
 * lists, retry_usec: as for press_queue_init()
 * status: hears of each change; kept by the caller
 * Returns NULL when memory is short.
 */
struct delivery *delivery_create(sd_event *event, const struct address *server,
	const struct command_list lists[OCCASIONS], uint64_t retry_usec, struct status *status);

/*
 * Takes a press, whose command is the next one of this occasion's list; or where it delivers a
 * position, what the contact is from now on. Never blocks.
 */
void delivery_take(struct delivery *delivery, enum occasion occasion);

/* The contact is gone: nobody knows its position. */
void delivery_lose(struct delivery *delivery);

/* As press_queue_status() or position_status(). */
const char *delivery_status(const struct delivery *delivery, char text[DELIVERY_STATUS_MAX]);

/* Ends the event loop; a CONTACT is said to be gone before, which takes POSITION_STOP_USEC at most.
 */
void delivery_stop(struct delivery *delivery);

/* Gives up what has not been delivered, with a warning. */
void delivery_destroy(struct delivery *delivery);

#endif
