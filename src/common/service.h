/* SPDX-License-Identifier: MIT */
#ifndef SERVICE_H
#define SERVICE_H

/* What each service begins with. */

#include <systemd/sd-event.h>

/*
 * Creates an event loop that answers the service manager's watchdog. SIGTERM and SIGINT are blocked
 * from here on, also in threads that are started later, and come as events.
 *
 * event: set to the event loop, for the caller to unref
 * on_signal: called for each SIGTERM and SIGINT
 * Returns 0 or a negative errno.
 */
int service_create(sd_event **event, sd_event_signal_handler_t on_signal, void *userdata);

#endif
