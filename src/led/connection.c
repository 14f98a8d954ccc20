/* SPDX-License-Identifier: MIT */

/* led's connection to a server: looks up, connects, sends, reads lines. */

#include "connection.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "keepalive.h"

void connection_init(struct connection *connection)
{
	*connection = (struct connection){.fd = -1};
}

/* Returns a descriptor, or -1 with errno set. */
static int connect_to(const struct sockaddr *address, socklen_t size)
{
	const struct timeval limit = {.tv_sec = CONNECTION_OPEN_USEC / 1000000};
	CLEANUP(cleanup_fd) int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (connect(fd, address, size) < 0) {
		/* This is what connect(2) says when SO_SNDTIMEO has run out: socket(7). */
		if (errno == EINPROGRESS || errno == EAGAIN)
			errno = ETIMEDOUT;
		return -1;
	}
	if (address->sa_family != AF_UNIX)
		keepalive_start(fd);
	return cleanup_keep_fd(&fd);
}

/* Looks a name up, and tries its addresses. */
static const char *open_by_name(struct connection *connection, const struct address *server)
{
	struct addrinfo *result;
	int r = getaddrinfo(server->host, server->port, &ADDRESS_HINTS, &result);

	if (r != 0)
		return r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r);
	for (const struct addrinfo *i = result; i && connection->fd < 0; i = i->ai_next)
		connection->fd = connect_to(i->ai_addr, i->ai_addrlen);
	r = errno;
	freeaddrinfo(result);
	return connection->fd < 0 ? strerror(r) : NULL;
}

const char *connection_open(struct connection *connection, const struct address *server)
{
	struct sockaddr_storage storage;
	socklen_t size = address_sockaddr(server, &storage);

	connection_init(connection);
	if (size == 0)
		return open_by_name(connection, server);
	connection->fd = connect_to((struct sockaddr *)&storage, size);
	return connection->fd < 0 ? strerror(errno) : NULL;
}

const char *connection_send(struct connection *connection, const char *command)
{
	/* So few bytes fit in at once. */
	return send(connection->fd, command, strlen(command), MSG_NOSIGNAL) < 0 ? strerror(errno)
										: NULL;
}

/* Returns whether there is something to read. */
static bool wait_for_input(int fd, uint64_t until)
{
	struct pollfd input = {.fd = fd, .events = POLLIN};
	uint64_t now = clock_usec();
	int n, timeout = -1;

	do {
		if (until != CONNECTION_FOREVER)
			timeout = now < until ? (int)((until - now + 999) / 1000) : 0;
		n = poll(&input, 1, timeout);
		now = clock_usec();
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

/* Returns the line that is complete in the buffer, or NULL. */
static char *next_line(struct connection *connection)
{
	char *start = connection->buffer + connection->taken;
	char *newline = memchr(start, '\n', connection->length - connection->taken);

	if (!newline)
		return NULL;
	*newline = '\0';
	connection->taken = (size_t)(newline + 1 - connection->buffer);
	return start;
}

const char *connection_read(struct connection *connection, char **line, uint64_t until)
{
	ssize_t n;

	while (!(*line = next_line(connection))) {
		connection->length -= connection->taken;
		memmove(connection->buffer, connection->buffer + connection->taken,
			connection->length);
		connection->taken = 0;
		if (connection->length == sizeof connection->buffer)
			return "the line is too long";
		if (!wait_for_input(connection->fd, until))
			return "it does not answer";
		n = recv(connection->fd, connection->buffer + connection->length,
			sizeof connection->buffer - connection->length, 0);
		if (n == 0)
			return "it closed the connection";
		if (n < 0)
			return strerror(errno);
		connection->length += (size_t)n;
	}
	return NULL;
}

void connection_close(struct connection *connection, bool answered)
{
	const struct linger at_once = {.l_onoff = 1};

	if (connection->fd < 0)
		return;
	if (!answered)
		setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	close(connection->fd);
	connection->fd = -1;
}
