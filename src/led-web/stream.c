/* SPDX-License-Identifier: MIT */

/* Streams. One that has nothing to say for now is a suspended connection. */

#include "stream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "keepalive.h"
#include "response.h"
#include "timer.h"

/* A stream that says nothing else says so, by a comment. */
#define COMMENT_USEC 30000000ULL
#define ACCURACY_USEC 100000

/* What a stream has sent and nobody has read, in bytes; the kernel doubles it. */
#define BUFFER_BYTES 4096

/* Has the next event, if there is none that is not sent yet. */
static enum feed_step next_event(struct visit *visit)
{
	const struct web *web = visit->web;
	enum feed_step step;

	if (visit->event_sent < visit->event_length)
		return FEED_EVENT;
	step = feed_next(&visit->feed, follower_get(web->follower), web_away(web), visit->event);
	visit->event_length = step == FEED_EVENT ? strlen(visit->event) : 0;
	visit->event_sent = 0;
	return step;
}

/* Writes what is new. libmicrohttpd calls it when the connection takes more. */
static ssize_t read_stream(void *userdata, uint64_t position, char *buffer, size_t room)
{
	struct visit *visit = userdata;
	enum feed_step step = FEED_EVENT;
	size_t written = 0, n;

	if (visit->is_gone || visit->web->stopping)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	while (written < room && (step = next_event(visit)) == FEED_EVENT) {
		n = visit->event_length - visit->event_sent;
		if (n > room - written)
			n = room - written;
		memcpy(buffer + written, visit->event + visit->event_sent, n);
		visit->event_sent += n;
		written += n;
	}
	if (written > 0)
		return (ssize_t)written;
	if (step == FEED_END)
		return MHD_CONTENT_READER_END_OF_STREAM;
	visit_suspend(visit);
	return 0;
}

static int on_hangup(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct visit *visit = userdata;

	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	visit->is_gone = true;
	visit_resume(visit);
	return 0;
}

/* Only as much waits in the kernel as one reader needs, so that a slow one gets the newest. */
static bool watch(struct visit *visit)
{
	static const int BUFFER = BUFFER_BYTES;
	CLEANUP(cleanup_fd) int fd = dup(visit->fd);

	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &BUFFER, sizeof BUFFER);
	if (visit->peer.family != AF_UNIX)
		keepalive_start(fd);
	if (sd_event_add_io(visit->web->event, &visit->hangup, fd, EPOLLRDHUP, on_hangup, visit) <
		0)
		return false;
	sd_event_source_set_io_fd_own(visit->hangup, true);
	cleanup_keep_fd(&fd);
	return true;
}

enum MHD_Result stream_begin(struct visit *visit)
{
	struct web *web = visit->web;
	const char *list =
		MHD_lookup_connection_value(visit->connection, MHD_GET_ARGUMENT_KIND, "list");
	struct MHD_Response *response;
	enum MHD_Result result;

	if (!watch(visit))
		return MHD_NO;
	/* A page says which LEDs it has. */
	visit->feed = (struct feed){.list = list && *list == 'l'
						    ? strtoull(list + 1, NULL, 16)
						    : feed_list(follower_get(web->follower))};
	visit->event_length = visit->event_sent = 0;
	web->streams++;
	timer_start_if_stopped(web->comment, COMMENT_USEC);
	web->changed(web->userdata);
	response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, FEED_EVENT_MAX, read_stream, visit, NULL);
	/* A HEAD: libmicrohttpd 0.9.75 would send the last chunk. */
	if (response && visit->judgement.closes)
		MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
	result = response_send(visit, MHD_HTTP_OK, response, "text/event-stream");
	/* It may have ended already. */
	if (visit->hangup)
		visit_enter(visit, STAGE_STREAM);
	return result;
}

void stream_end(struct visit *visit)
{
	struct web *web = visit->web;

	if (!visit->hangup)
		return;
	visit->hangup = sd_event_source_disable_unref(visit->hangup);
	visit->is_gone = false;
	web->streams--;
	web->changed(web->userdata);
}

static int on_comment(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct web *web = userdata;

	for (struct visit *visit = web->visits; visit; visit = visit->next) {
		if (visit->stage != STAGE_STREAM)
			continue;
		visit->feed.comments = true;
		visit_resume(visit);
	}
	if (web->streams > 0)
		timer_start(web->comment, COMMENT_USEC);
	return 0;
}

int stream_set_up(struct web *web)
{
	return timer_add(web->event, &web->comment, ACCURACY_USEC, on_comment, web);
}
