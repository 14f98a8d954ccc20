/* SPDX-License-Identifier: MIT */
#include "keepalive.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap.h"

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t size = sizeof value;

	return getsockopt(fd, level, name, &value, &size) == 0 ? value : -1;
}

TEST("the other end is asked after a minute of silence, and given up half a minute later")
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(option(fd, SOL_SOCKET, SO_KEEPALIVE) == 0);
	keepalive_start(fd);
	CHECK(option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
	CHECK(option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 60);
	CHECK(option(fd, IPPROTO_TCP, TCP_KEEPINTVL) * option(fd, IPPROTO_TCP, TCP_KEEPCNT) == 30);
	close(fd);
}

TAP_MAIN
