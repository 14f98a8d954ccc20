/* SPDX-License-Identifier: MIT */

/*
 * Presses to a server that does as the test says. Time, the thread of a look-up and its result are
 * the test's too: timers.h, task.h's functions and getaddrinfo(3).
 */

#include "delivery.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "logged.h"
#include "status.h"
#include "tap.h"
#include "task.h"
#include "timers.h"

#define SECOND 1000000ULL
#define RETRY (10 * SECOND)

static char folder[] = "/tmp/led-test-delivery.XXXXXX";
static sd_event *event;
static struct delivery *delivery;
static struct command_list lists[OCCASIONS];
static struct address server;
static int n_changes; /* of the status */

void status_changed(struct status *status)
{
	n_changes++;
}

/* --- look-ups --------------------------------------------------------------------------- */

static struct task {
	const struct task_kind *kind;
	void *work, *userdata;
} task; /* the one that runs, if kind is not NULL */

static int n_lookups, n_abandoned, n_freed;

/* What the name has: so many of these addresses, or an error. */
static struct sockaddr_in found[4];
static struct addrinfo found_list[4];
static int n_found, lookup_error;

struct task *task_start(sd_event *loop, const struct task_kind *kind, void *work, void *userdata)
{
	CHECK(!task.kind && loop == event);
	task = (struct task){kind, work, userdata};
	n_lookups++;
	return &task;
}

void task_abandon(struct task *abandoned)
{
	if (!abandoned)
		return;
	CHECK(abandoned == &task && task.kind);
	n_abandoned++;
	task.kind->release(task.work);
	task.kind = NULL;
}

int getaddrinfo(
	const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **result)
{
	CHECK_TEXT(host, "server.test");
	CHECK_TEXT(port, "5555");
	if (lookup_error)
		return lookup_error;
	for (int i = 0; i < n_found; i++)
		found_list[i] = (struct addrinfo){.ai_family = AF_INET,
			.ai_addr = (struct sockaddr *)&found[i],
			.ai_addrlen = sizeof found[i],
			.ai_next = i + 1 < n_found ? &found_list[i + 1] : NULL};
	*result = found_list;
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	CHECK(list == found_list);
	n_freed++;
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

/* The look-up ends. */
static void look_up(void)
{
	struct task ended = task;

	CHECK(task.kind);
	if (!task.kind)
		return;
	task.kind = NULL;
	ended.kind->run(ended.work);
	ended.kind->done(ended.work, ended.userdata);
	ended.kind->release(ended.work);
	settle();
}

/* --- servers ---------------------------------------------------------------------------- */

static int listening, fd; /* the server's socket, and its end of the connection */

static void listen_at_path(void)
{
	struct sockaddr_un sun;
	socklen_t size;

	snprintf(server.path, sizeof server.path, "%s/socket", folder);
	size = address_sockaddr_un(&server, &sun);
	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK(bind(listening, (struct sockaddr *)&sun, size) == 0 && listen(listening, 5) == 0);
}

/* A socket of TCP at a port of its own. Returns it. */
static int bound(struct sockaddr_in *in)
{
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	socklen_t size = sizeof *in;

	*in = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	CHECK(bind(tcp, (struct sockaddr *)in, size) == 0);
	CHECK(getsockname(tcp, (struct sockaddr *)in, &size) == 0);
	return tcp;
}

static void listen_at_tcp(void)
{
	struct sockaddr_in in;

	listening = bound(&in);
	CHECK(listen(listening, 5) == 0);
	strcpy(server.host, "127.0.0.1");
	snprintf(server.port, sizeof server.port, "%u", ntohs(in.sin_port));
}

static void begin_with(const char *command, const char *release)
{
	memset(lists, 0, sizeof lists);
	CHECK(!command_list_add(&lists[ON_PRESS], command));
	CHECK(!command_list_add(&lists[ON_RELEASE], release));
	task.kind = NULL;
	n_changes = n_lookups = n_abandoned = n_freed = 0;
	n_found = lookup_error = 0;
	fd = -1;
	delivery = delivery_create(event, &server, lists, RETRY, NULL);
	CHECK(delivery);
	logged();
}

/* No position: events. */
static void begin(const char *command)
{
	begin_with(command, "LED kitchen OFF");
}

static void begin_at_path(const char *command)
{
	memset(&server, 0, sizeof server);
	listen_at_path();
	begin(command);
}

static void begin_position(const char *closed, const char *open)
{
	memset(&server, 0, sizeof server);
	listen_at_path();
	begin_with(closed, open);
}

static void begin_at_tcp(const char *command)
{
	memset(&server, 0, sizeof server);
	listen_at_tcp();
	begin(command);
}

static void begin_at_name(const char *command)
{
	memset(&server, 0, sizeof server);
	strcpy(server.host, "server.test");
	strcpy(server.port, "5555");
	listening = -1;
	begin(command);
}

static void hang_up(void)
{
	if (fd >= 0)
		close(fd);
	fd = -1;
	settle();
}

static void end(void)
{
	delivery_destroy(delivery);
	hang_up();
	if (listening >= 0)
		close(listening);
	if (*server.path)
		unlink(server.path);
	CHECK(timers_running() == 0 && !task.kind);
	logged();
}

static void press(void)
{
	delivery_take(delivery, ON_PRESS);
	settle();
}

/* The next connection's command without its newline, or "" if there is none. */
static const char *command_at(int socket)
{
	static char text[COMMAND_LINE_MAX];
	ssize_t n;

	settle();
	CHECK(fd < 0);
	fd = accept(socket, NULL, NULL);
	settle();
	n = fd < 0 ? 0 : recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
	text[n < 0 ? 0 : n] = '\0';
	CHECK(n <= 0 || text[n - 1] == '\n');
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static const char *command(void)
{
	return command_at(listening);
}

static void say(const char *text)
{
	CHECK(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
	settle();
}

static const char *status(void)
{
	static char text[DELIVERY_STATUS_MAX];

	return delivery_status(delivery, text);
}

/* How the button has ended the connection: '|' in an orderly way, '!' with a reset, '.' not yet. */
static char ending(void)
{
	char byte;
	ssize_t n;

	settle();
	n = recv(fd, &byte, 1, MSG_DONTWAIT);
	return n == 0 ? '|' : errno == EAGAIN ? '.' : '!';
}

/* --- outcomes --------------------------------------------------------------------------- */

TEST("a press is a connection with a command, and its answer a line in the log")
{
	begin_at_path("LED ON");
	CHECK_TEXT(status(), "no press yet");
	press();
	CHECK_TEXT(command(), "LED ON");
	CHECK_TEXT(status(), "1 press, 0 delivered, 0 dropped, 1 waiting");
	say("OK LED");
	CHECK(ending() == '.');
	say(" ON\n");
	CHECK(ending() == '|');
	CHECK_TEXT(logged(), "press 1: LED ON: OK LED ON\n");
	CHECK_TEXT(
		status(), "1 press, 1 delivered, 0 dropped, 0 waiting; press 1: LED ON: OK LED ON");
	CHECK(n_changes == 2 && timers_running() == 0);
	end();
}

TEST("each occasion has its commands")
{
	begin_at_path("LED ON");
	delivery_take(delivery, ON_RELEASE);
	CHECK_TEXT(command(), "LED kitchen OFF");
	end();
}

TEST("a press waits for the outcome of the one before")
{
	begin_at_path("LED ON");
	CHECK(!command_list_add(&lists[ON_PRESS], "LED STATUS"));
	press();
	press();
	CHECK_TEXT(command(), "LED ON");
	CHECK(accept(listening, NULL, NULL) < 0);
	say("OK\n");
	hang_up();
	CHECK_TEXT(command(), "LED STATUS");
	say("OK\n");
	CHECK_TEXT(logged(), "press 1: LED ON: OK\npress 2: LED STATUS: OK\n");
	end();
}

TEST("another answer is a refusal, after which the command is sent again")
{
	begin_at_path("LED ON");
	press();
	CHECK_TEXT(command(), "LED ON");
	say("ERR too many connections\n");
	CHECK(ending() == '|');
	hang_up();
	CHECK_TEXT(status(), "1 press, 0 delivered, 0 dropped, 1 waiting; "
			     "press 1: LED ON: trying again: ERR too many connections");
	CHECK_TEXT(command(), "");
	pass(50000 - 1);
	CHECK_TEXT(command(), "");
	pass(1);
	CHECK_TEXT(command(), "LED ON");
	say("OK\n");
	CHECK_TEXT(logged(), "press 1: LED ON: OK\n");
	end();
}

TEST("a command that must not be carried out twice has a key, the same each time")
{
	char first[COMMAND_LINE_MAX], second[COMMAND_LINE_MAX];

	begin_at_path("LED TOGGLE");
	press();
	strcpy(first, command());
	CHECK(strlen(first) == strlen("LED TOGGLE #") + COMMAND_KEY_MAX);
	CHECK(strncmp(first, "LED TOGGLE #", 12) == 0);
	CHECK(strspn(first + 12, "abcdefghijklmnopqrstuvwxyz234567") == COMMAND_KEY_MAX);
	hang_up();
	pass(50000);
	CHECK_TEXT(command(), first);
	say("OK\n");
	hang_up();
	press();
	strcpy(second, command());
	CHECK(strncmp(second, "LED TOGGLE #", 12) == 0 && strcmp(first, second) != 0);
	end();
}

TEST("a server of another kind is silent: over TCP, where its machine has the command, an OK")
{
	begin_at_tcp("LED ON");
	press();
	CHECK_TEXT(command(), "LED ON");
	hang_up();
	CHECK_TEXT(command(), "LED STATUS");
	hang_up();
	CHECK_TEXT(logged(),
		"press 1: LED ON: sent; the server closed the connection without an answer, "
		"after LED STATUS too: from now on that counts as OK\n");
	press();
	CHECK_TEXT(command(), "LED ON");
	hang_up();
	CHECK_TEXT(logged(),
		"press 2: LED ON: sent; the server closed the connection without an answer\n");
	end();
}

TEST("the same at a UNIX socket says nothing, and a command is sent again if it may be")
{
	begin_at_path("LED ON");
	press();
	CHECK_TEXT(command(), "LED ON");
	hang_up();
	pass(50000);
	CHECK_TEXT(command(), "LED ON");
	end();
	/* A server that knows no key may have carried it out. */
	begin_at_path("LED TOGGLE");
	press();
	CHECK(strncmp(command(), "LED TOGGLE #", 12) == 0);
	say("ERR unknown command\n");
	hang_up();
	CHECK_TEXT(command(), "LED TOGGLE");
	hang_up();
	CHECK_TEXT(logged(), "press 1: LED TOGGLE: dropped: "
			     "the server closed the connection without an answer\n");
	end();
}

TEST("a command that is not answered is reset, so that it cannot arrive after later ones")
{
	begin_at_tcp("LED ON");
	press();
	CHECK_TEXT(command(), "LED ON");
	pass(5500000 - 1);
	CHECK(ending() == '.');
	pass(1);
	CHECK(ending() == '!');
	CHECK_TEXT(status(), "1 press, 0 delivered, 0 dropped, 1 waiting; "
			     "press 1: LED ON: trying again: the server does not answer");
	hang_up();
	pass(50000);
	CHECK_TEXT(command(), "LED ON");
	say("OK\n");
	CHECK(ending() == '|');
	end();
}

TEST("a server that is not there is tried until the press is too old")
{
	begin_at_path("LED ON");
	close(listening);
	listening = -1;
	press();
	pass(RETRY - 1);
	CHECK_TEXT(logged(), "");
	pass(1);
	CHECK(strncmp(logged_text, "press 1: LED ON: dropped: /tmp/", 31) == 0);
	CHECK(strstr(logged(), "/socket: Connection refused\n"));
	CHECK(timers_running() == 0);
	press();
	unlink(server.path);
	pass(RETRY);
	CHECK(strstr(logged(), "/socket: No such file or directory\n"));
	end();
}

TEST("a press that became too old while it waited is dropped with the one before")
{
	begin_at_path("LED ON");
	close(listening);
	listening = -1;
	for (int i = 0; i < 3; i++)
		press();
	pass(RETRY);
	CHECK(strstr(logged_text, "press 1: LED ON: dropped: "));
	CHECK(strstr(logged_text, "press 2: LED ON: dropped: "));
	CHECK(strstr(logged_text, "press 3: LED ON: dropped: "));
	CHECK(timers_running() == 0);
	end();
}

TEST("more presses than there is room for are dropped, and the log has them once")
{
	begin_at_path("LED ON");
	for (int i = 0; i < PRESS_QUEUE_MAX + 3; i++)
		press();
	CHECK_TEXT(logged(), "");
	CHECK_TEXT(command(), "LED ON");
	say("OK\n");
	CHECK_TEXT(logged(),
		"press 1: LED ON: OK\npress 17 to 19: dropped: 16 presses were waiting\n");
	end();
}

TEST("at the end, what is not delivered is reset and given up with a warning")
{
	begin_at_tcp("LED ON");
	press();
	press();
	CHECK_TEXT(command(), "LED ON");
	delivery_destroy(delivery);
	delivery = NULL;
	CHECK(ending() != '.');
	CHECK_TEXT(logged(), "press 1: dropped: the button's program stops\n"
			     "press 2: dropped: the button's program stops\n");
	end();
}

/* --- names ------------------------------------------------------------------------------ */

/* Adds an address of the name, at which somebody listens if so said. Returns its socket. */
static int add_address(bool listens)
{
	int tcp = bound(&found[n_found++]);

	CHECK(!listens || listen(tcp, 5) == 0);
	return tcp;
}

TEST("the addresses of a name are tried in their order, then the one that worked first")
{
	int refuses, first, second;

	begin_at_name("LED ON");
	/* TCP to this one fails at once. */
	found[n_found++] = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_BROADCAST), .sin_port = 1};
	refuses = add_address(false);
	first = add_address(true);
	second = add_address(true);
	press();
	look_up();
	CHECK_TEXT(command_at(first), "LED ON");
	CHECK(accept(second, NULL, NULL) < 0);
	say("OK\n");
	hang_up();
	CHECK(n_freed == 1);
	CHECK(listen(refuses, 5) == 0);
	press();
	look_up();
	CHECK_TEXT(command_at(first), "LED ON");
	CHECK(accept(refuses, NULL, NULL) < 0 && n_lookups == 2);
	say("OK\n");
	hang_up();
	/* It works no more. */
	close(first);
	press();
	look_up();
	CHECK_TEXT(command_at(refuses), "LED ON");
	say("OK\n");
	CHECK_TEXT(logged(), "press 1: LED ON: OK\npress 2: LED ON: OK\npress 3: LED ON: OK\n");
	CHECK(n_freed == 3);
	close(refuses);
	close(second);
	end();
}

TEST("an address that does not answer has 2 s, and the last one's reason counts")
{
	int others[16], n = 0, busy, next, refuses;

	begin_at_name("LED ON");
	busy = bound(&found[n_found++]);
	next = add_address(true);
	CHECK(listen(busy, 0) == 0);
	/* Once its queue is full, it says nothing to others. */
	do {
		others[n] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		CHECK(connect(others[n++], (struct sockaddr *)&found[0], sizeof found[0]) < 0);
	} while (n < 4);
	press();
	look_up();
	pass(2 * SECOND - 1);
	CHECK_TEXT(command_at(next), "");
	pass(1);
	CHECK_TEXT(command_at(next), "LED ON");
	say("OK\n");
	CHECK_TEXT(logged(), "press 1: LED ON: OK\n");
	hang_up();

	close(next);
	n_found = 1;
	press();
	look_up();
	pass(2 * SECOND);
	CHECK(strstr(status(), "press 2: LED ON: trying again: Connection timed out"));
	refuses = add_address(false);
	pass(50000);
	look_up();
	pass(2 * SECOND);
	CHECK(strstr(status(), "press 2: LED ON: trying again: Connection refused"));
	close(refuses);
	close(busy);
	while (n > 0)
		close(others[--n]);
	end();
}

TEST("a name that is not found is looked up again")
{
	begin_at_name("LED ON");
	lookup_error = EAI_NONAME;
	press();
	look_up();
	CHECK(strstr(status(), "press 1: LED ON: trying again: Name or service not known"));
	pass(50000);
	CHECK(n_lookups == 2 && task.kind);
	lookup_error = EAI_SYSTEM;
	errno = EMFILE;
	look_up();
	CHECK(strstr(status(), "press 1: LED ON: trying again: Too many open files"));
	CHECK(n_freed == 0);
	end();
}

TEST("a look-up that takes too long ends the attempt, and may still serve the next one")
{
	int tcp;

	begin_at_name("LED ON");
	tcp = add_address(true);
	press();
	pass(2 * SECOND);
	CHECK(strstr(status(), "press 1: LED ON: trying again: the name is not found in time"));
	pass(50000);
	CHECK(n_lookups == 1 && task.kind);
	look_up();
	CHECK_TEXT(command_at(tcp), "LED ON");
	say("OK\n");
	CHECK_TEXT(logged(), "press 1: LED ON: OK\n");
	close(tcp);
	end();
}

TEST("one that ends when no attempt runs is dropped")
{
	int tcp;

	begin_at_name("LED ON");
	tcp = add_address(true);
	press();
	pass(2 * SECOND);
	look_up();
	CHECK_TEXT(command_at(tcp), "");
	CHECK(n_freed == 1);
	pass(50000);
	CHECK(n_lookups == 2);
	look_up();
	CHECK_TEXT(command_at(tcp), "LED ON");
	close(tcp);
	end();
}

TEST("at the end a look-up is not waited for")
{
	begin_at_name("LED ON");
	press();
	CHECK(task.kind);
	end();
	CHECK(n_abandoned == 1);
}

/* --- positions -------------------------------------------------------------------------- */

static void move(enum place place)
{
	if (place == PLACE_GONE)
		delivery_lose(delivery);
	else
		delivery_take(delivery, place == PLACE_CLOSED ? ON_PRESS : ON_RELEASE);
	settle();
}

/* Whether a stop has ended the event loop. */
static bool has_ended(void)
{
	settle();
	return sd_event_get_state(event) == SD_EVENT_FINISHED;
}

TEST("the newest position waits, without an age, and its status says since when")
{
	const char *text = "";
	struct tm tm;

	begin_position("LED ON", "LED OFF");
	CHECK_TEXT(status(), "no position yet");
	close(listening);
	unlink(server.path);
	for (unsigned i = 0; i < 40; i++)
		move(i % 2 ? PLACE_OPEN : PLACE_CLOSED);
	CHECK(strstr(logged(), "closed: LED ON: not delivered: "));
	pass(60 * RETRY);
	CHECK_TEXT(logged(), "");
	CHECK(strncmp(status(), "open since ", strlen("open since ")) == 0);
	CHECK(strptime(status() + strlen("open since "), "%a %Y-%m-%d %T", &tm));
	CHECK(strstr(status(), "; what the server has is not known; not delivered: "));
	listen_at_path();
	for (unsigned i = 0; fd < 0 && i < 100; i++) {
		CHECK_TEXT(text, "");
		pass(SECOND / 10);
		text = command();
	}
	CHECK_TEXT(text, "LED OFF");
	say("OK LED OFF\n");
	CHECK_TEXT(logged(), "open: LED OFF: OK LED OFF\n");
	CHECK(strstr(status(), "; the server has LED OFF: OK LED OFF"));
	CHECK(timers_running() == 0);
	end();
}

TEST("a position that is thrown during an attempt is sent after it")
{
	begin_position("LED ON", "LED OFF");
	move(PLACE_CLOSED);
	CHECK_TEXT(command(), "LED ON");
	move(PLACE_OPEN);
	say("OK LED ON\n");
	hang_up();
	CHECK_TEXT(command(), "LED OFF");
	end();
}

TEST("a position that was not delivered is in the log at the end")
{
	begin_position("LED ON", "LED OFF");
	move(PLACE_CLOSED);
	CHECK_TEXT(command(), "LED ON");
	delivery_destroy(delivery);
	CHECK_TEXT(logged(), "closed: LED ON: not delivered: the button's program stops\n");
	delivery = delivery_create(event, &server, lists, RETRY, NULL);
	end();
}

/* A stop ends the event loop: the test has another one. */
static void renew_loop(void)
{
	CHECK(has_ended());
	end();
	sd_event_unref(event);
	CHECK(sd_event_new(&event) >= 0);
}

TEST("a stop ends the loop at once, but for a contact, which is GONE before")
{
	begin_position("LED ON", "LED OFF");
	move(PLACE_CLOSED);
	delivery_stop(delivery);
	renew_loop();
	begin_at_path("LED ON");
	press();
	delivery_stop(delivery);
	renew_loop();

	begin_position("CONTACT door ON", "CONTACT door OFF");
	move(PLACE_CLOSED);
	CHECK_TEXT(command(), "CONTACT door ON");
	delivery_stop(delivery);
	settle();
	say("OK CONTACT door ON\n");
	hang_up();
	CHECK_TEXT(command(), "CONTACT door GONE");
	CHECK(!has_ended());
	say("OK CONTACT door GONE\n");
	CHECK_TEXT(logged(), "closed: CONTACT door ON: OK CONTACT door ON\n"
			     "gone: CONTACT door GONE: OK CONTACT door GONE\n");
	renew_loop();

	begin_position("CONTACT door ON", "CONTACT door OFF");
	move(PLACE_GONE);
	CHECK_TEXT(command(), "CONTACT door GONE");
	say("OK\n");
	delivery_stop(delivery);
	renew_loop();
}

TEST("a stop takes at most 2 s, and a second one does not wait")
{
	begin_position("CONTACT door ON", "CONTACT door OFF");
	move(PLACE_CLOSED);
	CHECK_TEXT(command(), "CONTACT door ON");
	delivery_stop(delivery);
	pass(2 * SECOND - 1);
	CHECK(!has_ended());
	pass(1);
	renew_loop();

	begin_position("CONTACT door ON", "CONTACT door OFF");
	move(PLACE_CLOSED);
	CHECK_TEXT(command(), "CONTACT door ON");
	delivery_stop(delivery);
	CHECK(!has_ended());
	delivery_stop(delivery);
	renew_loop();
}

int main(void)
{
	int failed;

	if (!mkdtemp(folder) || sd_event_new(&event) < 0)
		return 1;
	failed = tap_run();
	delivery_destroy(NULL);
	sd_event_unref(event);
	rmdir(folder);
	return failed;
}
