/* SPDX-License-Identifier: MIT */
#include "arrival.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* The kernel's tick counter starts at this value, so that it overflows early: jiffies.h. */
#define INITIAL_MS (-300000)

/*
 * The most that ticks and the coarse clock may differ: ticks that are lost during boot stay lost.
 */
#define TOLERANCE_MS 600000

/* How often to look again when a tick came in between. */
#define TRIES 10

static bool last_data_recv(int fd, uint32_t *ms)
{
	struct tcp_info info;
	socklen_t size = sizeof info;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
		return false;
	*ms = info.tcpi_last_data_recv;
	return true;
}

/*
 * A TCP socket that never received anything counts from tick 0, so one call on it returns the
 * current tick. No other clock will do: it would step a moment before or after the ticks of
 * tcpi_last_data_recv, and a command could seem older than the one before it.
 */
void arrival_clock_open(struct arrival_clock *clock)
{
	clock->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

void arrival_clock_close(struct arrival_clock *clock)
{
	if (clock->fd >= 0)
		close(clock->fd);
	clock->fd = -1;
}

static uint64_t coarse_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t arrival_ms(const struct arrival_clock *clock, int fd)
{
	uint32_t tick = 0, after = 0, age = 0;
	bool ticks = last_data_recv(clock->fd, &tick);
	uint64_t estimate;
	int32_t difference;

	for (int i = 0; i < TRIES && last_data_recv(fd, &age); i++) {
		if (!ticks || !last_data_recv(clock->fd, &after) || after == tick)
			break;
		tick = after;
	}

	/* 32 bits of milliseconds last for 49 days: the coarse clock has the rest. */
	estimate = coarse_ms() - age;
	difference = (int32_t)(tick - age - (uint32_t)(estimate + INITIAL_MS));
	/* On a kernel that counts in another way, the coarse clock is the best that there is. */
	if (!ticks || abs(difference) > TOLERANCE_MS)
		return estimate;
	return estimate + (uint64_t)(int64_t)difference;
}
