/* SPDX-License-Identifier: MIT */
#include "arrival.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>

/*
 * The coarse clock steps with the same tick that tcpi_last_data_recv is counted
 * in, so that the difference of the two is the same however long after the
 * arrival it is taken.
 */
static uint64_t tick_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t arrival_ms(int fd)
{
	uint64_t before, after = tick_ms();
	struct tcp_info info;
	socklen_t size;

	/* Once more when a tick came between the two clocks. */
	for (int tries = 0; tries < 5; tries++) {
		before = after;
		size = sizeof info;
		if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
			return before;
		after = tick_ms();
		if (before == after)
			break;
	}
	return after > info.tcpi_last_data_recv ? after - info.tcpi_last_data_recv : 0;
}
