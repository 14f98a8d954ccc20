/* SPDX-License-Identifier: MIT */
#ifndef DEFERRED_H
#define DEFERRED_H

/* What is done once, later in an event loop's turn than what asks for it: sd_event_add_defer(3). */

#include <systemd/sd-event.h>

/*
 * Adds something that is done after each deferred_start(), and not now. It comes before all others
 * of its priority: what may start itself again needs one of its own, or they would have to wait.
 *
 * source: set to the source, for the caller to unref
 * priority: what is lower comes first: sd_event_source_set_priority(3)
 * Returns 0 or a negative errno.
 */
int deferred_add(sd_event *event, sd_event_source **source, int64_t priority,
	sd_event_handler_t handler, void *userdata);

void deferred_start(sd_event_source *source);

#endif
