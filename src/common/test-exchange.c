/* SPDX-License-Identifier: MIT */
#include "exchange.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tap.h"

static const char COMMAND[] = "LED WATCH\n";

static char folder[] = "/tmp/led-test-exchange.XXXXXX";
static struct address at_path;
static sd_event *event;
static struct exchange exchange;
static int listening, server = -1; /* led-line's ends */

/* What has been called. */
static char lines[2 * ANSWER_MAX]; /* each with a '|' */
static char why[128];              /* or "" */
static bool was_sent;
static int closes_after; /* so many lines; 0: never */

static bool on_taken(void *userdata, char *line)
{
	CHECK(userdata == folder);
	strcat(strcat(lines, line), "|");
	if (closes_after == 0 || --closes_after > 0)
		return true;
	exchange_close(&exchange);
	return false;
}

static void on_ended(void *userdata, const char *reason, bool sent)
{
	CHECK(userdata == folder && !exchange.io && !*why);
	snprintf(why, sizeof why, "%s", reason);
	was_sent = sent;
}

/* Runs the loop until nothing is left to do. */
static void settle(void)
{
	while (sd_event_run(event, 0) > 0)
		;
}

static void open_at(const struct address *address)
{
	exchange = (struct exchange){.taken = on_taken, .ended = on_ended, .userdata = folder};
	*lines = *why = '\0';
	was_sent = false;
	closes_after = 0;
	exchange_open(&exchange, event, address, COMMAND);
	settle();
}

/* Opens one to a led-line that has got the command. */
static void begin(void)
{
	char text[sizeof COMMAND] = "";
	struct sockaddr_un sun;
	socklen_t size = address_sockaddr_un(&at_path, &sun);

	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK(bind(listening, (struct sockaddr *)&sun, size) == 0 && listen(listening, 1) == 0);
	open_at(&at_path);
	server = accept(listening, NULL, NULL);
	CHECK(recv(server, text, sizeof text, MSG_DONTWAIT) == sizeof COMMAND - 1);
	CHECK_TEXT(text, COMMAND);
}

static void end(void)
{
	exchange_close(&exchange);
	close(server);
	close(listening);
	unlink(at_path.path);
}

static void say(const char *bytes, size_t n)
{
	CHECK(send(server, bytes, n, MSG_NOSIGNAL) == (ssize_t)n);
	settle();
}

static void say_text(const char *text)
{
	say(text, strlen(text));
}

TEST("each line is taken once it is complete, however it comes")
{
	begin();
	say_text("OK LED");
	CHECK_TEXT(lines, "");
	say_text(" ON");
	CHECK_TEXT(lines, "");
	say_text("\nOK LED OFF\n\nOK");
	CHECK_TEXT(lines, "OK LED ON|OK LED OFF||");
	say_text(" LED ON\n");
	CHECK_TEXT(lines, "OK LED ON|OK LED OFF||OK LED ON|");
	CHECK(exchange.io && !*why);
	end();
}

TEST("lines are printable, and end without blanks")
{
	static const char BYTES[] = "OK \x1b[2J\t\x7f\xff\0x~ \n";

	begin();
	say(BYTES, sizeof BYTES - 1);
	CHECK_TEXT(lines, "OK ?[2J????x~|");
	say_text("  a  \n \n");
	CHECK_TEXT(lines, "OK ?[2J????x~|  a||");
	end();
}

TEST("after the last line that is wanted, nothing is called")
{
	begin();
	closes_after = 2;
	say_text("1\n2\n3\n");
	CHECK_TEXT(lines, "1|2|");
	CHECK(!exchange.io && !*why);
	CHECK(send(server, "4\n", 2, MSG_NOSIGNAL) < 0);
	settle();
	CHECK_TEXT(lines, "1|2|");
	exchange_close(&exchange);
	CHECK(!*why);
	end();
}

TEST("an end by itself is said; what has no newline is no line")
{
	begin();
	say_text("OK LED ON\nOK LED");
	CHECK(!*why);
	shutdown(server, SHUT_WR);
	settle();
	CHECK_TEXT(lines, "OK LED ON|");
	CHECK_TEXT(why, "led-line closed the connection");
	CHECK(was_sent && !exchange.io);
	end();
}

TEST("the longest line, and one that is too long")
{
	char text[ANSWER_MAX];

	memset(text, 'x', sizeof text);
	begin();
	say(text, sizeof text - 1);
	CHECK(!*lines && !*why);
	say("\n", 1);
	CHECK(strlen(lines) == sizeof text);
	say(text, sizeof text - 1);
	CHECK(!*why);
	say("x", 1);
	CHECK_TEXT(why, "a line is too long");
	CHECK(strlen(lines) == sizeof text && was_sent);
	end();
}

TEST("a led-line that is not there does not have the command")
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof in;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct address tcp = {.host = "127.0.0.1"};

	open_at(&at_path);
	CHECK_TEXT(why, "No such file or directory");
	CHECK(!was_sent && !exchange.io);

	/* A port that is ours, at which nobody listens. */
	CHECK(bind(fd, (struct sockaddr *)&in, size) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&in, &size) == 0);
	snprintf(tcp.port, sizeof tcp.port, "%u", ntohs(in.sin_port));
	open_at(&tcp);
	for (int i = 0; i < 100 && !*why; i++)
		sd_event_run(event, 10000);
	CHECK_TEXT(why, "Connection refused");
	CHECK(!was_sent && !exchange.io);
	close(fd);
}

TEST("one whose queue is full is not waited for")
{
	struct sockaddr_un sun;
	socklen_t size = address_sockaddr_un(&at_path, &sun);
	int others[16], n = 0;

	begin();
	exchange_close(&exchange);
	do {
		others[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	} while (connect(others[n++], (struct sockaddr *)&sun, size) == 0 && n < 16);
	open_at(&at_path);
	CHECK_TEXT(why, "Resource temporarily unavailable");
	CHECK(!was_sent);
	while (n > 0)
		close(others[--n]);
	end();
}

TEST("TCP is kept alive")
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof in;
	int fd = socket(AF_INET, SOCK_STREAM, 0), value = 0;
	struct address tcp = {.host = "127.0.0.1"};

	CHECK(bind(fd, (struct sockaddr *)&in, size) == 0 && listen(fd, 1) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&in, &size) == 0);
	snprintf(tcp.port, sizeof tcp.port, "%u", ntohs(in.sin_port));
	open_at(&tcp);
	size = sizeof value;
	CHECK(getsockopt(exchange.fd, SOL_SOCKET, SO_KEEPALIVE, &value, &size) == 0 && value == 1);
	exchange_close(&exchange);
	close(fd);
}

int main(void)
{
	int failed;

	if (!mkdtemp(folder) || sd_event_new(&event) < 0)
		return 1;
	snprintf(at_path.path, sizeof at_path.path, "%s/socket", folder);
	failed = tap_run();
	sd_event_unref(event);
	rmdir(folder);
	return failed;
}
