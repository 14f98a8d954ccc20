/* SPDX-License-Identifier: MIT */

/* Finds out that the other end of a silent TCP connection has gone. */

#include "keepalive.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/socket.h>

void keepalive_start(int fd)
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
