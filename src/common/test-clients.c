/* SPDX-License-Identifier: MIT */
#include "clients.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

#include "logged.h"
#include "tap.h"
#include "timers.h"

#define SECOND 1000000ULL

static char folder[] = "/tmp/led-test-clients.XXXXXX";
static struct sockaddr_un at_path = {.sun_family = AF_UNIX};
static char user[PEER_TEXT_MAX]; /* as the log calls a client at the path */
static sd_event *event;
static struct clients *clients;
static int listening;

/* What the server does with a client, and with a command. */
static const char *refusal;
static enum { ANSWERS, DRAINS, WAITS } manner;
static bool log_has_room, is_logged_elsewhere, has_origin;
static int n_idle;

bool limit_take(struct limit *limit)
{
	return log_has_room;
}

static const char *on_connected(struct client *client)
{
	CHECK(client->userdata == folder);
	client->logged_elsewhere = is_logged_elsewhere;
	if (has_origin)
		client->origin = (struct peer){
			.family = AF_INET, .in.s_addr = inet_addr("192.0.2.1"), .port = 7};
	return refusal;
}

/* A '#' in front is skipped. */
static size_t on_first_bytes(struct client *client, const char *bytes, size_t n)
{
	return *bytes == '#';
}

static bool awaited; /* whether the last command had to be waited for */

static void on_command(struct client *client)
{
	char quoted[COMMAND_QUOTE_MAX];

	awaited = client->timer;
	command_quote(&client->reader.command, quoted);
	if (manner == WAITS)
		client_wait(client, 4 * SECOND, "no outcome");
	else
		client_answer(
			client, manner == DRAINS ? CLIENT_DRAINS : CLIENT_CLOSES, "OK %s", quoted);
}

static const struct clients_events EVENTS = {
	sizeof(struct client), on_connected, on_first_bytes, on_command};

static void on_idle(void *userdata)
{
	CHECK(userdata == folder);
	n_idle++;
}

/* Runs the loop until nothing is left to do. */
static void settle(void)
{
	while (sd_event_run(event, 0) > 0)
		;
}

static void pass(uint64_t usec)
{
	settle();
	timers_pass(usec);
	settle();
}

static void begin(void)
{
	refusal = NULL;
	manner = ANSWERS;
	log_has_room = true;
	is_logged_elsewhere = has_origin = false;
	n_idle = 0;
	clients = clients_create(event, NULL, &EVENTS, folder);
	listening = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(bind(listening, (struct sockaddr *)&at_path, sizeof at_path) == 0);
	CHECK(listen(listening, SOMAXCONN) == 0 && clients_add_socket(clients, listening) == 0);
}

static void end(void)
{
	clients_destroy(clients);
	unlink(at_path.sun_path);
	CHECK(timers_running() == 0);
	logged();
}

static void say(int fd, const char *text)
{
	CHECK(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
	settle();
}

/* A client that is connected, and has sent this. */
static int connected(const char *text)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	CHECK(connect(fd, (struct sockaddr *)&at_path, sizeof at_path) == 0);
	say(fd, text);
	return fd;
}

/* What it has got so far, and "|" if its connection has ended, "!" if it was reset. */
static const char *got(int fd)
{
	static char text[ANSWER_MAX + 2];
	size_t length = 0;
	ssize_t n;

	settle();
	while ((n = recv(fd, text + length, ANSWER_MAX - length, MSG_DONTWAIT)) > 0)
		length += (size_t)n;
	if (n == 0 || errno != EAGAIN)
		text[length++] = n == 0 ? '|' : '!';
	text[length] = '\0';
	return text;
}

/* The same, of a client that is done. */
static const char *got_at_last(int fd)
{
	const char *text = got(fd);

	close(fd);
	settle();
	return text;
}

/* Returns how many clients there are. */
static unsigned count(void)
{
	unsigned n = 0;

	while (clients_get(clients, n))
		n++;
	return n;
}

/* A line of the log about a client at the path. */
static const char *line(const char *what)
{
	static char text[256];

	snprintf(text, sizeof text, "%s %s\n", user, what);
	return text;
}

TEST("a command gets an answer, the end and a line in the log")
{
	begin();
	CHECK_TEXT(got_at_last(connected("LED ON\n")), "OK LED ON\n|");
	CHECK_TEXT(logged(), line("sent \"LED ON\": OK LED ON"));
	CHECK(count() == 0);
	CHECK(!awaited);
	end();
}

TEST("a command comes in pieces, and ends with the stream or after a second without a byte")
{
	char text[1024 + 1];
	int fd;

	begin();
	fd = connected("LED");
	pass(SECOND - 1);
	say(fd, " ON");
	pass(SECOND - 1);
	CHECK_TEXT(got(fd), "");
	pass(1);
	CHECK_TEXT(got_at_last(fd), "OK LED ON\n|");
	CHECK(awaited);
	fd = connected("LED O");
	say(fd, "FF");
	shutdown(fd, SHUT_WR);
	CHECK_TEXT(got_at_last(fd), "OK LED OFF\n|");
	/* As many bytes as are read at once: nothing else has come, and nothing is waited for. */
	snprintf(text, sizeof text, "%-1024s", "LED ON\n");
	CHECK_TEXT(got_at_last(connected(text)), "OK LED ON\n|");
	end();
}

TEST("one that says nothing is closed after 30 s, and leaves no line in the log")
{
	int fd;

	begin();
	fd = connected("");
	pass(30 * SECOND - 1);
	CHECK_TEXT(got(fd), "");
	pass(1);
	CHECK_TEXT(got_at_last(fd), "ERR no command within 30 s\n|");
	CHECK(count() == 0);
	CHECK_TEXT(logged(), "");
	end();
}

TEST("a command that is not complete after 5 s is refused")
{
	int fd;

	begin();
	fd = connected("L");
	for (int i = 0; i < 9; i++) {
		pass(SECOND / 2);
		say(fd, "L");
	}
	CHECK_TEXT(got(fd), "");
	pass(SECOND / 2);
	CHECK_TEXT(got(fd), "ERR the command was not complete after 5 s\n|");
	/* The line comes with the end, for which a client that is still sending has a second. */
	CHECK_TEXT(logged(), "");
	pass(SECOND);
	CHECK_TEXT(
		logged(), line("sent \"LLLLLLLLLL\": ERR the command was not complete after 5 s"));
	CHECK(count() == 0);
	close(fd);
	end();
}

TEST("what comes before a command is looked for in the first bytes alone")
{
	int fd;

	begin();
	CHECK_TEXT(got_at_last(connected("#LED ON\n")), "OK LED ON\n|");
	fd = connected("#");
	say(fd, "#LED");
	say(fd, "#\n");
	CHECK_TEXT(got_at_last(fd), "OK #LED#\n|");
	end();
}

TEST("a proxy's client is in the log; what is logged elsewhere or has no room is not")
{
	begin();
	has_origin = true;
	CHECK_TEXT(got_at_last(connected("a\n")), "OK a\n|");
	CHECK_TEXT(logged(), line("for 192.0.2.1:7 sent \"a\": OK a"));
	has_origin = false;
	is_logged_elsewhere = true;
	CHECK_TEXT(got_at_last(connected("b\n")), "OK b\n|");
	is_logged_elsewhere = false;
	log_has_room = false;
	CHECK_TEXT(got_at_last(connected("c\n")), "OK c\n|");
	CHECK_TEXT(logged(), "");
	end();
}

TEST("for one too many, an answered client is closed, else a silent one, else the oldest")
{
	int begun, silent, answered, others[CLIENTS_MAX + 1], n = 0;

	begin();
	begun = connected("L");
	silent = connected("");
	manner = DRAINS;
	answered = connected("done\n");
	others[n++] = connected("");
	while (n < CLIENTS_MAX - 3)
		others[n++] = connected("L");
	CHECK(count() == CLIENTS_MAX);
	CHECK_TEXT(logged(), "");

	others[n++] = connected("L");
	CHECK_TEXT(got(answered), "OK done\n|");
	CHECK_TEXT(logged(), line("sent \"done\": OK done"));
	CHECK_TEXT(got(silent), "");
	others[n++] = connected("L");
	CHECK_TEXT(got(silent), "ERR too many connections\n|");
	CHECK_TEXT(logged(), "");
	CHECK_TEXT(got(others[0]), "");
	others[n++] = connected("L");
	CHECK_TEXT(got(others[0]), "ERR too many connections\n|");
	CHECK_TEXT(got(begun), "");
	others[n++] = connected("L");
	CHECK_TEXT(got(begun), "ERR too many connections\n|");
	CHECK_TEXT(logged(), line("sent \"L\": ERR too many connections"));
	CHECK(count() == CLIENTS_MAX);

	close(others[0]);
	for (int i = 1; i < n; i++) {
		CHECK_TEXT(got(others[i]), "");
		close(others[i]);
	}
	close(begun);
	close(silent);
	close(answered);
	end();
}

TEST("one that waits is not closed for another, which is refused")
{
	int fds[CLIENTS_MAX], late, later;

	begin();
	manner = WAITS;
	for (int i = 0; i < CLIENTS_MAX; i++)
		fds[i] = connected("LED ON\n");
	late = connected("LED OFF\n");
	CHECK_TEXT(got(late), "ERR too many connections\n|");
	later = connected("LED OFF\n");
	CHECK_TEXT(got(later), "ERR too many connections\n|");
	CHECK(count() == CLIENTS_MAX + 1);
	close(late);
	close(later);
	settle();
	CHECK(count() == CLIENTS_MAX);
	for (int i = 0; i < CLIENTS_MAX; i++) {
		client_answer(clients_get(clients, 0), CLIENT_CLOSES, "OK %d", i);
		CHECK(got(fds[i])[0] == 'O');
		close(fds[i]);
	}
	end();
}

TEST("input that is there is read before a new connection can evict its sender")
{
	int fds[CLIENTS_MAX], late;

	begin();
	for (int i = 0; i < CLIENTS_MAX; i++)
		fds[i] = connected("");
	late = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK(connect(late, (struct sockaddr *)&at_path, sizeof at_path) == 0);
	CHECK(send(fds[0], "LED ON\n", 7, 0) == 7);
	CHECK_TEXT(got(fds[0]), "OK LED ON\n|");
	CHECK(count() == CLIENTS_MAX);
	close(late);
	for (int i = 0; i < CLIENTS_MAX; i++)
		close(fds[i]);
	end();
}

/* A client over TCP, at a socket that is added to the server. */
static int connected_tcp(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof in;
	int tcp = socket(AF_INET, SOCK_STREAM, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(bind(tcp, (struct sockaddr *)&in, size) == 0 && listen(tcp, 1) == 0);
	CHECK(getsockname(tcp, (struct sockaddr *)&in, &size) == 0);
	CHECK(clients_add_socket(clients, tcp) == 0);
	CHECK(connect(fd, (struct sockaddr *)&in, size) == 0);
	return fd;
}

TEST("an answer is not lost to a reset when the client has sent more than was read")
{
	char flood[10000];
	int fd;

	memset(flood, 'x', sizeof flood);
	begin();
	refusal = "not today";
	fd = connected_tcp();
	CHECK(send(fd, flood, sizeof flood, 0) == sizeof flood);
	settle();
	CHECK(send(fd, flood, sizeof flood, MSG_NOSIGNAL) == sizeof flood);
	CHECK_TEXT(got(fd), "ERR not today\n|");
	CHECK(count() == 1);
	shutdown(fd, SHUT_WR);
	settle();
	CHECK(count() == 0);
	CHECK_TEXT(logged(), "");
	close(fd);
	end();
}

TEST("one that goes on sending after its answer has a second, one that has ended none")
{
	int fd;

	begin();
	manner = DRAINS;
	fd = connected("LED ON\n");
	for (int i = 0; i < 9; i++) {
		pass(SECOND / 10);
		say(fd, "more\n");
	}
	CHECK(count() == 1);
	pass(SECOND / 10);
	CHECK(count() == 0);
	CHECK_TEXT(logged(), line("sent \"LED ON\": OK LED ON"));
	CHECK_TEXT(got_at_last(fd), "OK LED ON\n|");
	fd = connected("LED ON");
	shutdown(fd, SHUT_WR);
	settle();
	CHECK(count() == 0);
	close(fd);
	end();
}

TEST("one that waits stays although it hangs up, until it is answered or its time is over")
{
	int fd;

	begin();
	manner = WAITS;
	fd = connected("LED ON\n");
	close(fd);
	pass(4 * SECOND - 1);
	CHECK(count() == 1);
	CHECK_TEXT(logged(), "");
	client_answer(clients_get(clients, 0), CLIENT_CLOSES, "OK");
	CHECK(count() == 0);
	CHECK_TEXT(logged(), line("sent \"LED ON\": OK"));

	fd = connected("LED OFF\n");
	pass(4 * SECOND);
	CHECK_TEXT(got_at_last(fd), "|");
	CHECK(count() == 0);
	CHECK_TEXT(logged(), line("sent \"LED OFF\": no outcome"));
	end();
}

TEST("a client can be closed without an answer, and without a line in the log")
{
	int fd;

	begin();
	fd = connected("L");
	client_close(clients_get(clients, 0), NULL);
	CHECK_TEXT(got_at_last(fd), "|");
	CHECK_TEXT(logged(), "");
	fd = connected("L");
	client_close(clients_get(clients, 0), "closed");
	CHECK_TEXT(got_at_last(fd), "|");
	CHECK_TEXT(logged(), line("sent \"L\": closed"));
	end();
}

TEST("an answer that is too long is cut, and ends with a newline all the same")
{
	char text[2 * ANSWER_MAX];
	const char *answer;
	int fd;

	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	begin();
	manner = WAITS;
	log_has_room = false;
	fd = connected("LED ON\n");
	client_answer(clients_get(clients, 0), CLIENT_CLOSES, "%s", text);
	answer = got_at_last(fd);
	CHECK(strlen(answer) == ANSWER_MAX + 1 && strcmp(answer + ANSWER_MAX - 2, "x\n|") == 0);
	end();
}

TEST("after a stop, new connections wait for the next process, and its clients are finished")
{
	int reading[2], waiting, drained, next;

	begin();
	reading[0] = connected("L");
	reading[1] = connected("L");
	manner = WAITS;
	waiting = connected("w\n");
	manner = DRAINS;
	drained = connected("d\n");
	clients_stop(clients, on_idle);
	next = connected("LED ON\n");
	CHECK(count() == 4 && n_idle == 0);
	say(reading[0], "\n");
	CHECK_TEXT(got(reading[0]), "OK L\n|");
	CHECK(n_idle == 0);
	client_answer(clients_get(clients, 2), CLIENT_CLOSES, "OK");
	CHECK_TEXT(got(waiting), "OK\n|");
	CHECK(n_idle == 0);
	say(reading[1], "\n");
	CHECK(n_idle > 0);
	CHECK_TEXT(got(drained), "OK d\n|");
	pass(10 * SECOND);
	CHECK_TEXT(got(next), "");
	close(reading[0]);
	close(reading[1]);
	close(waiting);
	close(drained);
	close(next);
	end();
}

TEST("a stop without clients is idle at once, one with a client when that is closed")
{
	int fd;

	begin();
	clients_stop(clients, on_idle);
	CHECK(n_idle == 1);
	end();
	begin();
	manner = WAITS;
	fd = connected("w\n");
	clients_stop(clients, on_idle);
	CHECK(n_idle == 0);
	client_close(clients_get(clients, 0), NULL);
	CHECK(n_idle == 1);
	close(fd);
	end();
}

TEST("at the end each client is closed, with its line in the log, and so is each socket")
{
	int fds[3];

	begin();
	fds[0] = connected("L");
	manner = DRAINS;
	fds[1] = connected("d\n");
	manner = WAITS;
	fds[2] = connected("w\n");
	clients_destroy(clients);
	CHECK_TEXT(got(fds[0]), "|");
	CHECK_TEXT(got(fds[1]), "OK d\n|");
	CHECK_TEXT(got(fds[2]), "|");
	CHECK(strstr(logged_text, "sent \"d\": OK d\n"));
	CHECK(strstr(logged_text, "sent \"w\": no outcome\n"));
	CHECK(fcntl(listening, F_GETFD) < 0);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	clients = NULL;
	end();
}

/* Lets the process have so many descriptors more. */
static void allow_descriptors(rlim_t n)
{
	struct rlimit limit;
	int next = dup(listening);

	close(next);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = (rlim_t)next + n;
	setrlimit(RLIMIT_NOFILE, &limit);
}

TEST("without a descriptor left, a client is closed for another one")
{
	int silent, next;

	begin();
	silent = connected("");
	next = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	allow_descriptors(0);
	CHECK(connect(next, (struct sockaddr *)&at_path, sizeof at_path) == 0);
	say(next, "LED ON\n");
	CHECK_TEXT(got(next), "OK LED ON\n|");
	CHECK_TEXT(got(silent), "ERR too many connections\n|");
	CHECK(!strstr(logged(), "no connection"));
	allow_descriptors(100);
	close(silent);
	close(next);
	end();
}

TEST("where none can be closed, it tries once a second, and the log says so once")
{
	int fd;

	begin();
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	allow_descriptors(0);
	CHECK(connect(fd, (struct sockaddr *)&at_path, sizeof at_path) == 0);
	say(fd, "LED ON\n");
	CHECK_TEXT(logged(), "no connection can be accepted: Too many open files\n");
	for (int i = 0; i < 4; i++)
		pass(SECOND);
	CHECK_TEXT(logged(), "");
	allow_descriptors(100);
	pass(SECOND - 1);
	CHECK_TEXT(got(fd), "");
	pass(1);
	CHECK_TEXT(got(fd), "OK LED ON\n|");
	close(fd);
	end();
}

TEST("there are no more sockets than it has room for, and they do not wait")
{
	int fd;

	begin();
	CHECK(fcntl(listening, F_GETFL) & O_NONBLOCK && fcntl(listening, F_GETFD) & FD_CLOEXEC);
	for (int i = 1; i < CLIENTS_SOCKETS; i++)
		CHECK(clients_add_socket(clients, eventfd(0, 0)) == 0);
	fd = eventfd(0, 0);
	CHECK(clients_add_socket(clients, fd) == -E2BIG);
	CHECK(close(fd) == 0);
	end();
}

int main(void)
{
	int failed;

	if (!mkdtemp(folder) || sd_event_new(&event) < 0)
		return 1;
	snprintf(at_path.sun_path, sizeof at_path.sun_path, "%s/socket", folder);
	snprintf(user, sizeof user, "local user %u", getuid());
	failed = tap_run();
	sd_event_unref(event);
	rmdir(folder);
	return failed;
}
