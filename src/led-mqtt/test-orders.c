/* SPDX-License-Identifier: MIT */
#include "orders.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "queue.h"
#include "tap.h"

/* A led-line that does what a test says, on a socket in a folder of its own. */
static sd_event *event;
static char folder[] = "/tmp/led-mqtt-test.XXXXXX";
static struct address line;
static int listening = -1, connection = -1;

static struct arrival_clock ticks = {-1};
static struct limit *limit;
static struct orders *orders;
static struct follow follow;
static unsigned hangs, changes;

/* In place of follower.c */
const struct follow *follower_get(const struct follower *follower)
{
	return &follow;
}

void follower_hang(struct follower *follower)
{
	hangs++;
}

static void on_changed(void *userdata)
{
	CHECK(userdata == &changes);
	changes++;
}

static void start_line(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	strcpy(address.sun_path, line.path);
	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK(bind(listening, (struct sockaddr *)&address, sizeof address) == 0);
	CHECK(listen(listening, 10) == 0);
}

static void stop_line(void)
{
	if (connection >= 0)
		close(connection);
	if (listening >= 0)
		close(listening);
	connection = listening = -1;
	unlink(line.path);
}

static void begin(void)
{
	stop_line();
	start_line();
	hangs = changes = 0;
	follow = (struct follow){.leds = {{"kitchen", LED_OFF}, {"pump", LED_OFF}}, .n = 2};
	orders = orders_create(event, &line, &ticks, NULL, limit, on_changed, &changes);
}

static void end(void)
{
	orders_destroy(orders);
	stop_line();
}

static void add(enum verb verb, const char *name)
{
	struct request request = {.verb = verb, .at = arrival_now_ms(&ticks)};

	strcpy(request.name, name);
	orders_add(orders, &request);
}

static void run_for(uint64_t usec)
{
	uint64_t until = clock_usec() + usec;

	while (clock_usec() < until)
		sd_event_run(event, 5000);
}

/* The next command that led-line gets, without its time; "" if there is none for a while. */
static const char *command(void)
{
	static char text[100];
	ssize_t n = -1;

	if (connection >= 0)
		close(connection);
	connection = -1;
	*text = '\0';
	for (int i = 0; i < 200 && n <= 0; i++) {
		sd_event_run(event, 2000);
		if (connection < 0)
			connection = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
		if (connection >= 0)
			n = recv(connection, text, sizeof text - 1, 0);
	}
	if (n > 0)
		text[n] = '\0';
	return text;
}

/* The same, with the time cut off. */
static const char *words(void)
{
	char *text = (char *)command(), *at = strstr(text, " @");

	if (at)
		*at = '\0';
	return text;
}

static void answer(const char *text)
{
	CHECK(send(connection, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
	run_for(10000);
}

TEST("one command after the other, in order, each with its time")
{
	char wanted[100];
	uint64_t at;

	begin();
	at = arrival_now_ms(&ticks);
	add(VERB_ON, "kitchen");
	add(VERB_OFF, "kitchen");
	snprintf(wanted, sizeof wanted, "LED KITCHEN ON @%llu\n", (unsigned long long)at);
	CHECK(strncasecmp(command(), wanted, strlen(wanted) - 3) == 0);
	/* The second waits for the answer to the first. */
	run_for(50000);
	CHECK(accept4(listening, NULL, NULL, SOCK_NONBLOCK) < 0);
	CHECK(orders_done(orders) == 0 && !orders_are_done(orders));
	answer("OK LED kitchen ON\n");
	CHECK(orders_done(orders) == 1);
	CHECK(strcasecmp(words(), "LED kitchen OFF") == 0);
	answer("OK LED kitchen OFF\n");
	CHECK(orders_done(orders) == 2 && orders_are_done(orders) && changes >= 2);
	/* What has been answered does not hang later. */
	run_for(FOLLOW_ANSWER_USEC + 100000);
	CHECK(hangs == 0);
	end();
}

TEST("a TOGGLE for all is one for each LED")
{
	begin();
	add(VERB_TOGGLE, "");
	CHECK(strcasestr(words(), "kitchen TOGGLE"));
	answer("OK LED kitchen ON\n");
	CHECK(strcasestr(words(), "pump TOGGLE"));
	answer("OK LED pump ON\n");
	CHECK(orders_are_done(orders));
	end();
}

TEST("over TCP, there is another clock: no time is sent")
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct address path = line;
	socklen_t size = sizeof address;
	char text[30];

	begin();
	stop_line();
	listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK(bind(listening, (struct sockaddr *)&address, size) == 0 && listen(listening, 1) == 0);
	getsockname(listening, (struct sockaddr *)&address, &size);
	snprintf(text, sizeof text, "127.0.0.1:%d", ntohs(address.sin_port));
	CHECK(!address_parse(text, &line));
	add(VERB_ON, "kitchen");
	CHECK(strcasecmp(command(), "LED kitchen ON\n") == 0);
	end();
	line = path;
}

TEST("where led-line is away, it is asked again")
{
	begin();
	stop_line();
	add(VERB_ON, "kitchen");
	run_for(150000);
	CHECK(!orders_are_done(orders));
	start_line();
	CHECK(strcasecmp(words(), "LED kitchen ON") == 0);
	answer("OK LED kitchen ON\n");
	CHECK(orders_done(orders) == 1);
	end();
}

TEST("a connection that ends without an answer: a TOGGLE without a key is not sent twice")
{
	begin();
	add(VERB_TOGGLE, "kitchen");
	CHECK(strcasestr(words(), "TOGGLE"));
	CHECK_TEXT(words(), "");
	CHECK(orders_are_done(orders) && orders_done(orders) == 0);
	end();
}

TEST("an answer that takes too long is a hang, and later the next command has its turn")
{
	uint64_t began = clock_usec();

	begin();
	add(VERB_ON, "kitchen");
	CHECK(*command());
	run_for(FOLLOW_ANSWER_USEC - 300000);
	CHECK(hangs == 0);
	run_for(500000);
	CHECK(hangs == 1 && !orders_are_done(orders));
	while (!orders_are_done(orders) && clock_usec() - began < 10000000)
		sd_event_run(event, 100000);
	CHECK(orders_are_done(orders) && orders_done(orders) == 0);
	add(VERB_OFF, "pump");
	CHECK(strcasestr(words(), "pump OFF"));
	end();
}

TEST("with many that wait, no more are wanted, and what waits in the end is dropped")
{
	begin();
	for (int i = 0; i < QUEUE_ENOUGH; i++) {
		CHECK(orders_want_more(orders));
		add(VERB_ON, "kitchen");
	}
	CHECK(!orders_want_more(orders));
	CHECK(*command());
	answer("OK LED kitchen ON\n");
	CHECK(orders_want_more(orders));
	end();
	run_for(10000);
}

int main(void)
{
	int failed;

	if (sd_event_new(&event) < 0 || !mkdtemp(folder))
		return 1;
	snprintf(line.path, sizeof line.path, "%s/line.sock", folder);
	arrival_clock_open(&ticks);
	limit = limit_create(event, "messages");
	failed = tap_run();
	limit_destroy(limit);
	arrival_clock_close(&ticks);
	rmdir(folder);
	sd_event_unref(event);
	return failed;
}
