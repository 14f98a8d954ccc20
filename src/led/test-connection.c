/* SPDX-License-Identifier: MIT */
#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "tap.h"

static char folder[] = "/tmp/led-test-connection.XXXXXX";
static struct address at_path;
static struct connection connection;
static int listening, server; /* the server's ends */

static void begin(void)
{
	struct sockaddr_un sun;
	socklen_t size = address_sockaddr_un(&at_path, &sun);

	listening = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(bind(listening, (struct sockaddr *)&sun, size) == 0 && listen(listening, 1) == 0);
	CHECK(!connection_open(&connection, &at_path));
	server = accept(listening, NULL, NULL);
}

static void end(void)
{
	connection_close(&connection, true);
	if (server >= 0)
		close(server);
	close(listening);
	unlink(at_path.path);
}

static void say(const char *text)
{
	CHECK(send(server, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

/* The next line, or why there is none. */
static const char *next(uint64_t usec)
{
	char *line;
	const char *why = connection_read(&connection, &line, clock_usec() + usec);

	return why ? why : line;
}

TEST("a command goes out, and its answer comes in, however it comes")
{
	char text[100] = "";

	begin();
	CHECK(!connection_send(&connection, "LED ON\n"));
	CHECK(recv(server, text, sizeof text, 0) == 7);
	CHECK_TEXT(text, "LED ON\n");
	say("OK LED");
	CHECK_TEXT(next(0), "it does not answer");
	say(" ON\n1\n\n2");
	CHECK_TEXT(next(0), "OK LED ON");
	CHECK_TEXT(next(0), "1");
	CHECK_TEXT(next(0), "");
	CHECK_TEXT(next(0), "it does not answer");
	say("\n");
	CHECK_TEXT(next(0), "2");
	end();
}

TEST("what is complete is read before the end; what has no newline is no line")
{
	begin();
	say("OK LED ON\nOK LED");
	close(server);
	server = -1;
	CHECK_TEXT(next(0), "OK LED ON");
	CHECK_TEXT(next(0), "it closed the connection");
	CHECK_TEXT(next(0), "it closed the connection");
	CHECK(connection_send(&connection, "LED ON\n"));
	end();
}

TEST("it waits for as long as was said")
{
	uint64_t before;

	begin();
	before = clock_usec();
	CHECK_TEXT(next(30000), "it does not answer");
	CHECK(clock_usec() - before >= 30000);
	end();
}

TEST("a line of any length up to ANSWER_MAX is read, a longer one is not")
{
	static char text[ANSWER_MAX + 1];

	begin();
	memset(text, 'a', ANSWER_MAX - 1);
	text[ANSWER_MAX - 1] = '\n';
	say(text);
	CHECK(strlen(next(0)) == ANSWER_MAX - 1);
	text[ANSWER_MAX - 1] = 'a';
	say(text);
	CHECK_TEXT(next(0), "the line is too long");
	end();
}

TEST("why there is no connection is said")
{
	struct address address;

	CHECK_TEXT(connection_open(&connection, &at_path), strerror(ENOENT));
	CHECK(connection.fd == -1);
	connection_close(&connection, false);
	CHECK(!address_parse("[::1%lo]:1", &address));
	CHECK(connection_open(&connection, &address));
	/* No name, so nobody is asked for it. */
	CHECK(!address_parse("a..b:1", &address));
	CHECK(connection_open(&connection, &address));
	CHECK(connection.fd == -1);
}

/* Connects to a server on loopback by its name or number, and closes the connection. */
static void close_tcp(const char *host, bool answered, int wanted)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof in;
	struct address address;
	char text[100];

	listening = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(bind(listening, (struct sockaddr *)&in, size) == 0 && listen(listening, 1) == 0);
	CHECK(getsockname(listening, (struct sockaddr *)&in, &size) == 0);
	sprintf(text, "%s:%u", host, ntohs(in.sin_port));
	CHECK(!address_parse(text, &address));
	CHECK(!connection_open(&connection, &address));
	server = connection.fd < 0 ? -1 : accept(listening, NULL, NULL);
	connection_close(&connection, answered);
	CHECK(recv(server, text, sizeof text, 0) == wanted);
	CHECK(wanted == 0 || errno == ECONNRESET);
	close(server);
	close(listening);
}

TEST("a connection with an answer ends in an orderly way, another one with a reset")
{
	close_tcp("127.0.0.1", true, 0);
	close_tcp("127.0.0.1", false, -1);
}

TEST("the addresses of a name are tried until one takes the connection")
{
	/* ::1 comes first where localhost has both, and nobody listens there. */
	close_tcp("localhost", true, 0);
}

int main(void)
{
	int r;

	if (!mkdtemp(folder))
		return 1;
	snprintf(at_path.path, sizeof at_path.path, "%s/sock", folder);
	r = tap_run();
	rmdir(folder);
	return r;
}
