/* SPDX-License-Identifier: MIT */

/* A client whose bytes come at times that the test says: this has the functions of time. */

#include "input.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "tap.h"

#define SECOND 1000000ULL
#define START (1000 * SECOND)

static uint64_t now;
static int client, server; /* the two ends of the connection */
static uint64_t busy_usec; /* so long takes each poll(2) */
static int n_interrupts;   /* so often is poll(2) interrupted, each time after a second */

/* What the client does, and when. */
static struct step {
	uint64_t after; /* microseconds after START */
	const char *text;
	enum { SENDS, ENDS, RESETS } what;
} steps[64];
static unsigned n_steps, n_done;

uint64_t clock_usec(void)
{
	return now;
}

static void do_step(const struct step *step)
{
	const struct linger at_once = {.l_onoff = 1};

	switch (step->what) {
	case SENDS:
		send(client, step->text, strlen(step->text), MSG_NOSIGNAL);
		break;
	case ENDS:
		shutdown(client, SHUT_WR);
		break;
	case RESETS:
		/* There is something unread. */
		send(server, "x", 1, MSG_NOSIGNAL);
		setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
		close(client);
		client = -1;
	}
}

/* Time passes in here alone. */
int poll(struct pollfd *fds, nfds_t n, int ms)
{
	static const struct timespec none;
	int r = ppoll(fds, n, &none, NULL);

	now += busy_usec;
	if (r != 0 || ms == 0)
		return r;
	if (n_interrupts > 0) {
		n_interrupts--;
		now += SECOND;
		errno = EINTR;
		return -1;
	}
	if (n_done == n_steps || START + steps[n_done].after > now + (uint64_t)ms * 1000) {
		now += (uint64_t)ms * 1000;
		return 0;
	}
	now = START + steps[n_done].after;
	do_step(&steps[n_done++]);
	return ppoll(fds, n, &none, NULL);
}

static void begin(void)
{
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	server = pair[0];
	client = pair[1];
	now = START;
	n_steps = n_done = 0;
	n_interrupts = 0;
	busy_usec = 0;
}

static void end(void)
{
	close(server);
	if (client >= 0)
		close(client);
}

static void plan(uint64_t after, int what, const char *text)
{
	steps[n_steps++] = (struct step){after, text, what};
}

/* Reads the client's command. */
static struct reader read_it(enum reading wanted)
{
	struct reader reader = {.deadline_usec = START + 30 * SECOND};

	if (input_wait(server, reader.deadline_usec))
		CHECK(input_read(server, &reader) == wanted);
	else
		CHECK(wanted == READING_MORE);
	return reader;
}

static const char *text_of(const struct reader *reader)
{
	static char text[COMMAND_QUOTE_MAX];

	return command_quote(&reader->command, text);
}

TEST("a command comes in pieces, and is there at once with its newline")
{
	struct reader reader;

	begin();
	plan(20 * SECOND, SENDS, "LED");
	plan(20 * SECOND + 900000, SENDS, " O");
	plan(20 * SECOND + 1800000, SENDS, "N\n");
	reader = read_it(READING_COMPLETE);
	CHECK_TEXT(text_of(&reader), "LED ON");
	CHECK(now == START + 20 * SECOND + 1800000 && !reader.ended);
	end();
}

TEST("one without a newline is there after a second without a byte, or with the end")
{
	struct reader reader;

	begin();
	plan(SECOND, SENDS, "LED ON");
	reader = read_it(READING_COMPLETE);
	CHECK_TEXT(text_of(&reader), "LED ON");
	CHECK(now == START + 2 * SECOND);
	end();
	begin();
	plan(SECOND, SENDS, "LED OFF");
	plan(SECOND, ENDS, NULL);
	reader = read_it(READING_COMPLETE);
	CHECK_TEXT(text_of(&reader), "LED OFF");
	CHECK(now == START + SECOND && reader.ended);
	end();
}

TEST("more than one read is taken, as far as it is there")
{
	char text[1500];
	struct reader reader;

	begin();
	memset(text, ' ', sizeof text);
	memcpy(text, "LED ON\n", 7);
	text[sizeof text - 1] = '\0';
	plan(0, SENDS, text);
	reader = read_it(READING_COMPLETE);
	CHECK(reader.command.received == sizeof text - 1);
	end();
}

TEST("a command that is too slow is refused after 5 s")
{
	struct reader reader;

	begin();
	for (unsigned i = 0; i < 20; i++)
		plan(SECOND + i * (SECOND / 2), SENDS, "L");
	reader = read_it(READING_REFUSED);
	CHECK_TEXT(reader.why, COMMAND_INCOMPLETE);
	CHECK(now == START + 6 * SECOND);
	end();
}

TEST("a connection that breaks is no command")
{
	struct reader reader;

	begin();
	plan(SECOND, SENDS, "LED ON");
	plan(SECOND, RESETS, NULL);
	reader = read_it(READING_REFUSED);
	CHECK_TEXT(reader.why, "the connection broke");
	CHECK(reader.ended);
	end();
}

TEST("it waits no longer than until its time, whatever interrupts it")
{
	begin();
	CHECK(!input_wait(server, START + 3 * SECOND) && now == START + 3 * SECOND);
	CHECK(!input_wait(server, START) && now == START + 3 * SECOND);
	n_interrupts = 2;
	CHECK(!input_wait(server, START + 6 * SECOND + 1) && n_interrupts == 0);
	CHECK(now > START + 6 * SECOND && now <= START + 6 * SECOND + 1000);
	plan(7 * SECOND, SENDS, "L");
	CHECK(input_wait(server, START + 30 * SECOND) && now == START + 7 * SECOND);
	/* What is there is seen although the time is over. */
	CHECK(input_wait(server, START));
	end();
}

TEST("a stream that ends before anything came has ended, and nothing of any is read")
{
	int fds[2], waiting = 0;
	char byte;

	begin();
	CHECK(!input_has_ended(server));
	CHECK(send(client, "L", 1, 0) == 1 && !input_has_ended(server));
	shutdown(client, SHUT_WR);
	CHECK(!input_has_ended(server));
	CHECK(read(server, &byte, 1) == 1 && byte == 'L' && input_has_ended(server));
	end();
	begin();
	plan(0, RESETS, NULL);
	CHECK(input_wait(server, START + 1) && input_has_ended(server));
	end();

	CHECK(pipe(fds) == 0 && write(fds[1], "L", 1) == 1 && !input_has_ended(fds[0]));
	CHECK(ioctl(fds[0], FIONREAD, &waiting) == 0 && waiting == 1);
	CHECK(read(fds[0], &byte, 1) == 1);
	close(fds[1]);
	CHECK(input_has_ended(fds[0]));
	close(fds[0]);
}

TEST("what a refused client still sends is dropped until it ends, for a second at most")
{
	static char flood[100000];
	int waiting = 0;

	begin();
	plan(100000, SENDS, "a");
	plan(200000, SENDS, "b");
	plan(300000, ENDS, NULL);
	input_drain(server);
	CHECK(now == START + 300000);
	end();

	begin();
	for (unsigned i = 1; i < 30; i++)
		plan(i * (SECOND / 10), SENDS, "x");
	input_drain(server);
	CHECK(now == START + SECOND);
	CHECK(ioctl(server, FIONREAD, &waiting) == 0 && waiting <= 1);
	end();

	begin();
	busy_usec = 100000;
	memset(flood, 'x', sizeof flood);
	CHECK(send(client, flood, sizeof flood, 0) == sizeof flood);
	input_drain(server);
	CHECK(now == START + SECOND);
	CHECK(ioctl(server, FIONREAD, &waiting) == 0 && waiting > 0);
	end();

	begin();
	plan(100000, RESETS, NULL);
	input_drain(server);
	CHECK(now == START + 100000);
	end();
}

TAP_MAIN
