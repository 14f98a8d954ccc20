/* SPDX-License-Identifier: MIT */

/* A connection to led-line: one command, and the lines that answer it. */

#include "exchange.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keepalive.h"

void exchange_close(struct exchange *exchange)
{
	if (!exchange->io)
		return;
	exchange->io = sd_event_source_disable_unref(exchange->io);
	close(exchange->fd);
}

static void finish(struct exchange *exchange, const char *why)
{
	exchange_close(exchange);
	exchange->ended(exchange->userdata, why, exchange->sent);
}

/* Takes the lines that are complete. Returns whether the connection is still open. */
static bool take_lines(struct exchange *exchange)
{
	char *text = exchange->buffer, *stop = text + exchange->length, *newline;

	while ((newline = memchr(text, '\n', (size_t)(stop - text)))) {
		char *end = newline;

		while (end > text && end[-1] == ' ')
			end--;
		*end = '\0';
		for (char *p = text; p < end; p++)
			if (*p < ' ' || *p > '~')
				*p = '?';
		if (!exchange->taken(exchange->userdata, text))
			return false;
		text = newline + 1;
	}
	exchange->length = (size_t)(stop - text);
	memmove(exchange->buffer, text, exchange->length);
	return true;
}

static int on_ready(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct exchange *exchange = userdata;
	int error = 0;
	socklen_t size = sizeof error;
	ssize_t n;

	if (!exchange->sent) {
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
		/* So few bytes fit in at once. */
		if (!error &&
			send(fd, exchange->command, strlen(exchange->command), MSG_NOSIGNAL) < 0)
			error = errno;
		if (error) {
			finish(exchange, strerror(error));
			return 0;
		}
		exchange->sent = true;
		sd_event_source_set_io_events(exchange->io, EPOLLIN);
		return 0;
	}
	n = recv(fd, exchange->buffer + exchange->length,
		sizeof exchange->buffer - exchange->length, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		finish(exchange, n < 0 ? strerror(errno) : "led-line closed the connection");
		return 0;
	}
	exchange->length += (size_t)n;
	if (take_lines(exchange) && exchange->length == sizeof exchange->buffer)
		finish(exchange, "a line is too long");
	return 0;
}

void exchange_open(
	struct exchange *exchange, sd_event *event, const struct address *line, const char *command)
{
	struct sockaddr_storage storage;
	socklen_t size = address_sockaddr(line, &storage);
	int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = 0;

	exchange->command = command;
	exchange->sent = false;
	exchange->length = 0;
	/* A UNIX socket connects at once. If its queue is full, it says EAGAIN. */
	if (fd < 0 || (connect(fd, (struct sockaddr *)&storage, size) < 0 && errno != EINPROGRESS))
		r = -errno;
	else
		r = sd_event_add_io(event, &exchange->io, fd, EPOLLOUT, on_ready, exchange);
	if (r < 0) {
		if (fd >= 0)
			close(fd);
		exchange->ended(exchange->userdata, strerror(-r), false);
		return;
	}
	exchange->fd = fd;
	if (!*line->path)
		keepalive_start(fd);
}
