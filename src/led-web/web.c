/* SPDX-License-Identifier: MIT */

/*
 * The server. libmicrohttpd reads requests and writes responses on connections that we accept; it
 * waits for nothing by itself: its epoll descriptor is a source of our event loop, and its time
 * limit a timer.
 */

#include "web.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "clock.h"
#include "deferred.h"
#include "embedded.h"
#include "listen.h"
#include "stream.h"
#include "timer.h"
#include "visit.h"

/* Connections that are accepted before others have their turn. */
#define ACCEPT_AT_ONCE 16

/* For the headers of a request and those of its response. */
#define MEMORY 16384

/* A connection on which nothing moves is closed after this time. */
#define QUIET_SECONDS 15

/* At a stop, commands have so long to end. */
#define STOP_USEC 1000000

#define END_ACCURACY_USEC 100000

/* Without descriptors or memory, connections wait for so long. */
#define PAUSE_USEC 1000000

/* --- the end ---------------------------------------------------------------------------- */

static void schedule_end(struct web *web)
{
	if (web->options->ends && !web->stopping)
		timer_start_at(web->end, idle_due(&web->idle));
}

static void stop_if_done(struct web *web)
{
	for (const struct visit *visit = web->visits; visit; visit = visit->next)
		if (stage_delays_stop(visit->stage))
			return;
	if (web->stopping)
		timer_start(web->end, 0);
}

/*
 * With no connection open, this is the end without another look at the sockets: who connects now
 * waits in a queue that is the service manager's too.
 */
static int on_end(sd_event_source *source, uint64_t usec, void *userdata)
{
	const struct web *web = userdata;

	if (!web->stopping && idle_due(&web->idle) > clock_usec())
		return 0;
	return sd_event_exit(web->event, 0);
}

static void set_accepting(struct web *web, int enabled)
{
	for (unsigned i = 0; i < web->n_sockets; i++)
		sd_event_source_set_enabled(web->sockets[i], enabled);
}

void web_stop(struct web *web)
{
	web->stopping = true;
	set_accepting(web, SD_EVENT_OFF);
	timer_stop(web->pause);
	timer_start(web->end, STOP_USEC);
	stop_if_done(web);
}

/* --- libmicrohttpd in the event loop ---------------------------------------------------- */

static void work(struct web *web)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(web->daemon);
	if (MHD_get_timeout(web->daemon, &ms) != MHD_YES)
		timer_stop(web->work);
	else if (ms > 0)
		timer_start(web->work, ms * 1000);
	else /* at once: a timer may be late */
		deferred_start(web->more);
	if (web->stopping)
		stop_if_done(web);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	work(userdata);
	return 0;
}

static int on_more(sd_event_source *source, void *userdata)
{
	work(userdata);
	return 0;
}

static int on_work(sd_event_source *source, uint64_t usec, void *userdata)
{
	work(userdata);
	return 0;
}

/* A path that leads somewhere has letters, digits and hyphens alone. */
static size_t leave_encoded(void *userdata, struct MHD_Connection *connection, char *text)
{
	return strlen(text);
}

static struct MHD_Daemon *start_daemon(struct web *web)
{
	const char *cert = web->options->cert, *key = web->options->key;
	bool is_secure = cert && key;
	struct MHD_OptionItem options[] = {
		/* More than there may be: a connection counts until it is cleaned up. */
		{MHD_OPTION_CONNECTION_LIMIT, 2L * ROOM_MAX, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, QUIET_SECONDS, NULL},
		{MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)visit_on_connection, web},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)visit_on_completed, NULL},
		{MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_encoded, NULL},
		{is_secure ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0, (void *)cert},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)key},
		{MHD_OPTION_END, 0, NULL},
	};
	unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME;

	return MHD_start_daemon(flags | (is_secure ? MHD_USE_TLS : 0), 0, NULL, NULL,
		visit_on_request, NULL, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

/* --- sockets ---------------------------------------------------------------------------- */

/* Closes a connection that there is no room for, with an answer if it does not cost anything. */
static void turn_away(const struct web *web, int fd)
{
	char request[4096], answer[1024];

	if (!web->options->cert) {
		/* With bytes unread, the answer could be lost to a reset. */
		(void)!recv(fd, request, sizeof request, MSG_DONTWAIT);
		snprintf(answer, sizeof answer,
			"HTTP/1.1 503 Service Unavailable\r\n"
			"Content-Security-Policy: %s\r\n"
			"Referrer-Policy: same-origin\r\n"
			"X-Content-Type-Options: nosniff\r\n"
			"Cache-Control: no-store\r\n"
			"Content-Type: text/plain; charset=utf-8\r\n"
			"Content-Length: 24\r\n"
			"Connection: close\r\n"
			"\r\n"
			"ERR too many connections",
			EMBEDDED_POLICY);
		(void)!send(fd, answer, strlen(answer), MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	close(fd);
}

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata)
{
	set_accepting(userdata, SD_EVENT_ON);
	return 0;
}

/* To accept again at once would only spin. */
static void pause_accepting(struct web *web)
{
	if (!web->starved)
		syslog(LOG_WARNING, "no connection can be accepted: %s", strerror(errno));
	web->starved = true;
	set_accepting(web, SD_EVENT_OFF);
	timer_start(web->pause, PAUSE_USEC);
}

static int on_connect(sd_event_source *source, int listening, uint32_t events, void *userdata)
{
	struct web *web = userdata;

	for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
		struct sockaddr_storage from;
		socklen_t size = sizeof from;
		int fd = accept4(
			listening, (struct sockaddr *)&from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0 && listen_is_shortage(errno))
			pause_accepting(web);
		if (fd < 0)
			break;
		web->starved = false;
		peer_get(fd, &from, &web->joining);
		if (!room_has_place(&web->room, &web->joining)) {
			turn_away(web, fd);
			continue;
		}
		/* It closes the connection if it cannot take it. */
		MHD_add_connection(web->daemon, fd, (struct sockaddr *)&from, size);
	}
	work(web);
	return 0;
}

int web_add_socket(struct web *web, int fd)
{
	int r, flags = fcntl(fd, F_GETFL);

	if (web->n_sockets == WEB_SOCKETS)
		return -E2BIG;
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
		fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	r = sd_event_add_io(
		web->event, &web->sockets[web->n_sockets], fd, EPOLLIN, on_connect, web);
	return r < 0 ? r : sd_event_source_set_io_fd_own(web->sockets[web->n_sockets++], true);
}

/* --- the server ------------------------------------------------------------------------- */

void web_follow(struct web *web, struct follower *follower)
{
	web->follower = follower;
}

const char *web_away(const struct web *web)
{
	return follower_trouble(web->follower);
}

void web_leds_changed(struct web *web)
{
	bool is_work = false;

	for (struct visit *visit = web->visits; visit; visit = visit->next) {
		if (!visit_goes_on(visit))
			continue;
		visit_resume(visit);
		is_work = true;
	}
	if (!is_work)
		return;
	/* Now, and not in the next turn of the event loop: a page hears of it sooner. */
	sd_event_source_set_enabled(web->more, SD_EVENT_OFF);
	work(web);
}

void web_visits_changed(struct web *web)
{
	schedule_end(web);
	web->changed(web->userdata);
}

void web_set_late(struct web *web, bool late)
{
	web->late = late;
}

unsigned web_connections(const struct web *web)
{
	return web->room.n;
}

unsigned web_pages(const struct web *web)
{
	return web->streams;
}

unsigned long web_commands(const struct web *web)
{
	return web->done;
}

static int set_up(struct web *web)
{
	const union MHD_DaemonInfo *info;
	sd_event *event = web->event;
	int r;

	r = timer_add(event, &web->work, VISIT_ACCURACY_USEC, on_work, web);
	if (r >= 0)
		r = timer_add(event, &web->pause, END_ACCURACY_USEC, on_pause_over, web);
	if (r >= 0)
		r = timer_add(event, &web->end, END_ACCURACY_USEC, on_end, web);
	if (r >= 0)
		r = deferred_add(event, &web->more, SD_EVENT_PRIORITY_NORMAL + 1, on_more, web);
	if (r >= 0)
		r = visit_set_up(web);
	if (r >= 0)
		r = stream_set_up(web);
	if (r < 0)
		return r;
	web->daemon = start_daemon(web);
	if (!web->daemon)
		return web->options->cert ? -EINVAL : -ENOMEM;
	info = MHD_get_daemon_info(web->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return -ENOSYS;
	return sd_event_add_io(event, &web->io, info->epoll_fd, EPOLLIN, on_io, web);
}

struct web *web_create(sd_event *event, const struct web_options *options, struct limit *limit,
	web_changed changed, void *userdata)
{
	struct web *web = calloc(1, sizeof *web);
	int r;

	if (!web)
		return NULL;
	web->event = sd_event_ref(event);
	web->options = options;
	web->limit = limit;
	web->changed = changed;
	web->userdata = userdata;
	idle_start(&web->idle, clock_usec());
	r = set_up(web);
	if (r < 0) {
		web_destroy(web);
		errno = -r;
		return NULL;
	}
	schedule_end(web);
	return web;
}

void web_destroy(struct web *web)
{
	if (!web)
		return;
	web->stopping = true;
	for (struct visit *visit = web->visits; visit; visit = visit->next)
		visit_resume(visit);
	web->io = sd_event_source_disable_unref(web->io);
	if (web->daemon)
		MHD_stop_daemon(web->daemon);
	for (unsigned i = 0; i < web->n_sockets; i++)
		sd_event_source_disable_unref(web->sockets[i]);
	sd_event_source_disable_unref(web->work);
	sd_event_source_disable_unref(web->more);
	sd_event_source_disable_unref(web->due);
	sd_event_source_disable_unref(web->comment);
	sd_event_source_disable_unref(web->end);
	sd_event_source_disable_unref(web->pause);
	sd_event_unref(web->event);
	free(web);
}
