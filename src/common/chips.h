/* SPDX-License-Identifier: MIT */
#ifndef CHIPS_H
#define CHIPS_H

/*
 * GPIO chips that come, go, or change hands. Not every kernel wakes up a program that
 * polls a line when its chip goes, and none can when one comes: inotify(7) on /dev reports both.
 */

#include <stdbool.h>
#include <sys/inotify.h>
#include <systemd/sd-event.h>

/*
 * Watches /dev.
 *
 * source: set to the source, for the caller to unref
 * Returns 0 or a negative errno.
 */
int chips_watch(sd_event *event, sd_event_source **source, sd_event_inotify_handler_t handler,
	void *userdata);

/* Whether an event is about a GPIO chip's device. */
bool chips_is_chip(const struct inotify_event *event);

#endif
