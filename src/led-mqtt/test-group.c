/* SPDX-License-Identifier: MIT */
#include "group.h"

#include <stdlib.h>

#include "tap.h"

#define NOW 1000000000ULL

static struct group g;
static struct follow follow;
static int ids;

/* LEDs: a letter each, 1 on, 0 off, ? unknown, x missing; M and m a momentary one, on and off. */
static void leds(const char *states)
{
	follow.n = 0;
	for (; *states; states++) {
		struct followed_led *led = &follow.leds[follow.n++];

		*led = (struct followed_led){.state = strchr("1M", *states)   ? LED_ON
						      : strchr("0m", *states) ? LED_OFF
						      : *states == 'x'        ? LED_MISSING
									      : LED_UNKNOWN};
		if (strchr("Mm", *states)) {
			led->kind = KIND_SWITCH;
			led->pulse_ms = 500;
		}
	}
}

static void begin(const char *states)
{
	g = (struct group){.is_member = true};
	ids = 0;
	leds(states);
}

/* A press: what a TOGGLE becomes. */
static enum verb resolve(const char *key, uint64_t now)
{
	struct request request = {.verb = VERB_TOGGLE};

	strcpy(request.key, key);
	group_resolve(&g, &follow, &request, now);
	CHECK(!*request.key);
	return request.verb;
}

/* The same, and it is sent, as message ids. */
static enum verb press(const char *key)
{
	enum verb verb = resolve(key, NOW);

	group_sent(&g, ++ids, verb, key);
	return verb;
}

/* The message comes back to this machine, and the broker acknowledges it. */
static void comes_back(int id, enum verb verb)
{
	group_came(&g, verb, NOW);
	group_acknowledged(&g, id, false);
}

TEST("the LEDs decide: OFF if one is on")
{
	static const struct {
		const char *leds;
		enum verb verb;
	} CASES[] = {
		{"1", VERB_OFF},
		{"0", VERB_ON},
		{"001", VERB_OFF},
		{"000", VERB_ON},
		{"0x?", VERB_ON},
		{"1x?", VERB_OFF},
		/* Momentary ones do not count, nor do those that nobody knows. */
		{"0M", VERB_ON},
		{"1m", VERB_OFF},
		{"M", VERB_ON},
		{"xx", VERB_ON},
		{"?", VERB_ON},
		{"", VERB_ON},
	};

	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		begin(CASES[i].leds);
		CHECK(resolve("", NOW) == CASES[i].verb);
	}
}

TEST("without LEDs there, ON and OFF take turns")
{
	for (int way = 0; way < 4; way++) {
		begin(way == 0 ? "1" : way == 1 ? "" : way == 2 ? "M" : "x");
		g.is_member = way != 0;
		for (int i = 0; i < 6; i++) {
			CHECK(press("") == (i % 2 ? VERB_OFF : VERB_ON));
			if (i % 3)
				group_acknowledged(&g, ids, false);
		}
		/* A plain command counts, too. */
		group_sent(&g, ++ids, VERB_ON, "");
		group_acknowledged(&g, ids, false);
		CHECK(press("") == VERB_OFF);
	}
}

TEST("what is on its way counts as carried out")
{
	begin("0");
	CHECK(press("") == VERB_ON);
	CHECK(press("") == VERB_OFF);
	CHECK(press("") == VERB_ON);
	comes_back(1, VERB_ON);
	CHECK(resolve("", NOW) == VERB_OFF);
	comes_back(2, VERB_OFF);
	CHECK(resolve("", NOW) == VERB_OFF);
	comes_back(3, VERB_ON);
	/* It has come back, and led-line has not switched yet. */
	CHECK(resolve("", NOW) == VERB_OFF);
	CHECK(resolve("", NOW + GROUP_SETTLE_USEC - 1) == VERB_OFF);
	/* It has not switched at all. */
	CHECK(resolve("", NOW + GROUP_SETTLE_USEC) == VERB_ON);
}

TEST("what comes back is the oldest of its kind, and is done when the broker has acknowledged it, "
     "too")
{
	begin("0");
	press("");
	press("");
	press("");
	group_came(&g, VERB_OFF, NOW);
	CHECK(g.n_sent == 3 && g.sent[0].away && !g.sent[1].away && g.sent[2].away);
	group_came(&g, VERB_ON, NOW);
	CHECK(g.n_sent == 3 && !g.sent[0].away && g.sent[2].away);
	group_acknowledged(&g, 2, false);
	group_acknowledged(&g, 1, false);
	CHECK(g.n_sent == 1 && g.sent[0].id == 3);
	/* No message, and one that is none of these. */
	group_acknowledged(&g, 3, false);
	group_acknowledged(&g, 0, true);
	group_acknowledged(&g, 99, true);
	CHECK(g.n_sent == 1 && g.sent[0].away);
}

TEST("what has come back counts for a second, whatever the LEDs show, and then they decide")
{
	begin("0");
	press("");
	group_acknowledged(&g, 1, false);
	CHECK(g.n_sent == 1);
	group_came(&g, VERB_ON, NOW);
	CHECK(g.n_sent == 0);
	leds("1");
	leds("0");
	CHECK(resolve("", NOW) == VERB_OFF);
	CHECK(resolve("", NOW + GROUP_SETTLE_USEC) == VERB_ON);
	/* Three quick presses, and the LEDs show the first when the third comes back. */
	begin("0");
	press("");
	comes_back(1, VERB_ON);
	press("");
	comes_back(2, VERB_OFF);
	press("");
	leds("1");
	comes_back(3, VERB_ON);
	leds("0");
	CHECK(press("") == VERB_OFF);
}

TEST("what others send counts from its arrival")
{
	begin("0");
	group_came(&g, VERB_ON, NOW);
	CHECK(resolve("", NOW) == VERB_OFF);
	leds("1");
	CHECK(resolve("", NOW) == VERB_OFF);
	group_came(&g, VERB_OFF, NOW);
	CHECK(resolve("", NOW) == VERB_ON);
}

TEST("a key keeps what it became, for the last 64")
{
	char key[8];

	begin("0");
	CHECK(press("a") == VERB_ON);
	leds("1");
	comes_back(1, VERB_ON);
	CHECK(resolve("b", NOW) == VERB_OFF);
	CHECK(resolve("a", NOW) == VERB_ON && press("a") == VERB_ON);
	comes_back(2, VERB_ON);
	for (int i = 0; i < 63; i++) {
		sprintf(key, "k%d", i);
		CHECK(press(key) == (i % 2 ? VERB_ON : VERB_OFF));
	}
	CHECK(resolve("a", NOW) == VERB_ON && resolve("k0", NOW) == VERB_OFF);
	press("one-more");
	CHECK(resolve("k0", NOW) == VERB_OFF && resolve("k62", NOW) == VERB_OFF);
	leds("1");
	group_down(&g);
	CHECK(resolve("a", NOW) == VERB_OFF);
}

TEST("what was refused does not count")
{
	begin("");
	CHECK(press("a") == VERB_ON);
	group_acknowledged(&g, 1, true);
	CHECK(press("a") == VERB_ON && press("b") == VERB_OFF && press("c") == VERB_ON);
	group_acknowledged(&g, 2, true);
	group_acknowledged(&g, 3, true);
	group_acknowledged(&g, 4, true);
	CHECK(g.n_sent == 0 && resolve("b", NOW) == VERB_ON);
	/* Of two, the one that was taken. */
	CHECK(press("") == VERB_ON && press("") == VERB_OFF);
	group_acknowledged(&g, 5, false);
	group_acknowledged(&g, 6, true);
	CHECK(resolve("", NOW) == VERB_OFF);
	/* With LEDs. */
	begin("0");
	CHECK(press("a") == VERB_ON);
	group_acknowledged(&g, 1, true);
	CHECK(resolve("a", NOW) == VERB_ON && resolve("", NOW) == VERB_ON);
	leds("1");
	CHECK(resolve("a", NOW) == VERB_OFF);
}

TEST("a key that was taken once keeps what it became, also if it is sent once more and refused")
{
	begin("0");
	CHECK(press("a") == VERB_ON);
	comes_back(1, VERB_ON);
	CHECK(press("a") == VERB_ON);
	group_acknowledged(&g, 2, true);
	leds("1");
	CHECK(resolve("a", NOW) == VERB_ON);
}

TEST("a connection that breaks: the LEDs decide, and keys keep what they became")
{
	begin("0");
	CHECK(press("a") == VERB_ON);
	group_down(&g);
	CHECK(resolve("", NOW) == VERB_ON && resolve("a", NOW) == VERB_ON);
	leds("1");
	CHECK(resolve("", NOW) == VERB_OFF && resolve("a", NOW) == VERB_ON);
	/* Nobody knows whether the first one was carried out, so a refusal changes nothing. */
	CHECK(press("a") == VERB_ON);
	group_acknowledged(&g, 2, true);
	CHECK(resolve("a", NOW) == VERB_ON);
	/* The same of each that was on its way. */
	begin("0");
	CHECK(press("a") == VERB_ON && press("b") == VERB_OFF);
	group_down(&g);
	CHECK(press("b") == VERB_OFF);
	group_acknowledged(&g, 3, true);
	CHECK(resolve("b", NOW) == VERB_OFF);
	/* Without LEDs, it counts. */
	begin("");
	press("");
	group_down(&g);
	CHECK(resolve("", NOW) == VERB_OFF);
}

TEST("more on their way than there is room for")
{
	begin("0");
	for (int i = 0; i < 3 * GROUP_SENT_MAX + 1; i++)
		CHECK(press("") == (i % 2 ? VERB_OFF : VERB_ON));
	CHECK(g.n_sent == GROUP_SENT_MAX && resolve("", NOW) == VERB_OFF);
}

TEST("twenty machines, one of them away for one of 50 presses: in step after the next one")
{
	for (int away = 0; away < 50; away++)
		for (int machine = 0; machine < 20; machine++) {
			bool on[20] = {0}, in_step = true;

			begin("0");
			for (int i = 0; i < 50; i++) {
				enum verb verb = press("");

				for (int j = 0; j < 20; j++)
					if (i != away || j != machine)
						on[j] = verb == VERB_ON;
				/* The button is at machine 0. While that is away, nothing comes. */
				if (i == away && machine == 0)
					group_down(&g);
				else
					comes_back(ids, verb);
				leds(on[0] ? "1" : "0");
				g.settles_until = 0; /* seconds later */
				for (int j = 0; j < 20 && i != away; j++)
					in_step &= on[j] == on[0];
			}
			CHECK(in_step);
		}
}

TAP_MAIN
