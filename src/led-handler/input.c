/* SPDX-License-Identifier: MIT */

/* Waits for a client, reads its command, and drops what else it sends. */

#include "input.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

bool input_wait(int fd, uint64_t until_usec)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	uint64_t now;
	int r;

	do {
		now = clock_usec();
		r = poll(&ready, 1, now >= until_usec ? 0 : (int)((until_usec - now + 999) / 1000));
	} while (r < 0 && errno == EINTR);
	return r != 0;
}

enum reading input_read(int fd, struct reader *reader)
{
	enum reading reading = READING_MORE;
	char bytes[1024];
	ssize_t n;

	for (;;) {
		n = read(fd, bytes, sizeof bytes);
		if (n > 0)
			reading = reader_take(
				reader, bytes, (size_t)n, n == sizeof bytes, clock_usec());
		else if (n == 0 || (errno != EINTR && errno != EAGAIN))
			reading = reader_end(reader, n < 0);
		if (reading != READING_MORE)
			return reading;
		if (!input_wait(fd, reader_until(reader)))
			return reader_quiet(reader);
	}
}

bool input_has_ended(int fd)
{
	int waiting = 1;
	ssize_t n;
	char byte;

	n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && errno == ENOTSOCK)
		return ioctl(fd, FIONREAD, &waiting) == 0 && waiting == 0;
	return n == 0 || (n < 0 && errno != EAGAIN);
}

void input_drain(int fd)
{
	uint64_t deadline_usec = clock_usec() + COMMAND_DRAIN_MS * 1000ULL;
	char bytes[4096];

	while (clock_usec() < deadline_usec && input_wait(fd, deadline_usec))
		if (read(fd, bytes, sizeof bytes) <= 0)
			return;
}
