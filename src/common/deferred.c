/* SPDX-License-Identifier: MIT */

/* An event source for what is done later in the same turn. */

#include "deferred.h"

int deferred_add(sd_event *event, sd_event_source **source, int64_t priority,
	sd_event_handler_t handler, void *userdata)
{
	int r = sd_event_add_defer(event, source, handler, userdata);

	if (r >= 0)
		r = sd_event_source_set_priority(*source, priority);
	return r < 0 ? r : sd_event_source_set_enabled(*source, SD_EVENT_OFF);
}

void deferred_start(sd_event_source *source)
{
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}
