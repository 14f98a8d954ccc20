/* SPDX-License-Identifier: MIT */

/* A led-line that does as the test says, while led-handler waits for it: input.h's input_wait(). */

#include "upstream.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "input.h"
#include "tap.h"

static char folder[] = "/tmp/led-test-upstream.XXXXXX";
static struct address address;
static int listening, server;

/* What led-line does each time that it is waited for; NULL: nothing. */
static const char *parts[8];
static unsigned n_parts;
static bool resets, ends; /* after the last of them */
static uint64_t waited_until;

static char command[COMMAND_TEXT_MAX + 1]; /* that led-line has got */
static char answer[ANSWER_MAX];
static bool logged;

bool input_wait(int fd, uint64_t until_usec)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	waited_until = until_usec;
	if (server == -1) {
		ssize_t n;

		server = accept(listening, NULL, NULL);
		/* One that resets leaves it unread. */
		n = recv(server, command, sizeof command - 1, resets ? MSG_PEEK : 0);
		command[n < 0 ? 0 : n] = '\0';
	}
	if (n_parts > 0 && parts[0]) {
		CHECK(send(server, parts[0], strlen(parts[0]), MSG_NOSIGNAL) > 0);
		memmove(parts, parts + 1, --n_parts * sizeof *parts);
	}
	if (n_parts == 0 && (ends || resets) && server >= 0) {
		close(server);
		server = -2;
	}
	return poll(&ready, 1, 0) > 0;
}

static struct upstream begin(void)
{
	struct sockaddr_un sun;
	socklen_t size = address_sockaddr_un(&address, &sun);

	listening = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(bind(listening, (struct sockaddr *)&sun, size) == 0 && listen(listening, 1) == 0);
	server = -1;
	n_parts = 0;
	resets = ends = false;
	logged = true;
	*command = *answer = '\0';
	return upstream_connect(&address);
}

static void end(const struct upstream *upstream)
{
	if (server >= 0)
		close(server);
	if (upstream->fd >= 0)
		close(upstream->fd);
	close(listening);
	unlink(address.path);
}

static void says(const char *part)
{
	parts[n_parts++] = part;
}

static const struct request ON = {.verb = VERB_ON, .at = 1234};
static const struct request KITCHEN = {.verb = VERB_ON, .name = "kitchen", .at = 1234};
static const struct request WATCH = {.verb = VERB_WATCH, .at = 1234};

/* "ERR no" or "no answer from", and why. */
static const char *complaint(const char *begins, const char *why)
{
	static char text[256];

	snprintf(text, sizeof text, "%s led-line at %s: %s", begins, address.path, why);
	return text;
}

TEST("led-line gets the command with the time when it came, and its answer is a line")
{
	struct upstream upstream = begin();

	says("OK LED ON\n");
	CHECK(upstream_carry_out(&upstream, &ON, answer, &logged) == UPSTREAM_ANSWERED);
	CHECK_TEXT(command, "LED ON @1234\n");
	CHECK_TEXT(answer, "OK LED ON");
	CHECK(logged);
	end(&upstream);
}

TEST("an answer comes in pieces, and ends with its newline")
{
	struct upstream upstream = begin();

	says("OK ");
	says("LED");
	says(" ON\nmore");
	CHECK(upstream_carry_out(&upstream, &ON, answer, &logged) == UPSTREAM_ANSWERED);
	CHECK_TEXT(answer, "OK LED ON");
	end(&upstream);
}

TEST("a blank at its end says that the log has no room, and is not passed on")
{
	struct upstream upstream = begin();

	says("OK LED ON \n");
	CHECK(upstream_carry_out(&upstream, &ON, answer, &logged) == UPSTREAM_ANSWERED);
	CHECK_TEXT(answer, "OK LED ON");
	CHECK(!logged);
	end(&upstream);
	upstream = begin();
	says("\n");
	CHECK(upstream_carry_out(&upstream, &ON, answer, &logged) == UPSTREAM_ANSWERED);
	CHECK_TEXT(answer, "");
	CHECK(logged);
	end(&upstream);
}

TEST("what follows the answer to a WATCH is left for the watch")
{
	struct upstream upstream = begin();
	char rest[32] = "";

	says("OK LED OFF\nOK LED ON\n");
	CHECK(upstream_carry_out(&upstream, &WATCH, answer, &logged) == UPSTREAM_ANSWERED);
	CHECK_TEXT(answer, "OK LED OFF");
	CHECK(recv(upstream.fd, rest, sizeof rest - 1, MSG_DONTWAIT) > 0);
	CHECK_TEXT(rest, "OK LED ON\n");
	end(&upstream);
}

TEST("an answer without an end is cut at its longest")
{
	static char text[ANSWER_MAX + 100];
	struct upstream upstream = begin();

	memset(text, 'x', sizeof text - 1);
	says(text);
	CHECK(upstream_carry_out(&upstream, &ON, answer, &logged) == UPSTREAM_ANSWERED);
	CHECK(strlen(answer) == ANSWER_MAX - 1);
	end(&upstream);
}

TEST("a led-line that is not there does not have the command")
{
	struct upstream upstream = upstream_connect(&address);

	CHECK(upstream.fd == -1);
	CHECK(upstream_carry_out(&upstream, &ON, answer, &logged) == UPSTREAM_NOT_ASKED);
	CHECK_TEXT(answer, complaint("ERR no", "No such file or directory"));
}

TEST("one that closes or breaks the connection may have carried it out")
{
	struct upstream upstream = begin();

	ends = true;
	CHECK(upstream_carry_out(&upstream, &ON, answer, &logged) == UPSTREAM_UNKNOWN);
	CHECK_TEXT(
		answer, complaint("no answer from", "it closed the connection without an answer"));
	end(&upstream);
	upstream = begin();
	ends = true;
	says("OK LED");
	CHECK(upstream_carry_out(&upstream, &ON, answer, &logged) == UPSTREAM_UNKNOWN);
	end(&upstream);
	upstream = begin();
	resets = true;
	CHECK(upstream_carry_out(&upstream, &ON, answer, &logged) == UPSTREAM_UNKNOWN);
	CHECK_TEXT(answer, complaint("no answer from", "Connection reset by peer"));
	end(&upstream);
}

TEST("one that has closed the connection before it was asked may have said why")
{
	struct upstream upstream = begin();

	server = accept(listening, NULL, NULL);
	CHECK(send(server, "ERR too many connections\n", 25, 0) == 25);
	close(server);
	server = -2;
	CHECK(upstream_carry_out(&upstream, &ON, answer, &logged) == UPSTREAM_ANSWERED);
	CHECK_TEXT(answer, "ERR too many connections");
	end(&upstream);
}

TEST("one that says nothing has 4 s, the time to connect included")
{
	struct upstream upstream = begin();
	uint64_t before = clock_usec();

	upstream.took_usec = 1500000;
	CHECK(upstream_carry_out(&upstream, &ON, answer, &logged) == UPSTREAM_UNKNOWN);
	CHECK_TEXT(answer, complaint("no answer from", "it does not answer"));
	CHECK(waited_until >= before + 2500000 && waited_until <= clock_usec() + 2500000);
	end(&upstream);
}

TEST("a server that knows no time is no led-line, but a led-line need not know every command")
{
	static const char UNKNOWN[] = "ERR unknown command: send LED ON";
	struct upstream upstream = begin();
	char line[64];

	snprintf(line, sizeof line, "%s\n", UNKNOWN);
	says(line);
	CHECK(upstream_carry_out(&upstream, &ON, answer, &logged) == UPSTREAM_NOT_ASKED);
	CHECK_TEXT(answer, complaint("ERR no", "another led-handler listens there: LED_LINE has to "
					       "be led-line's address"));
	end(&upstream);
	upstream = begin();
	says(line);
	CHECK(upstream_carry_out(&upstream, &KITCHEN, answer, &logged) == UPSTREAM_ANSWERED);
	CHECK_TEXT(command, "LED kitchen ON @1234\n");
	CHECK_TEXT(answer, UNKNOWN);
	end(&upstream);
}

TEST("whether the log has room is what led-line says to a late LIST; without it, it has")
{
	struct upstream upstream = begin();

	says("ERR too late \n");
	CHECK(!upstream_log_has_room(&upstream));
	CHECK_TEXT(command, "LED LIST @1\n");
	end(&upstream);
	upstream = begin();
	says("ERR too late\n");
	CHECK(upstream_log_has_room(&upstream));
	end(&upstream);
	upstream = begin();
	CHECK(upstream_log_has_room(&upstream));
	end(&upstream);
	upstream = upstream_connect(&address);
	CHECK(upstream_log_has_room(&upstream));
}

int main(void)
{
	int failed;

	if (!mkdtemp(folder))
		return 1;
	snprintf(address.path, sizeof address.path, "%s/line", folder);
	failed = tap_run();
	rmdir(folder);
	return failed;
}
