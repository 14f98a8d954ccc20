/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "limit.h"
#include "logged.h"
#include "standstill.h"
#include "tap.h"
#include "timers.h"

static char folder[] = "/tmp/test-server.XXXXXX";
static struct sockaddr_un at_path = {.sun_family = AF_UNIX};
static struct sockaddr_in at_port = {.sin_family = AF_INET};
static char user[32]; /* as the log calls a client at the path */
static sd_event *event;
static struct server *server;
static unsigned n_stopped;

/* --- in place of leds.c, watchers.c, arrival.c, limit.c and standstill.c ------------------------
 */

static struct request request; /* the last one */
static unsigned n_carried_out, n_watchers, n_asked;
static bool is_known, are_none, has_room;
static enum watchers_origin origin;
static uint32_t mask;
static void (*stood_still)(void *userdata, bool may_be_late);
static char mark[8];
static const char *watch_refusal;
static uint64_t now_ms, arrived_ms;

bool leds_carry_out(struct leds *leds, const struct request *request_, char answer[ANSWER_MAX])
{
	CHECK(leds == (struct leds *)&request);
	request = *request_;
	n_carried_out++;
	strcpy(answer, is_known ? "OK LED ON" : "no answer: x");
	return is_known;
}

bool leds_are_none(const struct leds *leds)
{
	return are_none;
}

bool leds_find(const struct leds *leds, const char *name, unsigned *number, char answer[ANSWER_MAX])
{
	*number = 5;
	strcpy(answer, "ERR none");
	return strcmp(name, "door") == 0;
}

const char *watchers_add(struct watchers *watchers, int fd, enum watchers_origin origin_,
	uint32_t leds, const char *mark_)
{
	CHECK(watchers == (struct watchers *)&origin);
	origin = origin_;
	mask = leds;
	strcpy(mark, mark_);
	n_watchers += !watch_refusal;
	return watch_refusal;
}

uint64_t arrival_now_ms(const struct arrival_clock *clock)
{
	return now_ms;
}

uint64_t arrival_ms(const struct arrival_clock *clock, int fd, uint64_t *now)
{
	*now = now_ms;
	return arrived_ms;
}

struct limit *limit_create(sd_event *event_, const char *what)
{
	return (struct limit *)&has_room;
}

bool limit_take(struct limit *limit)
{
	return has_room;
}

void limit_destroy(struct limit *limit)
{
}

struct standstill *standstill_create(
	sd_event *event_, void (*stood_still_)(void *userdata, bool may_be_late), void *userdata)
{
	stood_still = stood_still_;
	return (struct standstill *)&n_asked;
}

void standstill_connected(struct standstill *standstill, uint64_t usec)
{
	n_asked++;
}

void standstill_destroy(struct standstill *standstill)
{
}

/* --- a server and its clients -------------------------------------------------------------------
 */

static void settle(void)
{
	while (sd_event_run(event, 0) > 0)
		;
}

static int listener(const struct sockaddr *address, socklen_t size)
{
	int fd = socket(address->sa_family, SOCK_STREAM, 0);

	CHECK(bind(fd, address, size) == 0 && listen(fd, 8) == 0);
	CHECK(server_add_socket(server, fd) == 0);
	return fd;
}

static void begin(const char *allow)
{
	socklen_t size = sizeof at_port;

	is_known = has_room = true;
	are_none = false;
	watch_refusal = NULL;
	n_carried_out = n_watchers = n_stopped = n_asked = 0;
	now_ms = arrived_ms = 100000;
	server = server_create(
		event, NULL, allow, (struct leds *)&request, (struct watchers *)&origin);
	unlink(at_path.sun_path);
	listener((struct sockaddr *)&at_path, sizeof at_path);
	at_port.sin_port = 0;
	getsockname(listener((struct sockaddr *)&at_port, sizeof at_port),
		(struct sockaddr *)&at_port, &size);
	/* Only the file of a UNIX socket tells when somebody connected. */
	CHECK(n_asked == 1);
}

static void end(void)
{
	server_destroy(server);
	CHECK(timers_running() == 0);
	logged();
}

static int client(bool at_unix, const char *text)
{
	int fd = socket(at_unix ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
	struct sockaddr *address =
		at_unix ? (struct sockaddr *)&at_path : (struct sockaddr *)&at_port;

	CHECK(connect(fd, address, at_unix ? sizeof at_path : sizeof at_port) == 0);
	CHECK(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
	settle();
	return fd;
}

/* What it has got, and "!" where it was reset. */
static const char *got(int fd)
{
	static char text[ANSWER_MAX];
	ssize_t n;

	settle();
	n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
	text[n < 0 ? 0 : n] = '\0';
	if (n < 0 && errno == ECONNRESET)
		strcpy(text, "!");
	close(fd);
	timers_pass(2000000); /* one that is drained is closed */
	settle();
	return text;
}

static const char *ask(bool at_unix, const char *text)
{
	return got(client(at_unix, text));
}

/* What is logged of a client at the path. */
static bool user_logged(const char *text)
{
	char wanted[200];
	const char *said = logged();

	snprintf(wanted, sizeof wanted, "%s%s\n", user, text);
	if (strcmp(said, wanted) != 0)
		printf("# said \"%s\"\n", said);
	return strcmp(said, wanted) == 0;
}

TEST("a command is carried out, answered and logged")
{
	begin("private");
	CHECK_TEXT(ask(true, "LED ON\n"), "OK LED ON\n");
	CHECK(user_logged(" sent \"LED ON\": OK LED ON"));
	CHECK(request.verb == VERB_ON && request.at == now_ms && !request.late);
	arrived_ms -= 3;
	CHECK_TEXT(ask(false, "LED OFF\n"), "OK LED ON\n");
	CHECK(strncmp(logged(), "127.0.0.1:", 10) == 0);
	CHECK(request.verb == VERB_OFF && request.at == arrived_ms && n_carried_out == 2);
	CHECK(strncmp(ask(true, "LED ONE\n"), "ERR ", 4) == 0 && n_carried_out == 2);
	end();
}

TEST("where nobody knows what became of a command, the connection is reset")
{
	begin("private");
	is_known = false;
	CHECK_TEXT(ask(false, "LED TOGGLE\n"), "!");
	CHECK(strstr(logged(), " sent \"LED TOGGLE\": no answer: x\n"));
	end();
}

TEST("a command of led-handler has its own time, and led-handler logs it")
{
	begin("private");
	CHECK_TEXT(ask(true, "LED ON @99000\n"), "OK LED ON\n");
	CHECK(request.at == 99000 && !request.late);
	CHECK_TEXT(logged(), "");
	/* A time to come is none, and one long ago is too late. */
	ask(true, "LED ON @100001\n");
	CHECK(request.at == 100000);
	ask(true, "LED ON @95000\n");
	CHECK(!request.late);
	ask(true, "LED ON @94999\n");
	CHECK(request.late);
	/* Over TCP, any user can send one: logged here, too. */
	logged();
	CHECK_TEXT(ask(false, "LED ON @99000\n"), "OK LED ON\n");
	CHECK(request.at == 99000 && strstr(logged(), "sent \"LED ON @99000\": OK LED ON\n"));
	has_room = false;
	CHECK_TEXT(ask(true, "LED ON @99000\n"), "OK LED ON" ANSWER_UNLOGGED "\n");
	CHECK_TEXT(logged(), "");
	end();
}

TEST("led-handler that has given up is too late")
{
	int fd;

	begin("private");
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(connect(fd, (struct sockaddr *)&at_path, sizeof at_path) == 0);
	CHECK(send(fd, "LED ON @99000\n", 14, 0) == 14);
	shutdown(fd, SHUT_WR);
	CHECK_TEXT(got(fd), "ERR too late\n");
	CHECK(n_carried_out == 0);
	/* Others may do so. */
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(connect(fd, (struct sockaddr *)&at_path, sizeof at_path) == 0);
	CHECK(send(fd, "LED ON\n", 7, 0) == 7);
	shutdown(fd, SHUT_WR);
	CHECK_TEXT(got(fd), "OK LED ON\n");
	end();
}

/* A client that sends a command and has left before it is read. */
static void send_and_leave(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK(connect(fd, (struct sockaddr *)&at_path, sizeof at_path) == 0);
	CHECK(send(fd, "LED ON\n", 7, 0) == 7);
	close(fd);
	settle();
}

TEST("a client that has left is served, unless it may have waited for too long")
{
	begin("private");
	send_and_leave();
	CHECK(n_carried_out == 1);
	logged();
	stood_still(server, true);
	send_and_leave();
	CHECK(n_carried_out == 1 && user_logged(" sent \"LED ON\": ERR too late"));
	CHECK_TEXT(ask(true, "LED ON\n"), "OK LED ON\n");
	logged();
	stood_still(server, false);
	send_and_leave();
	CHECK(n_carried_out == 3);
	end();
}

TEST("who may connect over the network")
{
	begin("10.0.0.0/8");
	CHECK_TEXT(ask(false, "LED ON\n"), "ERR not allowed from this address\n");
	CHECK(strstr(logged(), ": ERR not allowed from this address\n"));
	has_room = false;
	ask(false, "LED ON\n");
	CHECK_TEXT(logged(), "");
	CHECK_TEXT(ask(true, "LED ON\n"), "OK LED ON\n");
	end();
	/* The setting is wrong. */
	begin(NULL);
	CHECK_TEXT(ask(false, "LED ON\n"), "ERR a setting is wrong: see the log\n");
	CHECK(n_carried_out == 0);
	CHECK_TEXT(ask(true, "LED ON\n"), "OK LED ON\n");
	end();
}

TEST("a proxy's line names its client, at a UNIX socket")
{
	begin("private");
	CHECK_TEXT(
		ask(true, "PROXY TCP4 192.0.2.7 192.0.2.1 40112 5556\r\nLED ON\n"), "OK LED ON\n");
	CHECK(user_logged(" for 192.0.2.7:40112 sent \"LED ON\": OK LED ON"));
	CHECK(strncmp(ask(false, "PROXY TCP4 192.0.2.7 192.0.2.1 40112 5556\r\nLED ON\n"), "ERR",
		      3) == 0);
	/* Its time is not led-handler's. */
	ask(true, "PROXY TCP4 192.0.2.7 192.0.2.1 40112 5556\r\nLED ON @99000\n");
	CHECK(request.at == now_ms);
	end();
}

TEST("WATCH")
{
	begin("private");
	CHECK_TEXT(ask(true, "LED WATCH\n"), "");
	CHECK(n_watchers == 1 && origin == WATCHERS_LOCAL && mask == NEWS_OF_ALL);
	CHECK_TEXT(mark, "");
	CHECK(user_logged(" sent \"LED WATCH\": OK"));
	ask(true, "LED door WATCH @99000\n");
	CHECK(n_watchers == 2 && origin == WATCHERS_NETWORK && mask == 1U << 5);
	ask(false, "LED WATCH\n");
	CHECK(n_watchers == 3 && origin == WATCHERS_NETWORK);
	ask(true, "PROXY TCP4 192.0.2.7 192.0.2.1 40112 5556\r\nLED WATCH\n");
	CHECK(n_watchers == 4 && origin == WATCHERS_NETWORK);
	has_room = false;
	ask(true, "LED WATCH @99000\n");
	CHECK(n_watchers == 5);
	CHECK_TEXT(mark, ANSWER_UNLOGGED);
	has_room = true;
	CHECK_TEXT(ask(true, "LED attic WATCH\n"), "ERR none\n");
	CHECK_TEXT(ask(true, "LED WATCH @90000\n"), "ERR too late\n");
	watch_refusal = "full";
	CHECK_TEXT(ask(true, "LED WATCH\n"), "ERR full\n");
	watch_refusal = NULL;
	are_none = true;
	CHECK_TEXT(ask(true, "LED WATCH\n"), "ERR a setting is wrong: see the log\n");
	CHECK_TEXT(ask(true, "LED door WATCH\n"), "ERR a setting is wrong: see the log\n");
	CHECK(n_watchers == 5);
	end();
}

static void on_stopped(void *userdata)
{
	CHECK(userdata == folder);
	n_stopped++;
}

TEST("a stop ends when all have been answered, or have had their time")
{
	int fd;

	begin("private");
	fd = client(true, "");
	server_stop(server, on_stopped, folder);
	CHECK(n_stopped == 0);
	CHECK(send(fd, "LED ON\n", 7, 0) == 7);
	CHECK_TEXT(got(fd), "OK LED ON\n");
	CHECK(n_stopped == 1);
	end();
	begin("private");
	fd = client(true, "");
	server_stop(server, on_stopped, folder);
	timers_pass(499999);
	CHECK(n_stopped == 0);
	timers_pass(1);
	CHECK(n_stopped == 1);
	close(fd);
	end();
	begin("private");
	server_stop(server, on_stopped, folder);
	CHECK(n_stopped == 1);
	end();
}

int main(void)
{
	int r;

	if (!mkdtemp(folder) || sd_event_default(&event) < 0)
		return 1;
	snprintf(at_path.sun_path, sizeof at_path.sun_path, "%s/line.sock", folder);
	at_port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	snprintf(user, sizeof user, "local user %u", (unsigned)getuid());
	r = tap_run();
	sd_event_unref(event);
	unlink(at_path.sun_path);
	rmdir(folder);
	return r;
}
