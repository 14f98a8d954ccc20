/* SPDX-License-Identifier: MIT */
#include "watchers.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap.h"
#include "timers.h"

#define SECOND 1000000ULL

static sd_event *event;
static struct watchers *watchers;

/* Two LEDs, a and b, in place of leds.c. */
static struct showing shown[LEDS_MAX];
static void (*leds_changed)(void *userdata);
static void *leds_userdata;

void leds_on_change(struct leds *leds, void (*changed)(void *userdata), void *userdata)
{
	leds_changed = changed;
	leds_userdata = userdata;
}

unsigned leds_shown(const struct leds *leds, struct showing shown_[LEDS_MAX])
{
	CHECK(leds == (const struct leds *)shown);
	memcpy(shown_, shown, sizeof shown);
	return 2;
}

void leds_line(const struct leds *leds, unsigned number, char line[LEDS_LINE_MAX])
{
	sprintf(line, "OK LED %c %s", 'a' + (int)number,
		shown[number].shown == SHOWN_ON ? "ON" : "OFF");
}

static void settle(void)
{
	while (sd_event_run(event, 0) > 0)
		;
}

static void show(unsigned number, enum shown new)
{
	shown[number].shown = new;
	leds_changed(leds_userdata);
	settle();
}

static void begin(void)
{
	shown[0].shown = shown[1].shown = SHOWN_OFF;
	watchers = watchers_create(event, (struct leds *)shown);
}

static void end(void)
{
	watchers_destroy(watchers);
	CHECK(timers_running() == 0);
}

/* A client that watches. why: set to why not. Returns its end. */
static int watch(enum watchers_origin origin, uint32_t mask, const char *mark, const char **why)
{
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	*why = watchers_add(watchers, pair[1], origin, mask, mark);
	close(pair[1]);
	settle();
	return pair[0];
}

/* One that is accepted. */
static int watching(uint32_t mask, const char *mark)
{
	const char *why;
	int fd = watch(WATCHERS_LOCAL, mask, mark, &why);

	CHECK(!why);
	return fd;
}

/* What it has got, and "|" if its connection has ended. */
static const char *got(int fd)
{
	static char text[1 << 16];
	size_t length = 0;
	ssize_t n;

	settle();
	while ((n = recv(fd, text + length, sizeof text - 2 - length, MSG_DONTWAIT)) > 0)
		length += (size_t)n;
	if (n == 0 || errno != EAGAIN)
		text[length++] = '|';
	text[length] = '\0';
	return text;
}

TEST("a watcher gets each LED at first, and then each change")
{
	int all, one;

	begin();
	all = watching(NEWS_OF_ALL, "");
	one = watching(1U << 1, " ");
	CHECK_TEXT(got(all), "OK LED a OFF\nOK LED b OFF\n");
	CHECK_TEXT(got(one), "OK LED b OFF \n");
	show(0, SHOWN_ON);
	CHECK_TEXT(got(all), "OK LED a ON\n");
	CHECK_TEXT(got(one), "");
	show(1, SHOWN_ON);
	CHECK_TEXT(got(all), "OK LED b ON\n");
	CHECK_TEXT(got(one), "OK LED b ON\n");
	show(1, SHOWN_ON);
	CHECK_TEXT(got(all), "");
	/* Not before the client that made the change has its answer. */
	shown[0].shown = SHOWN_OFF;
	leds_changed(leds_userdata);
	CHECK(recv(all, &(char){0}, 1, MSG_PEEK | MSG_DONTWAIT) < 0);
	CHECK_TEXT(got(all), "OK LED a OFF\n");
	end();
	CHECK_TEXT(got(all), "|");
	close(all);
	close(one);
}

TEST("16 watch of each origin, and one that leaves makes room")
{
	int fds[WATCHERS_ORIGINS][WATCHERS_MAX], more;
	const char *why;

	begin();
	for (int origin = 0; origin < WATCHERS_ORIGINS; origin++) {
		for (unsigned i = 0; i < WATCHERS_MAX; i++) {
			fds[origin][i] = watch((enum watchers_origin)origin, NEWS_OF_ALL, "", &why);
			CHECK(!why);
		}
		more = watch((enum watchers_origin)origin, NEWS_OF_ALL, "", &why);
		CHECK_TEXT(why, "16 clients watch already");
		CHECK_TEXT(got(more), "|");
		close(more);
	}
	close(fds[WATCHERS_LOCAL][3]);
	settle();
	more = watch(WATCHERS_NETWORK, NEWS_OF_ALL, "", &why);
	CHECK(why);
	close(more);
	fds[WATCHERS_LOCAL][3] = watching(NEWS_OF_ALL, "");
	show(0, SHOWN_ON);
	for (unsigned i = 0; i < WATCHERS_MAX; i++) {
		CHECK(strstr(got(fds[WATCHERS_LOCAL][i]), "OK LED a ON\n"));
		CHECK(strstr(got(fds[WATCHERS_NETWORK][i]), "OK LED a ON\n"));
		close(fds[WATCHERS_LOCAL][i]);
		close(fds[WATCHERS_NETWORK][i]);
	}
	end();
}

TEST("one that ends its half watches on, one that sends too much does not")
{
	char bytes[1024] = "";
	int half, loud;
	size_t sent = 0;

	begin();
	half = watching(1, "");
	loud = watching(1, "");
	got(half);
	got(loud);
	shutdown(half, SHUT_WR);
	show(0, SHOWN_ON);
	show(0, SHOWN_OFF);
	CHECK_TEXT(got(half), "OK LED a ON\nOK LED a OFF\n");
	/* It does not wake us up again and again. */
	CHECK(sd_event_run(event, 0) == 0);
	while (sent + sizeof bytes <= COMMAND_STREAM_MAX) {
		CHECK(send(loud, bytes, sizeof bytes, MSG_NOSIGNAL) == sizeof bytes);
		sent += sizeof bytes;
		settle();
	}
	CHECK_TEXT(got(loud), "OK LED a ON\nOK LED a OFF\n");
	CHECK(send(loud, bytes, sizeof bytes, MSG_NOSIGNAL) == sizeof bytes);
	settle();
	CHECK(strchr(got(loud), '|'));
	end();
	close(half);
	close(loud);
}

/* Changes an LED until a watcher's connection takes no more. */
static void fill(void)
{
	for (int i = 0; i < 10000 && timers_running() == 0; i++)
		show(0, shown[0].shown == SHOWN_ON ? SHOWN_OFF : SHOWN_ON);
	CHECK(timers_running() == 1);
}

TEST("a slow reader gets the newest state, one that does not read for 10 s is closed")
{
	const char *text;
	int slow;

	begin();
	slow = watching(NEWS_OF_ALL, "");
	fill();
	timers_pass(10 * SECOND - 1);
	show(1, SHOWN_ON);
	show(1, SHOWN_OFF);
	show(1, SHOWN_ON);
	text = got(slow);
	/* Of three changes the last, and no line is cut. */
	CHECK(!strstr(text, "b ON") || !strstr(strstr(text, "b ON"), "b OFF"));
	CHECK(strstr(got(slow), "OK LED b ON\n") || strstr(text, "OK LED b ON\n"));
	CHECK(timers_running() == 0);
	fill();
	timers_pass(10 * SECOND);
	CHECK(strchr(got(slow), '|'));
	close(slow);
	/* One that is gone is closed at the next change, and one that does not read at the end. */
	slow = watching(NEWS_OF_ALL, "");
	fill();
	close(slow);
	show(1, SHOWN_OFF);
	CHECK(timers_running() == 0);
	slow = watching(NEWS_OF_ALL, "");
	fill();
	end();
	close(slow);
}

int main(void)
{
	int r;

	if (sd_event_new(&event) < 0)
		return 1;
	r = tap_run();
	sd_event_unref(event);
	return r;
}
