/* SPDX-License-Identifier: MIT */

/* Passes on what led-line says to a client that watches. */

#include "watch.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "command.h"

/* A client that has not read for this long is given up. */
#define UNREAD_MS 10000

/* Less than a pipe takes at once when it is ready: pipe(7). */
#define CHUNK 1024

/* Writes without waiting. Returns how much, or -1. */
static ssize_t write_some(int fd, const char *bytes, size_t n)
{
	ssize_t r = send(fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);

	return r < 0 && errno == ENOTSOCK ? write(fd, bytes, n) : r;
}

static bool write_all(int fd, const char *bytes, size_t n)
{
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	ssize_t r;

	while (n > 0) {
		r = poll(&ready, 1, UNREAD_MS);
		if (r > 0)
			r = write_some(fd, bytes, n);
		else if (r == 0)
			return false;
		if (r < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (r > 0) {
			bytes += r;
			n -= (size_t)r;
		}
	}
	return true;
}

void watch_pass_on(int in, int out, int from)
{
	/* Without events, poll(2) tells when the client is gone. */
	struct pollfd fds[] = {
		{.fd = from, .events = POLLIN}, {.fd = out}, {.fd = in, .events = POLLIN}};
	char bytes[CHUNK];
	size_t received = 0;
	ssize_t n;

	for (;;) {
		if (poll(fds, sizeof fds / sizeof *fds, -1) < 0 && errno != EINTR)
			return;
		if (fds[1].revents)
			return;
		if (fds[2].revents) {
			n = read(in, bytes, sizeof bytes);
			if (n <= 0)
				fds[2].fd = -1;
			else
				received += (size_t)n;
			if (received > COMMAND_STREAM_MAX)
				return;
		}
		if (!fds[0].revents)
			continue;
		n = read(from, bytes, sizeof bytes);
		if (n <= 0 || !write_all(out, bytes, (size_t)n))
			return;
	}
}
