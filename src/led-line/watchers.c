/* SPDX-License-Identifier: MIT */

/* Clients that watch: what news.c chooses for each is sent as far as its connection takes it. */

#include "watchers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "deferred.h"
#include "timer.h"

/* A watcher that has not read for this long is closed. */
#define UNREAD_USEC 10000000
#define ACCURACY_USEC 100000

/* What the kernel keeps for a watcher that does not read. It doubles this. socket(7) */
#define SEND_BUFFER 4096

struct watcher {
	struct watchers *watchers;
	int fd;
	enum watchers_origin origin;
	struct news news;
	const char *mark;         /* for the first line */
	char line[LEDS_LINE_MAX]; /* what is being sent */
	size_t length, sent;      /* of that */
	size_t received;          /* bytes after its command */
	bool ended;               /* it can send nothing more */
	sd_event_source *io, *timer;
};

struct watchers {
	sd_event *event;
	struct leds *leds;
	sd_event_source *changed;
	struct watcher *watchers[WATCHERS_ORIGINS * WATCHERS_MAX];
	unsigned n;
	unsigned n_from[WATCHERS_ORIGINS];
};

static void watcher_destroy(struct watcher *watcher)
{
	struct watchers *watchers = watcher->watchers;
	unsigned i = 0;

	while (watchers->watchers[i] != watcher)
		i++;
	watchers->watchers[i] = watchers->watchers[--watchers->n];
	watchers->n_from[watcher->origin]--;
	sd_event_source_disable_unref(watcher->io);
	sd_event_source_disable_unref(watcher->timer);
	if (watcher->fd >= 0)
		close(watcher->fd);
	free(watcher);
}

/* Makes the next line if something has changed. Returns whether it has. */
static bool next_line(struct watcher *watcher)
{
	const struct leds *leds = watcher->watchers->leds;
	struct showing shown[LEDS_MAX];
	unsigned n = leds_shown(leds, shown), number;

	if (!news_next(&watcher->news, shown, n, &number))
		return false;
	leds_line(leds, number, watcher->line);
	strcat(watcher->line, watcher->mark);
	strcat(watcher->line, "\n");
	watcher->mark = "";
	watcher->length = strlen(watcher->line);
	watcher->sent = 0;
	return true;
}

/* Sends what the connection takes. The watcher may be gone afterwards. */
static void send_lines(struct watcher *watcher)
{
	uint32_t events = watcher->ended ? 0 : EPOLLIN;
	ssize_t n;

	while (watcher->sent < watcher->length || next_line(watcher)) {
		n = send(watcher->fd, watcher->line + watcher->sent,
			watcher->length - watcher->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN) {
			sd_event_source_set_io_events(watcher->io, events | EPOLLOUT);
			timer_start_if_stopped(watcher->timer, UNREAD_USEC);
			return;
		}
		if (n < 0) {
			watcher_destroy(watcher);
			return;
		}
		timer_stop(watcher->timer);
		watcher->sent += (size_t)n;
	}
	sd_event_source_set_io_events(watcher->io, events);
}

/* Reads and drops what it sends, which says only when it has left. Returns false if it has. */
static bool drop_input(struct watcher *watcher)
{
	char bytes[1024];
	ssize_t n = recv(watcher->fd, bytes, sizeof bytes, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	watcher->received += (size_t)n;
	/* It may have ended only its own half, as "nc -N" does. */
	watcher->ended |= n == 0;
	return watcher->received <= COMMAND_STREAM_MAX;
}

static int on_ready(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct watcher *watcher = userdata;

	if (events & (EPOLLERR | EPOLLHUP) || (events & EPOLLIN && !drop_input(watcher)))
		watcher_destroy(watcher);
	else
		send_lines(watcher);
	return 0;
}

static int on_unread(sd_event_source *source, uint64_t usec, void *userdata)
{
	watcher_destroy(userdata);
	return 0;
}

static int on_changed(sd_event_source *source, void *userdata)
{
	struct watchers *watchers = userdata;

	/* From the last: one that is destroyed has its place taken by it. */
	for (unsigned i = watchers->n; i > 0; i--)
		send_lines(watchers->watchers[i - 1]);
	return 0;
}

/* The client that has made the change gets its answer first. */
static void on_leds_change(void *userdata)
{
	struct watchers *watchers = userdata;

	if (watchers->n > 0)
		deferred_start(watchers->changed);
}

struct watchers *watchers_create(sd_event *event, struct leds *leds)
{
	struct watchers *watchers = calloc(1, sizeof *watchers);

	if (!watchers)
		return NULL;
	watchers->event = sd_event_ref(event);
	watchers->leds = leds;
	if (deferred_add(event, &watchers->changed, SD_EVENT_PRIORITY_NORMAL, on_changed,
		    watchers) < 0) {
		watchers_destroy(watchers);
		return NULL;
	}
	leds_on_change(leds, on_leds_change, watchers);
	return watchers;
}

const char *watchers_add(struct watchers *watchers, int fd, enum watchers_origin origin,
	uint32_t leds, const char *mark)
{
	const int buffer = SEND_BUFFER;
	struct watcher *watcher;
	int r;

	if (watchers->n_from[origin] == WATCHERS_MAX)
		return "16 clients watch already";
	watcher = calloc(1, sizeof *watcher);
	if (!watcher)
		return "too many connections";
	watcher->watchers = watchers;
	watcher->origin = origin;
	watcher->news.mask = leds;
	watcher->mark = mark;
	watcher->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	watchers->watchers[watchers->n++] = watcher;
	watchers->n_from[origin]++;
	r = sd_event_add_io(watchers->event, &watcher->io, watcher->fd, EPOLLIN, on_ready, watcher);
	if (r >= 0)
		r = timer_add(watchers->event, &watcher->timer, ACCURACY_USEC, on_unread, watcher);
	if (r < 0) {
		watcher_destroy(watcher);
		return "too many connections";
	}
	setsockopt(watcher->fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
	send_lines(watcher);
	return NULL;
}

void watchers_destroy(struct watchers *watchers)
{
	if (!watchers)
		return;
	while (watchers->n > 0)
		watcher_destroy(watchers->watchers[watchers->n - 1]);
	sd_event_source_disable_unref(watchers->changed);
	sd_event_unref(watchers->event);
	free(watchers);
}
