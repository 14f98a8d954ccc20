/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "arrival.h"
#include "tap.h"

static struct arrival_clock ticks;

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A connection to ourselves: ends[0] is the client's end, ends[1] the server's. */
static void connect_pair(int ends[2])
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof in;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(bind(listener, (struct sockaddr *)&in, sizeof in) == 0);
	CHECK(listen(listener, 1) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&in, &size) == 0);
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(ends[0], (struct sockaddr *)&in, sizeof in) == 0);
	ends[1] = accept(listener, NULL, NULL);
	CHECK(ends[1] >= 0);
	close(listener);
}

/* Sends a byte, and waits until it is there. */
static void send_byte(const int ends[2])
{
	char byte;

	CHECK(send(ends[0], "x", 1, 0) == 1);
	CHECK(recv(ends[1], &byte, 1, 0) == 1);
}

TEST("a time is the same however late it is asked for")
{
	uint64_t first, again, now;
	int ends[2];

	connect_pair(ends);
	send_byte(ends);
	first = arrival_ms(&ticks, ends[1], &now);
	for (int i = 0; i < 2000; i++) {
		again = arrival_ms(&ticks, ends[1], &now);
		if (again != first)
			printf("# %llu, then %llu\n", (unsigned long long)first,
				(unsigned long long)again);
		CHECK(again == first);
		usleep(100);
	}
	close(ends[0]);
	close(ends[1]);
}

TEST("a time is never earlier than what came before")
{
	uint64_t before = 0, at, now;

	for (int i = 0; i < 3000; i++) {
		int ends[2];

		connect_pair(ends);
		send_byte(ends);
		at = arrival_ms(&ticks, ends[1], &now);
		CHECK(at >= before);
		CHECK(now >= at && arrival_now_ms(&ticks) >= now);
		before = at;
		close(ends[0]);
		close(ends[1]);
	}
}

TEST("what is no connection came just now")
{
	uint64_t start = now_ms(), now, at = arrival_ms(&ticks, STDIN_FILENO, &now);

	/* Ticks are lost while a machine boots. */
	CHECK(at + 600000 > start && at < start + 600000);
	CHECK(at == now);
}

TEST("now goes on, and not faster than other clocks")
{
	uint64_t start = now_ms(), first = arrival_now_ms(&ticks), now = first;

	while (now == first)
		now = arrival_now_ms(&ticks);
	CHECK(now > first && now - first <= now_ms() - start + 10);
}

TEST("without a clock of ticks there is another")
{
	struct arrival_clock none = {-1};
	uint64_t now, at = arrival_ms(&none, STDIN_FILENO, &now), end = now_ms();

	CHECK(at == now && at <= end && at + 1000 > end);
	CHECK(arrival_now_ms(&none) >= now);
}

int main(void)
{
	arrival_clock_open(&ticks);
	return tap_run();
}
