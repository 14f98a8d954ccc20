/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "../../src/button/delivery.h"
#include "command.h"
#include "tap.h"

/* How long to wait for what has to come at once, on any machine, in microseconds. */
#define PATIENCE 20000000ULL

static const struct commands LISTS[OCCASIONS] = {
	[ON_PRESS] = {{"A", "B", "LED TOGGLE"}, 3},
	[ON_RELEASE] = {{"R", "LED kitchen PULSE 500"}, 2},
	[ON_LONG_PRESS] = {{"LONG"}, 1},
};

static sd_event *event;
static sd_event_source *clients;
static int listener;
static char heard[16][COMMAND_MAX + 2]; /* the commands that the server has read */
static unsigned n_heard;
static const char *answer;
static struct delivery_counts counts;

/* A command, which comes in one piece. */
static int on_command(sd_event_source *source, int client, uint32_t events, void *userdata)
{
	ssize_t n = recv(client, heard[n_heard], sizeof heard[0] - 1, 0);

	(void)events;
	(void)userdata;
	CHECK(n > 0);
	heard[n_heard++][n > 0 ? n - 1 : 0] = '\0'; /* without its newline */
	CHECK(send(client, answer, strlen(answer), 0) == (ssize_t)strlen(answer));
	sd_event_source_unref(source);
	close(client);
	return 0;
}

static int on_client(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	int client = accept(fd, NULL, NULL);
	sd_event_source *its_source;

	(void)source;
	(void)events;
	(void)userdata;
	CHECK(sd_event_add_io(event, &its_source, client, EPOLLIN, on_command, NULL) >= 0);
	return 0;
}

static void on_change(void *userdata, const struct delivery_counts *now)
{
	(void)userdata;
	counts = *now;
}

/* Goes on until all presses are delivered or dropped. */
static void wait_until_done(void)
{
	while (counts.waiting > 0 && n_heard < sizeof heard / sizeof *heard)
		if (sd_event_run(event, PATIENCE) <= 0)
			break;
	CHECK(counts.waiting == 0);
}

/* A delivery to a server that gives this answer. */
static struct delivery *create(uint64_t retry_usec, const char *its_answer)
{
	struct sockaddr_in in = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {0}};
	socklen_t size = sizeof in;
	struct delivery *delivery;
	struct address server;
	char text[32];

	answer = its_answer;
	n_heard = 0;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(bind(listener, (struct sockaddr *)&in, sizeof in) == 0 && listen(listener, 16) == 0);
	getsockname(listener, (struct sockaddr *)&in, &size);
	snprintf(text, sizeof text, "127.0.0.1:%u", ntohs(in.sin_port));
	CHECK(!address_parse(text, &server));
	CHECK(sd_event_default(&event) >= 0);
	CHECK(sd_event_add_io(event, &clients, listener, EPOLLIN, on_client, NULL) >= 0);
	delivery = delivery_create(event, &server, LISTS, retry_usec, on_change, NULL);
	CHECK(delivery);
	return delivery;
}

static void destroy(struct delivery *delivery)
{
	delivery_destroy(delivery);
	sd_event_source_unref(clients);
	sd_event_unref(event);
	close(listener);
}

static void lists_of_their_own(void)
{
	static const enum occasion PRESSES[] = {
		ON_PRESS, ON_RELEASE, ON_LONG_PRESS, ON_PRESS, ON_LONG_PRESS, ON_RELEASE, ON_PRESS};
	static const char *const WANTED[] = {
		"A", "R", "LONG", "B", "LONG", "LED kitchen PULSE 500 #", "LED TOGGLE #"};
	struct delivery *delivery = create(PATIENCE, "OK\n");

	for (size_t i = 0; i < sizeof PRESSES / sizeof *PRESSES; i++)
		delivery_press(delivery, PRESSES[i]);
	wait_until_done();
	CHECK(n_heard == 7);
	for (unsigned i = 0; i < n_heard; i++) {
		size_t length = strlen(WANTED[i]);
		bool has_key = WANTED[i][length - 1] == '#';

		CHECK(strncmp(heard[i], WANTED[i], length) == 0);
		CHECK(strlen(heard[i]) == length + (has_key ? COMMAND_KEY_MAX : 0));
	}
	/* Each begins again. */
	delivery_press(delivery, ON_PRESS);
	delivery_press(delivery, ON_RELEASE);
	wait_until_done();
	CHECK_TEXT(heard[7], "A");
	CHECK_TEXT(heard[8], "R");
	destroy(delivery);
}

static void a_dropped_press_advances_nothing(void)
{
	struct delivery *delivery = create(0, "ERR no\n");

	delivery_press(delivery, ON_RELEASE);
	wait_until_done();
	CHECK(counts.dropped == 1);
	answer = "OK\n";
	/* A press that has to wait would be dropped. */
	delivery_press(delivery, ON_PRESS);
	wait_until_done();
	delivery_press(delivery, ON_RELEASE);
	wait_until_done();
	CHECK(counts.delivered == 2);
	CHECK_TEXT(heard[0], "R");
	CHECK_TEXT(heard[1], "A");
	CHECK_TEXT(heard[2], "R");
	destroy(delivery);
}

int main(void)
{
	static const struct tap_test TESTS[] = {
		{"each occasion has a list of its own, and all are in order", lists_of_their_own},
		{"a press that was dropped advances no list", a_dropped_press_advances_nothing}};

	setlogmask(LOG_UPTO(LOG_EMERG));
	return tap_run(TESTS, sizeof TESTS / sizeof *TESTS);
}
