/* SPDX-License-Identifier: MIT */

/* The standard descriptors: none of them is left closed. */

#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

unsigned descriptors_fill(void)
{
	/* One system call for all of them: led-handler starts for each connection. */
	struct pollfd fds[] = {{.fd = STDIN_FILENO}, {.fd = STDOUT_FILENO}, {.fd = STDERR_FILENO},
		{.fd = STDERR_FILENO + 1}};
	unsigned closed = 0;

	if (poll(fds, sizeof fds / sizeof *fds, 0) <= 0)
		return 0;
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
		if (!(fds[i].revents & POLLNVAL))
			continue;
		closed |= 1U << fds[i].fd;
		/* The lowest number that is free: this one. */
		if (fds[i].fd <= STDERR_FILENO && open("/dev/null", O_RDWR) < 0) {
			dprintf(STDERR_FILENO, "/dev/null: %s\n", strerror(errno));
			exit(EXIT_FAILURE);
		}
	}
	return closed;
}
