/* SPDX-License-Identifier: MIT */

/* Answers each connection with what is wrong, and reads no command. */

#include "refusal.h"

#include <errno.h>
#include <poll.h>
#include <systemd/sd-event.h>

#include "cleanup.h"
#include "clients.h"
#include "timer.h"

#define ACCURACY_USEC 10000

struct refusal {
	const char *why;
	sd_event *event;
	sd_event_source *over;
	struct clients *clients;
	bool is_over; /* the last clients are reading their answers */
};

static const char *on_connected(struct client *client)
{
	return ((const struct refusal *)client->userdata)->why;
}

static const struct clients_events EVENTS = {
	.size = sizeof(struct client),
	.connected = on_connected,
};

static int on_over(sd_event_source *timer, uint64_t usec, void *userdata)
{
	struct refusal *refusal = userdata;

	if (refusal->is_over || !clients_get(refusal->clients, 0))
		return sd_event_exit(refusal->event, 0);
	refusal->is_over = true;
	clients_stop(refusal->clients, NULL);
	timer_start(timer, COMMAND_DRAIN_MS * 1000ULL);
	return 0;
}

static bool does_anybody_wait(int fd, int n)
{
	for (int i = 0; i < n; i++) {
		struct pollfd pollfd = {.fd = fd + i, .events = POLLIN};

		if (poll(&pollfd, 1, 0) > 0)
			return true;
	}
	return false;
}

static void finish(struct refusal *refusal)
{
	clients_destroy(refusal->clients);
	sd_event_source_disable_unref(refusal->over);
	sd_event_unref(refusal->event);
}

int refuse(int fd, int n, const char *why, uint64_t usec)
{
	CLEANUP(finish) struct refusal refusal = {.why = why};
	int r;

	if (!does_anybody_wait(fd, n))
		return 0;
	r = sd_event_new(&refusal.event);
	if (r >= 0)
		r = timer_add(refusal.event, &refusal.over, ACCURACY_USEC, on_over, &refusal);
	if (r < 0)
		return r;
	refusal.clients = clients_create(refusal.event, NULL, &EVENTS, &refusal);
	if (!refusal.clients)
		return -ENOMEM;
	for (int i = 0; i < n && r >= 0; i++)
		r = clients_add_socket(refusal.clients, fd + i);
	if (r < 0)
		return r;
	timer_start(refusal.over, usec);
	return sd_event_loop(refusal.event);
}
