/* SPDX-License-Identifier: MIT */
#include "group.h"
#include "presses.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "flight.h"
#include "tap.h"

static sd_event *event;
static struct limit *limit;
static struct presses *presses;
static const struct topics TOPICS = {"led", "pi"};
static const struct names GROUPS = {.names = {"up", "all"}, .n = 2};
static const struct contacts CONTACTS = {.items = {{"door", "door"}, {"hall", ""}}, .n = 2};
static struct retained retained;
static const char *sends_to = "led/pi/lamp";
static struct follow follow;
static struct sockaddr_un address;
static socklen_t size;

/* In place of clock.c: time passes when a test wants it to. */
static uint64_t passed;

uint64_t clock_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000 + passed;
}

/* In place of broker.c: what was published last, and how often. Its ID is that number. */
static char published[3 * TOPIC_MAX];
static char words[9000]; /* what was published, the last part of each topic */
static int n_published, published_at_most;
static const char *away;

const char *broker_publish(
	struct broker *broker, const char *topic, const char *payload, bool retain, int *id)
{
	CHECK(retain == (strstr(topic, "/contact/") != NULL));
	if (away || n_published == published_at_most)
		return away ? away : "no";
	snprintf(published, sizeof published, "%s %s", topic, payload);
	strcat(strcat(words, strrchr(topic, '/')), payload);
	*id = ++n_published;
	return NULL;
}

static void begin(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	address = (struct sockaddr_un){.sun_family = AF_UNIX};
	size = sizeof address;
	CHECK(bind(fd, (struct sockaddr *)&address, sizeof address.sun_family) == 0);
	CHECK(listen(fd, 200) == 0);
	getsockname(fd, (struct sockaddr *)&address, &size);
	n_published = 0;
	published_at_most = 1000;
	away = NULL;
	*published = *words = '\0';
	retained_clear(&retained);
	retained.up = true;
	presses = presses_create(event, NULL,
		&(struct presses_options){
			&TOPICS, &GROUPS, &CONTACTS, sends_to, &follow, &retained},
		limit);
	CHECK(presses_add_socket(presses, fd) == 0);
}

/* Runs the loop until it has nothing more to do. */
static void run(void)
{
	for (int i = 0; i < 3; i++)
		while (sd_event_run(event, 1000) > 0)
			;
}

/* Connects and sends a command. */
static int start(const char *command)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	CHECK(connect(fd, (struct sockaddr *)&address, size) == 0);
	CHECK(send(fd, command, strlen(command), MSG_NOSIGNAL) == (ssize_t)strlen(command));
	run();
	return fd;
}

/* What a client has got: "waits" if nothing, "closed" if the end alone. It hangs up if it has. */
static const char *got(int fd)
{
	static char text[200];
	ssize_t n;

	run();
	n = recv(fd, text, sizeof text - 1, 0);
	if (n < 0)
		return "waits";
	text[n] = '\0';
	close(fd);
	run();
	return n == 0 ? "closed" : text;
}

static void end(void)
{
	presses_destroy(presses);
}

TEST("a press and a command are published, and answered when the broker has them")
{
	int fd;

	begin();
	fd = start("PRESS Door\n");
	CHECK_TEXT(published, "led/pi/button/door press");
	CHECK_TEXT(got(fd), "waits");
	CHECK(presses_are_waiting(presses) && presses_done(presses) == 0);
	presses_acknowledged(presses, 7, BROKER_TAKEN, NULL);
	CHECK_TEXT(got(fd), "waits");
	presses_acknowledged(presses, 1, BROKER_TAKEN, NULL);
	CHECK_TEXT(got(fd), "OK PRESS door\n");
	CHECK(!presses_are_waiting(presses) && presses_done(presses) == 1);
	fd = start("led toggle #k1\n");
	CHECK_TEXT(published, "led/pi/lamp/set TOGGLE #k1");
	presses_acknowledged(presses, 2, BROKER_TAKEN, NULL);
	CHECK_TEXT(got(fd), "OK LED TOGGLE #k1\n");
	end();
}

TEST("what the broker says decides the answer")
{
	int unwanted, refused;

	begin();
	unwanted = start("LED ON\n");
	refused = start("LED PULSE 500\n");
	presses_acknowledged(presses, 1, BROKER_UNWANTED, NULL);
	presses_acknowledged(presses, 2, BROKER_REFUSED, "Not authorized");
	CHECK_TEXT(got(unwanted), "ERR nobody has subscribed to its topic\n");
	CHECK_TEXT(got(refused), "ERR the broker refuses it: Not authorized\n");
	CHECK(presses_done(presses) == 0);
	away = "Connection refused";
	CHECK_TEXT(got(start("LED ON\n")), "ERR the broker is away: Connection refused\n");
	end();
}

TEST("other commands are not published")
{
	static const char *const OTHERS[] = {"LED STATUS\n", "LED ALL ON\n", "LED kitchen ON\n",
		"LED LIST\n", "LED WATCH\n", "PRESS set\n", "PRESS\n", "PRESS a b\n", "x\n",
		"CONTACT door\n", "CONTACT door OPEN\n", "CONTACT door ON x\n", "CONTACT set ON\n"};

	begin();
	for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
		CHECK(strstr(got(start(OTHERS[i])), "MQTT_SEND decides which LED\n"));
	CHECK(n_published == 0);
	end();
}

TEST("when the connection breaks, all who wait are closed without an answer")
{
	int fds[3];

	begin();
	for (int i = 0; i < 3; i++)
		fds[i] = start("PRESS door\n");
	CHECK(n_published == 3);
	presses_down(presses);
	for (int i = 0; i < 3; i++)
		CHECK_TEXT(got(fds[i]), "closed");
	/* Those who try again do not join what was on its way on that connection. */
	passed += FLIGHT_WAIT_USEC;
	close(start("PRESS door\n"));
	CHECK(n_published == 4);
	end();
}

TEST("one that tries again joins its message, which is on its way, and is not published twice")
{
	int first, second;

	begin();
	first = start("PRESS door\n");
	passed += FLIGHT_WAIT_USEC;
	second = start("PRESS door\n");
	CHECK(n_published == 1);
	close(first);
	presses_acknowledged(presses, 1, BROKER_TAKEN, NULL);
	presses_acknowledged(presses, 1, BROKER_TAKEN, NULL);
	CHECK_TEXT(got(second), "OK PRESS door\n");
	/* What has been acknowledged is over. */
	passed += FLIGHT_WAIT_USEC;
	close(start("PRESS door\n"));
	CHECK(n_published == 2);
	end();
}

TEST("a press whose client has gone is still published")
{
	begin();
	close(start("PRESS door\n"));
	CHECK(n_published == 1);
	end();
}

TEST("after a standstill, it is not, until all that waited has been read")
{
	int fd = -1;

	begin();
	presses_stood_still(presses, true);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(connect(fd, (struct sockaddr *)&address, size) == 0);
	CHECK(write(fd, "LED ON\n", 7) == 7);
	close(fd);
	run();
	CHECK(n_published == 0);
	/* Those who are still there are served. */
	fd = start("LED ON\n");
	CHECK(n_published == 1);
	presses_acknowledged(presses, 1, BROKER_TAKEN, NULL);
	CHECK_TEXT(got(fd), "OK LED ON\n");
	presses_stood_still(presses, false);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(connect(fd, (struct sockaddr *)&address, size) == 0);
	CHECK(write(fd, "LED OFF\n", 8) == 8);
	close(fd);
	run();
	CHECK(n_published == 2);
	end();
}

TEST("those who wait keep their places")
{
	int fd;

	begin();
	for (int i = 0; i < 64; i++)
		start("PRESS door\n");
	CHECK(n_published == 64);
	fd = start("PRESS door\n");
	CHECK_TEXT(got(fd), "ERR too many connections\n");
	CHECK(n_published == 64);
	end();
}

TEST("after a stop, nobody new is accepted, and who waits is answered")
{
	int first, second;

	begin();
	first = start("LED ON\n");
	presses_stop(presses);
	second = start("LED OFF\n");
	CHECK(n_published == 1 && presses_are_waiting(presses));
	presses_acknowledged(presses, 1, BROKER_TAKEN, NULL);
	CHECK_TEXT(got(first), "OK LED ON\n");
	CHECK(!presses_are_waiting(presses));
	end();
	close(second);
}

TEST("a TOGGLE that goes to a group becomes ON or OFF, and others stay what they are")
{
	const struct request on = {.verb = VERB_ON};
	int fd;

	sends_to = "led/group/all";
	follow = (struct follow){.n = 1, .leds = {{"lamp", LED_OFF, KIND_LIGHT, 0}}};
	begin();
	fd = start("LED TOGGLE #k1\n");
	CHECK_TEXT(published, "led/group/all/set ON");
	/* Tried again before it is acknowledged, it joins the first one. */
	passed += FLIGHT_WAIT_USEC;
	close(start("LED TOGGLE #k1\n"));
	CHECK(n_published == 1);
	presses_acknowledged(presses, 1, BROKER_TAKEN, NULL);
	CHECK_TEXT(got(fd), "OK LED ON\n");
	close(start("LED TOGGLE #k2\n"));
	CHECK_TEXT(published, "led/group/all/set OFF");
	presses_acknowledged(presses, 2, BROKER_UNWANTED, NULL);
	/* It came back, and later the LED was switched off by others. */
	presses_came(presses, "led/group/up/set", &on);
	presses_came(presses, "led/group/all/set", &on);
	passed += GROUP_SETTLE_USEC;
	close(start("LED TOGGLE #k3\n"));
	CHECK_TEXT(published, "led/group/all/set ON");
	presses_down(presses);
	close(start("LED PULSE 500 #k4\n"));
	CHECK_TEXT(published, "led/group/all/set PULSE 500 #k4");
	/* What could not be sent does not count. */
	away = "no";
	CHECK_TEXT(got(start("LED TOGGLE #k5\n")), "ERR the broker is away: no\n");
	away = NULL;
	follow.leds[0].state = LED_ON;
	close(start("LED TOGGLE #k5\n"));
	CHECK_TEXT(published, "led/group/all/set OFF");
	end();
	/* Of another group, the machine's own LEDs say nothing. */
	sends_to = "led/group/other";
	begin();
	close(start("LED TOGGLE #k1\n"));
	CHECK_TEXT(published, "led/group/other/set ON");
	end();
	sends_to = "led/pi/lamp";
}

TEST("a long press is one of its own")
{
	int fd;

	begin();
	fd = start("press DOOR long\n");
	CHECK_TEXT(published, "led/pi/button/door long");
	presses_acknowledged(presses, 1, BROKER_TAKEN, NULL);
	CHECK_TEXT(got(fd), "OK PRESS door LONG\n");
	CHECK(strncmp(got(start("PRESS door LONGER\n")), "ERR send LED ON", 15) == 0);
	end();
}

TEST("what a contact says is two retained messages, and OK when the broker has both")
{
	int fd;

	begin();
	fd = start("contact DOOR on\n");
	CHECK_TEXT(words, "/doorON/availabilityonline");
	CHECK_TEXT(published, "led/pi/contact/door/availability online");
	presses_acknowledged(presses, 2, BROKER_UNWANTED, NULL);
	CHECK_TEXT(got(fd), "waits");
	/* That nobody has subscribed does not matter: the broker keeps it. */
	presses_acknowledged(presses, 1, BROKER_UNWANTED, NULL);
	CHECK_TEXT(got(fd), "OK CONTACT door ON\n");
	CHECK(!presses_are_waiting(presses));
	fd = start("CONTACT door GONE\n");
	CHECK_TEXT(words, "/doorON/availabilityonline/availabilityoffline");
	presses_acknowledged(presses, 3, BROKER_TAKEN, NULL);
	CHECK_TEXT(got(fd), "OK CONTACT door GONE\n");
	/* It is known now, and nothing is published twice. */
	CHECK_TEXT(retained.first->payload, "ON");
	CHECK_TEXT(retained.first->next->payload, "offline");
	CHECK(!retained_next(&retained, clock_usec()));
	end();
}

TEST("what the broker does not take, or half of it, or a name that is not in MQTT_CONTACTS")
{
	int fd;

	begin();
	fd = start("CONTACT hall OFF\n");
	presses_acknowledged(presses, 1, BROKER_TAKEN, NULL);
	presses_acknowledged(presses, 2, BROKER_REFUSED, "Not authorized");
	CHECK_TEXT(got(fd), "ERR the broker refuses it: Not authorized\n");
	published_at_most = 3;
	CHECK_TEXT(got(start("CONTACT hall ON\n")), "closed");
	away = "Connection refused";
	CHECK_TEXT(got(start("CONTACT door ON\n")), "ERR the broker is away: Connection refused\n");
	/* An ERR is never published later. */
	CHECK(!strstr(retained.first->name, "door") && !strstr(retained.first->next->name, "door"));
	CHECK_TEXT(got(start("CONTACT attic ON\n")),
		"ERR no contact is called attic: add it to MQTT_CONTACTS\n");
	CHECK(presses_done(presses) == 0);
	end();
}

TEST("a contact's word joins the same one only if that is the newest")
{
	begin();
	close(start("CONTACT door ON\n"));
	passed += FLIGHT_WAIT_USEC;
	close(start("CONTACT door ON\n"));
	CHECK_TEXT(words, "/doorON/availabilityonline");
	close(start("CONTACT door OFF\n"));
	CHECK_TEXT(words, "/doorON/availabilityonline/doorOFF/availabilityonline");
	passed += FLIGHT_WAIT_USEC;
	close(start("CONTACT door ON\n"));
	CHECK(strcmp(words + strlen(words) - strlen("/doorOFF/availabilityonline/doorON"),
		      "/doorOFF/availabilityonline/doorON") == 0);
	CHECK_TEXT(retained.first->payload, "ON");
	/* All three have a state and one availability, or a second one. */
	for (int i = 1; i <= n_published; i++)
		presses_acknowledged(presses, i, BROKER_TAKEN, NULL);
	CHECK(!presses_are_waiting(presses));
	end();
}

TEST("GONE, between two times ON, is not passed over")
{
	int fd;

	begin();
	close(start("CONTACT door ON\n"));
	close(start("CONTACT door GONE\n"));
	passed += FLIGHT_WAIT_USEC;
	fd = start("CONTACT door ON\n");
	/* The state is on its way, the availability is not the newest. */
	CHECK_TEXT(words, "/doorON/availabilityonline/availabilityoffline/availabilityonline");
	presses_acknowledged(presses, 1, BROKER_TAKEN, NULL);
	presses_acknowledged(presses, 2, BROKER_TAKEN, NULL);
	presses_acknowledged(presses, 3, BROKER_TAKEN, NULL);
	CHECK_TEXT(got(fd), "waits");
	presses_acknowledged(presses, 4, BROKER_TAKEN, NULL);
	CHECK_TEXT(got(fd), "OK CONTACT door ON\n");
	end();
}

TEST("after a standstill, the words of contacts are published in their order, also of clients gone")
{
	static const char *const WORDS[] = {
		"CONTACT door ON\n", "CONTACT door OFF\n", "CONTACT door ON\n"};

	begin();
	presses_stood_still(presses, true);
	for (int i = 0; i < 3; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		CHECK(connect(fd, (struct sockaddr *)&address, size) == 0);
		CHECK(write(fd, WORDS[i], strlen(WORDS[i])) == (ssize_t)strlen(WORDS[i]));
		close(fd);
	}
	run();
	CHECK_TEXT(words, "/doorON/availabilityonline/doorOFF/availabilityonline/doorON"
			  "/availabilityonline");
	CHECK_TEXT(retained.first->payload, "ON");
	end();
}

TEST("there is room for 64 contacts that wait, and for as many messages of clients that are gone")
{
	begin();
	for (int i = 0; i < 64; i++)
		start(i % 2 ? "CONTACT door ON\n" : "CONTACT door OFF\n");
	CHECK(n_published == 2 * 64 && 2 * n_published == FLIGHT_MAX);
	CHECK_TEXT(got(start("CONTACT hall ON\n")), "ERR too many connections\n");
	end();
}

int main(void)
{
	int failed;

	if (sd_event_new(&event) < 0)
		return 1;
	limit = limit_create(event, "messages");
	failed = tap_run();
	limit_destroy(limit);
	sd_event_unref(event);
	return failed;
}
