/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../../src/common/arrival.h"
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

static void the_same_however_late_it_is_asked(void)
{
	uint64_t first, again;
	int ends[2];

	connect_pair(ends);
	send_byte(ends);
	first = arrival_ms(&ticks, ends[1]);
	for (int i = 0; i < 2000; i++) {
		again = arrival_ms(&ticks, ends[1]);
		if (again != first)
			printf("# %llu, then %llu\n", (unsigned long long)first,
				(unsigned long long)again);
		CHECK(again == first);
		usleep(100);
	}
	close(ends[0]);
	close(ends[1]);
}

static void never_earlier_than_what_came_before(void)
{
	uint64_t before = 0, at;

	for (int i = 0; i < 3000; i++) {
		int ends[2];

		connect_pair(ends);
		send_byte(ends);
		at = arrival_ms(&ticks, ends[1]);
		CHECK(at >= before);
		before = at;
		close(ends[0]);
		close(ends[1]);
	}
}

static void what_is_no_connection_came_now(void)
{
	uint64_t now = now_ms(), at = arrival_ms(&ticks, STDIN_FILENO);

	/* Ticks are lost while a machine boots. */
	CHECK(at + 600000 > now && at < now + 600000);
}

static void without_a_clock_of_ticks(void)
{
	struct arrival_clock none = {-1};
	uint64_t at = arrival_ms(&none, STDIN_FILENO), now = now_ms();

	CHECK(at <= now && at + 1000 > now);
}

int main(void)
{
	static const struct tap_test TESTS[] = {
		{"a time is the same however late it is asked for",
			the_same_however_late_it_is_asked},
		{"a time is never earlier than what came before",
			never_earlier_than_what_came_before},
		{"what is no connection came just now", what_is_no_connection_came_now},
		{"without a clock of ticks there is another", without_a_clock_of_ticks},
	};

	arrival_clock_open(&ticks);
	return tap_run(TESTS, sizeof TESTS / sizeof *TESTS);
}
