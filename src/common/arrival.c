/* SPDX-License-Identifier: MIT */

/* When bytes reached this machine: the age that TCP knows of them, and the tick it counts from. */

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

/* The time that was age milliseconds before a tick. Without a tick, before now. */
static uint64_t time_of(bool has_tick, uint32_t tick, uint32_t age)
{
	/* 32 bits of milliseconds last for 49 days: the coarse clock has the rest. */
	uint64_t estimate = coarse_ms() - age;
	int32_t difference = (int32_t)(tick - age - (uint32_t)(estimate + INITIAL_MS));

	/* On a kernel that counts in another way, the coarse clock is the best that there is. */
	if (!has_tick || abs(difference) > TOLERANCE_MS)
		return estimate;
	return estimate + (uint64_t)(int64_t)difference;
}

uint64_t arrival_now_ms(const struct arrival_clock *clock)
{
	uint32_t tick = 0;
	bool has_tick = last_data_recv(clock->fd, &tick);

	return time_of(has_tick, tick, 0);
}

uint64_t arrival_ms(const struct arrival_clock *clock, int fd, uint64_t *now)
{
	uint32_t tick = 0, after = 0, age = 0;
	bool has_tick = last_data_recv(clock->fd, &tick);

	/* Only the same tick before and after is the one that the age counts from. */
	for (int i = 0; i < TRIES && last_data_recv(fd, &age); i++) {
		if (!has_tick || !last_data_recv(clock->fd, &after) || after == tick)
			break;
		tick = after;
	}
	*now = time_of(has_tick, tick, 0);
	return time_of(has_tick, tick, age);
}
