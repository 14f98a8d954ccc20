/* SPDX-License-Identifier: MIT */

/* The event loop of a service: its watchdog, and the signals that stop it. */

#include "service.h"

#include <signal.h>

int service_create(sd_event **event, sd_event_signal_handler_t on_signal, void *userdata)
{
	static const int STOPS[] = {SIGTERM, SIGINT};
	int r = sd_event_default(event);

	if (r >= 0)
		r = sd_event_set_watchdog(*event, 1);
	for (size_t i = 0; i < sizeof STOPS / sizeof *STOPS && r >= 0; i++)
		r = sd_event_add_signal(
			*event, NULL, STOPS[i] | SD_EVENT_SIGNAL_PROCMASK, on_signal, userdata);
	return r < 0 ? r : 0;
}
