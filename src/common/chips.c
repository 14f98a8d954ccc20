/* SPDX-License-Identifier: MIT */

/* GPIO chips that come, go, or change hands. */

#include "chips.h"

#include <string.h>

int chips_watch(sd_event *event, sd_event_source **source, sd_event_inotify_handler_t handler,
	void *userdata)
{
	/* IN_ATTRIB: udev gives a new chip to its group only after it has appeared. */
	return sd_event_add_inotify(
		event, source, "/dev", IN_CREATE | IN_DELETE | IN_ATTRIB, handler, userdata);
}

bool chips_is_chip(const struct inotify_event *event)
{
	static const char PREFIX[] = "gpiochip";

	return event->len > 0 && strncmp(event->name, PREFIX, strlen(PREFIX)) == 0;
}
