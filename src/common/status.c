/* SPDX-License-Identifier: MIT */

/* The status of a program for the service manager, sent once for a batch of changes. */

#include "status.h"

#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "timer.h"

/* How long after the first change, and how much later it may be. */
#define AFTER_USEC 50000
#define ACCURACY_USEC 10000

struct status {
	sd_event_source *timer;
	void (*write)(void *userdata, char text[STATUS_MAX]);
	void *userdata;
};

static void notify(const struct status *status, const char *before)
{
	char text[STATUS_MAX] = "";

	status->write(status->userdata, text);
	sd_notifyf(0, "%sSTATUS=%s", before, text);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	notify(userdata, "");
	return 0;
}

struct status *status_create(
	sd_event *event, void (*write)(void *userdata, char text[STATUS_MAX]), void *userdata)
{
	struct status *status = calloc(1, sizeof *status);

	if (!status)
		return NULL;
	status->write = write;
	status->userdata = userdata;
	if (timer_add(event, &status->timer, ACCURACY_USEC, on_timer, status) >= 0)
		return status;
	status_destroy(status);
	return NULL;
}

void status_ready(struct status *status)
{
	timer_stop(status->timer);
	notify(status, "READY=1\n");
}

void status_changed(struct status *status)
{
	timer_start_if_stopped(status->timer, AFTER_USEC);
}

void status_destroy(struct status *status)
{
	if (!status)
		return;
	sd_event_source_disable_unref(status->timer);
	free(status);
}
