/* SPDX-License-Identifier: MIT */
#include "input.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

uint64_t input_now_ms(void)
{
	return clock_usec() / 1000;
}

bool input_wait(int fd, uint64_t deadline_ms)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	uint64_t now;
	int r;

	do {
		now = input_now_ms();
		r = poll(&ready, 1, now >= deadline_ms ? 0 : (int)(deadline_ms - now));
	} while (r < 0 && errno == EINTR);
	return r != 0;
}

const char *input_read_command(int fd, uint64_t deadline_ms, struct command *command, bool *ended)
{
	bool begun = false;
	char bytes[1024];
	uint64_t until;
	ssize_t n;

	for (;;) {
		n = read(fd, bytes, sizeof bytes);
		if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
			*ended = true;
			return n == 0 || command->terminated ? NULL : "the connection broke";
		}
		/* After a full buffer, what follows the terminator may still be unread. */
		if (n > 0 && command_feed(command, bytes, (size_t)n) &&
			((size_t)n < sizeof bytes || command->too_long || command->trailing))
			return NULL;

		if (command->begun && !begun)
			deadline_ms = input_now_ms() + COMMAND_DEADLINE_MS;
		begun = command->begun;
		until = deadline_ms;
		if (begun)
			until = input_now_ms() + (command->terminated ? 0 : COMMAND_QUIET_MS);
		if (input_wait(fd, until < deadline_ms ? until : deadline_ms))
			continue;
		if (!begun)
			return COMMAND_SILENT;
		return command->terminated || until < deadline_ms ? NULL : COMMAND_INCOMPLETE;
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
	uint64_t deadline_ms = input_now_ms() + COMMAND_DRAIN_MS;
	char bytes[4096];

	while (input_now_ms() < deadline_ms && input_wait(fd, deadline_ms))
		if (read(fd, bytes, sizeof bytes) <= 0)
			return;
}
