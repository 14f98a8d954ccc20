/* SPDX-License-Identifier: MIT */
#include "descriptors.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
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
			perror("/dev/null");
			exit(EXIT_FAILURE);
		}
	}
	return closed;
}

void descriptors_keep_alive(int fd)
{
	static const struct {
		int level, name, value;
	} OPTIONS[] = {
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, 60},
		{IPPROTO_TCP, TCP_KEEPINTVL, 10},
		{IPPROTO_TCP, TCP_KEEPCNT, 3},
	};

	for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++)
		setsockopt(fd, OPTIONS[i].level, OPTIONS[i].name, &OPTIONS[i].value, sizeof(int));
}
