/* SPDX-License-Identifier: MIT */

/* A client and a led-line that do something when the watch waits: in poll(2). */

#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "command.h"
#include "tap.h"

static int client, server;    /* the client's connection, its end and ours */
static int led_line, handler; /* led-line's */

/* What happens each time that there is nothing to do, in turn; NULL: the time is over. */
static void (*steps[8])(void);
static unsigned n_steps, n_done;
static int n_reads;   /* so often the client reads after them */
static int waited_ms; /* as last said to poll(2) */

static char got[4 * 65536]; /* what the client has read */
static size_t n_got;

static void read_client(void)
{
	ssize_t n;

	while ((n = recv(client, got + n_got, sizeof got - 1 - n_got, MSG_DONTWAIT)) > 0)
		n_got += (size_t)n;
	got[n_got] = '\0';
}

/* A connection that takes so many bytes at once; 0: all. */
static size_t most_at_once;

ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
	return sendto(
		fd, bytes, most_at_once > 0 && n > most_at_once ? most_at_once : n, flags, NULL, 0);
}

int poll(struct pollfd *fds, nfds_t n, int ms)
{
	static const struct timespec none;

	waited_ms = ms;
	for (;;) {
		int r = ppoll(fds, n, &none, NULL);

		if (r != 0)
			return r;
		if (n_done == n_steps) {
			/* It would wait for ever. */
			if (n_reads-- == 0)
				abort();
			read_client();
			continue;
		}
		if (!steps[n_done]) {
			n_done++;
			return 0;
		}
		steps[n_done++]();
	}
}

static void begin(void)
{
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	client = pair[0];
	server = pair[1];
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	led_line = pair[0];
	handler = pair[1];
	n_steps = n_done = 0;
	n_reads = 0;
	n_got = 0;
	*got = '\0';
}

static void end(void)
{
	close(client);
	close(server);
	close(led_line);
	close(handler);
}

static void plan(void (*step)(void))
{
	steps[n_steps++] = step;
}

static void led_line_says(void)
{
	CHECK(send(led_line, "OK LED ON\n", 10, 0) == 10);
}

static void led_line_leaves(void)
{
	shutdown(led_line, SHUT_RDWR);
}

static void client_leaves(void)
{
	shutdown(client, SHUT_RDWR);
}

static void client_ends(void)
{
	shutdown(client, SHUT_WR);
}

/* Sends what led-handler drops. */
static void send_n(size_t n)
{
	static const char bytes[1024];

	for (; n > 0; n -= n < sizeof bytes ? n : sizeof bytes)
		CHECK(send(client, bytes, n < sizeof bytes ? n : sizeof bytes, 0) > 0);
}

static void client_sends_half(void)
{
	send_n(COMMAND_STREAM_MAX / 2);
}

static void client_sends_one(void)
{
	send_n(1);
}

TEST("each line is passed on as it comes, until led-line leaves")
{
	begin();
	plan(led_line_says);
	plan(read_client);
	plan(led_line_says);
	plan(led_line_leaves);
	watch_pass_on(server, server, handler);
	CHECK_TEXT(got, "OK LED ON\n");
	read_client();
	CHECK_TEXT(got, "OK LED ON\nOK LED ON\n");
	CHECK(n_done == n_steps);
	end();
}

TEST("a client that takes a few bytes at once gets each of them")
{
	begin();
	led_line_says();
	led_line_says();
	led_line_leaves();
	most_at_once = 3;
	watch_pass_on(server, server, handler);
	most_at_once = 0;
	read_client();
	CHECK_TEXT(got, "OK LED ON\nOK LED ON\n");
	end();
}

TEST("a client that leaves ends it")
{
	begin();
	plan(led_line_says);
	plan(client_leaves);
	plan(led_line_says);
	watch_pass_on(server, server, handler);
	CHECK(n_done == 2);
	end();
}

TEST("a client that only ends its own stream goes on watching")
{
	begin();
	plan(client_ends);
	plan(led_line_says);
	plan(led_line_leaves);
	watch_pass_on(server, server, handler);
	read_client();
	CHECK_TEXT(got, "OK LED ON\n");
	CHECK(n_done == n_steps);
	end();
}

TEST("what the client sends is dropped, and no more of it taken than there may be")
{
	begin();
	plan(client_sends_half);
	plan(client_sends_half);
	plan(led_line_says);
	plan(client_sends_one);
	plan(led_line_says);
	watch_pass_on(server, server, handler);
	read_client();
	CHECK_TEXT(got, "OK LED ON\n");
	CHECK(n_done == 4);
	end();
}

/* Has led-line say so much that the client's connection is full. Returns how many bytes. */
static size_t fill(void)
{
	int size = 4096, large = 1 << 18;
	char bytes[1000];
	size_t n = 0;

	CHECK(setsockopt(server, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
	CHECK(setsockopt(led_line, SOL_SOCKET, SO_SNDBUF, &large, sizeof large) == 0);
	memset(bytes, 'x', sizeof bytes);
	for (int i = 0; i < 50; i++)
		n += (size_t)send(led_line, bytes, sizeof bytes, MSG_DONTWAIT);
	CHECK(n == 50 * sizeof bytes);
	return n;
}

TEST("a client that does not read is waited for, and loses nothing when it reads again")
{
	size_t n;

	begin();
	n = fill();
	led_line_leaves();
	n_reads = 1000;
	watch_pass_on(server, server, handler);
	CHECK(n_reads < 1000);
	read_client();
	CHECK(n_got == n);
	end();
}

TEST("one that has not read for 10 s is given up")
{
	begin();
	fill();
	plan(NULL);
	plan(led_line_leaves);
	watch_pass_on(server, server, handler);
	CHECK(n_done == 1 && waited_ms == 10000);
	end();
}

TEST("a client may be two pipes")
{
	int in[2] = {-1, -1}, out[2] = {-1, -1};

	begin();
	CHECK(pipe(in) == 0 && pipe(out) == 0);
	led_line_says();
	led_line_leaves();
	watch_pass_on(in[0], out[1], handler);
	CHECK(read(out[0], got, sizeof got) == 10 && memcmp(got, "OK LED ON\n", 10) == 0);
	close(in[0]);
	close(in[1]);
	close(out[0]);
	close(out[1]);
	end();
}

TAP_MAIN
