/* SPDX-License-Identifier: MIT */
#include "feed.h"
#include "tap.h"

static struct follow f;
static struct feed page;
static char event[FEED_EVENT_MAX];

/* Two LEDs, and a page that has just been loaded. */
static void begin(void)
{
	f = (struct follow){.n = 2};
	f.leds[0] = (struct followed_led){.name = "a", .state = LED_ON};
	f.leds[1] = (struct followed_led){.name = "b", .state = LED_OFF, .kind = KIND_SWITCH};
	page = (struct feed){.list = feed_list(&f)};
}

/* The next event, or "nothing" or "end". */
static const char *next(void)
{
	switch (feed_next(&page, &f, f.missing ? "no led-line at /x: gone" : "", event)) {
	case FEED_NOTHING:
		return "nothing";
	case FEED_END:
		return "end";
	case FEED_EVENT:
		break;
	}
	return event;
}

#define A_ON "data: {\"name\":\"a\",\"kind\":\"light\",\"state\":\"ON\"}\n\n"
#define A_OFF "data: {\"name\":\"a\",\"kind\":\"light\",\"state\":\"OFF\"}\n\n"
#define B_OFF "data: {\"name\":\"b\",\"kind\":\"switch\",\"state\":\"OFF\"}\n\n"

TEST("each LED, then each change")
{
	begin();
	CHECK_TEXT(next(), A_ON);
	CHECK_TEXT(next(), B_OFF);
	CHECK_TEXT(next(), "nothing");
	f.leds[0].state = LED_OFF;
	CHECK_TEXT(next(), A_OFF);
	CHECK_TEXT(next(), "nothing");
	f.leds[1].state = LED_MISSING;
	strcpy(f.leds[1].why, "gone");
	CHECK_TEXT(next(), "data: {\"name\":\"b\",\"kind\":\"switch\",\"error\":\"gone\"}\n\n");
	strcpy(f.leds[1].why, "busy");
	CHECK_TEXT(next(), "data: {\"name\":\"b\",\"kind\":\"switch\",\"error\":\"busy\"}\n\n");
	CHECK_TEXT(next(), "nothing");
}

TEST("a slow reader gets the newest state, and nothing that it has already")
{
	begin();
	CHECK_TEXT(next(), A_ON);
	f.leds[0].state = LED_OFF;
	CHECK_TEXT(next(), A_OFF);
	f.leds[0].state = LED_ON;
	f.leds[0].state = LED_OFF;
	CHECK_TEXT(next(), B_OFF);
	CHECK_TEXT(next(), "nothing");
}

TEST("led-line is away, and comes back: each LED again")
{
	begin();
	next();
	next();
	f.missing = true;
	f.leds[0].state = f.leds[1].state = LED_MISSING;
	CHECK_TEXT(next(), "event: away\ndata: no led-line at /x: gone\n\n");
	CHECK_TEXT(next(), "nothing");
	f.missing = false;
	f.leds[0].state = LED_ON;
	f.leds[1].state = LED_OFF;
	CHECK_TEXT(next(), A_ON);
	CHECK_TEXT(next(), B_OFF);
	CHECK_TEXT(next(), "nothing");
	f.missing = true;
	CHECK(strncmp(next(), "event: away", 11) == 0);
}

TEST("the stream ends when the list changes")
{
	begin();
	next();
	next();
	f.leds[1].kind = KIND_LIGHT;
	CHECK_TEXT(next(), "end");
	begin();
	f.leds[1].pulse_ms = 500;
	CHECK_TEXT(next(), "end");
	begin();
	strcpy(f.leds[1].name, "c");
	CHECK_TEXT(next(), "end");
	begin();
	f.n = 1;
	CHECK_TEXT(next(), "end");
	begin();
	f.n = 0;
	CHECK_TEXT(next(), "end");
	begin();
	CHECK_TEXT(next(), A_ON);
}

TEST("of a page without LEDs, when there are some")
{
	f = (struct follow){.missing = true};
	page = (struct feed){.list = feed_list(&f)};
	CHECK(strncmp(next(), "event: away", 11) == 0);
	CHECK_TEXT(next(), "nothing");
	f.n = 1;
	strcpy(f.leds[0].name, "a");
	CHECK_TEXT(next(), "end");
}

TEST("a comment when one is due, after what is new")
{
	begin();
	page.comments = true;
	CHECK_TEXT(next(), A_ON);
	CHECK_TEXT(next(), B_OFF);
	CHECK_TEXT(next(), ":\n\n");
	CHECK_TEXT(next(), "nothing");
}

TEST("names do not run into each other")
{
	uint64_t list;

	f = (struct follow){.n = 2};
	strcpy(f.leds[0].name, "ab");
	strcpy(f.leds[1].name, "c");
	list = feed_list(&f);
	strcpy(f.leds[0].name, "a");
	strcpy(f.leds[1].name, "bc");
	CHECK(feed_list(&f) != list);
}

int main(void)
{
	return tap_run();
}
