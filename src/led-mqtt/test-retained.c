/* SPDX-License-Identifier: MIT */
#include "retained.h"
#include "tap.h"

#define NOW 1000000000ULL
#define SECOND 1000000ULL

static struct retained r;
static int ids;

static void begin(void)
{
	retained_clear(&r);
	r = (struct retained){0};
	ids = 0;
}

/* Publishes what is due. Returns how many, and in text what. */
static int publish(uint64_t now, char text[200])
{
	struct retained_topic *topic;
	int n = 0;

	*text = '\0';
	while ((topic = retained_next(&r, now))) {
		retained_sent(topic, ++ids);
		sprintf(text + strlen(text), "%s%s=%s", n++ ? " " : "", topic->name,
			topic->payload);
	}
	return n;
}

/* What is published now, one word for each. */
static const char *published(uint64_t now)
{
	static char text[200];

	publish(now, text);
	return text;
}

/* The same, and all of it is acknowledged. */
static const char *done(uint64_t now)
{
	const char *text = published(now);

	for (int id = 1; id <= ids; id++)
		retained_acknowledged(&r, id);
	return text;
}

static enum retained_kind see(const char *name, const char *payload, uint64_t now)
{
	return retained_seen(&r, name, payload, strlen(payload), false, now);
}

TEST("a payload is published when there is a connection, and anew at each")
{
	begin();
	retained_set(&r, "a", "1");
	retained_set(&r, "b", "2");
	CHECK_TEXT(published(NOW), "");
	CHECK(!retained_is_done(&r));
	retained_up(&r);
	CHECK_TEXT(done(NOW), "a=1 b=2");
	CHECK(retained_is_done(&r));
	retained_set(&r, "a", "1");
	CHECK_TEXT(published(NOW), "");
	retained_set(&r, "a", "3");
	CHECK(!retained_is_done(&r));
	CHECK_TEXT(done(NOW), "a=3");
	retained_down(&r);
	CHECK(!retained_is_done(&r));
	CHECK_TEXT(published(NOW), "");
	retained_up(&r);
	CHECK_TEXT(done(NOW), "a=3 b=2");
}

TEST("one message a topic is on its way: a slow broker gets the newest")
{
	begin();
	retained_up(&r);
	retained_set(&r, "a", "1");
	retained_set(&r, "b", "1");
	CHECK_TEXT(published(NOW), "a=1 b=1");
	retained_set(&r, "a", "2");
	retained_set(&r, "a", "3");
	CHECK_TEXT(published(NOW), "");
	CHECK(!retained_acknowledged(&r, 0) && !retained_acknowledged(&r, 77));
	CHECK_TEXT(retained_acknowledged(&r, 1)->name, "a");
	CHECK(!retained_acknowledged(&r, 1));
	CHECK_TEXT(published(NOW), "a=3");
	CHECK(!retained_is_done(&r));
	/* The connection goes: what was on its way is not. */
	retained_down(&r);
	retained_up(&r);
	CHECK_TEXT(done(NOW), "a=3 b=1");
}

TEST("one that could not be published is not tried again on this connection")
{
	begin();
	retained_up(&r);
	retained_set(&r, "a", "1");
	retained_sent(retained_next(&r, NOW), 0);
	CHECK_TEXT(published(NOW), "");
	CHECK(retained_is_done(&r));
}

TEST("a topic that is cleared is forgotten, but not before the broker has it")
{
	begin();
	retained_up(&r);
	retained_set(&r, "a", "1");
	retained_set(&r, "b", "1");
	done(NOW);
	CHECK(retained_clears(&r) == 0);
	retained_set(&r, "a", "");
	CHECK(retained_clears(&r) == 1);
	CHECK_TEXT(published(NOW), "a=");
	CHECK(retained_clears(&r) == 1);
	CHECK(see("a", "x", NOW) == RETAINED_KNOWN);
	retained_down(&r);
	retained_up(&r);
	CHECK_TEXT(done(NOW), "a= b=1");
	published(NOW);
	CHECK(see("a", "x", NOW) == RETAINED_OTHER && see("b", "1", NOW) == RETAINED_KNOWN);
	retained_down(&r);
	retained_up(&r);
	CHECK_TEXT(done(NOW), "b=1");
	/* It may come back, while it is being cleared too. */
	retained_set(&r, "b", "");
	CHECK_TEXT(published(NOW), "b=");
	retained_set(&r, "b", "2");
	CHECK_TEXT(retained_acknowledged(&r, ids)->name, "b");
	CHECK_TEXT(done(NOW), "b=2");
}

TEST("somebody else's payload is corrected after a second, once for several")
{
	begin();
	retained_up(&r);
	retained_set(&r, "a", "1");
	done(NOW);
	CHECK(retained_due(&r) == UINT64_MAX);
	CHECK(see("other", "x", NOW) == RETAINED_OTHER);
	CHECK(see("a", "1", NOW) == RETAINED_KNOWN && retained_due(&r) == UINT64_MAX);
	CHECK(see("a", "12", NOW) == RETAINED_KNOWN && retained_due(&r) == NOW + SECOND);
	CHECK(see("a", "2", NOW + 10) == RETAINED_KNOWN && retained_due(&r) == NOW + SECOND);
	CHECK(!retained_is_done(&r));
	CHECK_TEXT(published(NOW + SECOND - 1), "");
	CHECK_TEXT(done(NOW + SECOND), "a=1");
	CHECK(retained_due(&r) == UINT64_MAX && retained_is_done(&r));
	/* An empty one is another one too. */
	CHECK(retained_seen(&r, "a", NULL, 0, false, NOW) == RETAINED_KNOWN);
	CHECK_TEXT(done(NOW + SECOND), "a=1");
	/* Of several, the first is due first. */
	retained_set(&r, "b", "1");
	done(NOW);
	see("b", "x", NOW + 5);
	see("a", "x", NOW + 9);
	CHECK(retained_due(&r) == NOW + 5 + SECOND);
	/* A new payload of ours is published at once, and that is it. */
	retained_set(&r, "b", "2");
	CHECK_TEXT(done(NOW + 10), "b=2");
	CHECK(retained_due(&r) == NOW + 9 + SECOND);
}

TEST("what is from before the connection is not corrected: it has been published anew")
{
	begin();
	retained_up(&r);
	retained_set(&r, "a", "1");
	done(NOW);
	CHECK(retained_seen(&r, "a", "x", 1, true, NOW) == RETAINED_KNOWN);
	CHECK(retained_due(&r) == UINT64_MAX);
}

TEST("one that may be deleted stays so until the next connection")
{
	begin();
	retained_up(&r);
	retained_set(&r, "a", "1")->is_discovery = true;
	done(NOW);
	CHECK(see("a", "", NOW) == RETAINED_KNOWN && retained_due(&r) == UINT64_MAX);
	CHECK(see("a", "x", NOW) == RETAINED_KNOWN && retained_due(&r) == NOW + SECOND);
	retained_down(&r);
	CHECK(retained_due(&r) == UINT64_MAX);
	retained_up(&r);
	CHECK_TEXT(done(NOW), "a=1");
}

TEST("five corrections in a row, then it is contested, which is said once")
{
	uint64_t now = NOW;

	begin();
	retained_up(&r);
	retained_set(&r, "a", "1");
	done(now);
	for (int i = 0; i < 5; i++) {
		CHECK(see("a", "x", now) == RETAINED_KNOWN);
		now += SECOND;
		CHECK_TEXT(done(now), "a=1");
	}
	CHECK(see("a", "x", now) == RETAINED_CONTESTED);
	for (int i = 0; i < 100; i++) {
		now += RETAINED_ROW_USEC - 1;
		CHECK(see("a", "x", now) == RETAINED_KNOWN && retained_due(&r) == UINT64_MAX);
	}
	/* A minute without it, another payload, and another connection end the row. */
	now += RETAINED_ROW_USEC;
	CHECK(see("a", "x", now) == RETAINED_KNOWN && retained_due(&r) == now + SECOND);
	for (int way = 0; way < 2; way++) {
		for (int i = 0; i < 7; i++) {
			see("a", "x", now);
			now += SECOND;
			done(now);
		}
		CHECK(see("a", "x", now) == RETAINED_KNOWN && retained_due(&r) == UINT64_MAX);
		if (way == 0) {
			retained_set(&r, "a", "2");
		} else {
			retained_down(&r);
			retained_up(&r);
		}
		done(now);
		CHECK(see("a", "x", now) == RETAINED_KNOWN && retained_due(&r) == now + SECOND);
		now += SECOND;
		done(now);
	}
}

/* What the broker has, as it gets it. */
static char had[2][4];
static int on_way[2];
static char flying[2][4];

static void step(unsigned event, uint64_t *now)
{
	static const char *const NAMES[] = {"a", "b"}, *const PAYLOADS[] = {"", "1", "2"};
	struct retained_topic *topic;
	unsigned t = event % 2;

	if (event < 6) {
		retained_set(&r, NAMES[t], PAYLOADS[event / 2]);
	} else if (event < 8) {
		if (on_way[t]) {
			strcpy(had[t], flying[t]);
			retained_acknowledged(&r, on_way[t]);
			on_way[t] = 0;
		}
	} else if (event == 8) {
		if (r.up) {
			strcpy(had[0], "9");
			see("a", "9", *now);
		}
	} else if (r.up) {
		retained_down(&r);
		on_way[0] = on_way[1] = 0;
	} else {
		retained_up(&r);
	}
	while ((topic = retained_next(&r, *now))) {
		t = strcmp(topic->name, "b") == 0;
		on_way[t] = ++ids;
		strcpy(flying[t], topic->payload);
		retained_sent(topic, ids);
	}
	*now += SECOND / 3;
}

TEST("every order of six events: in the end, the broker has what it is to have")
{
	bool good = true;

	for (unsigned order = 0; order < 1000000; order++) {
		uint64_t now = NOW;
		unsigned rest = order;
		char wanted[2][4] = {"0", "0"};

		begin();
		memset(on_way, 0, sizeof on_way);
		strcpy(had[0], "0");
		strcpy(had[1], "0");
		for (int i = 0; i < 6; i++, rest /= 10) {
			if (rest % 10 < 6)
				sprintf(wanted[rest % 2], "%.*s", rest % 10 > 1,
					rest % 10 < 4 ? "1" : "2");
			step(rest % 10, &now);
		}
		if (!r.up)
			step(9, &now);
		for (int i = 0; i < 8; i++)
			step(6 + (unsigned)i % 2, &now);
		good &= retained_is_done(&r);
		for (int t = 0; t < 2; t++)
			/* One that was cleared is not ours any more. */
			good &= strcmp(wanted[t], "0") == 0 || strcmp(had[t], wanted[t]) == 0 ||
				(!*wanted[t] && strcmp(had[t], "9") == 0);
	}
	CHECK(good);
	begin();
}

TEST("topics that are forgotten; and discovery, which can be repeated")
{
	r = (struct retained){.up = true};
	retained_set(&r, "state", "1");
	CHECK(retained_has_discovery(&r));
	retained_set(&r, "a", "1")->is_discovery = true;
	retained_set(&r, "b", "1")->is_discovery = true;
	for (int id = 1; id <= 3; id++)
		retained_sent(retained_next(&r, NOW), id);
	CHECK(!retained_next(&r, NOW) && !retained_has_discovery(&r));
	retained_acknowledged(&r, 2);
	CHECK(!retained_has_discovery(&r));
	retained_acknowledged(&r, 3);
	CHECK(retained_has_discovery(&r));
	retained_repeat_discovery(&r);
	CHECK(!retained_has_discovery(&r));
	CHECK_TEXT(retained_next(&r, NOW)->name, "a");
	retained_drop(&r, "a");
	CHECK_TEXT(retained_next(&r, NOW)->name, "b");
	CHECK(retained_seen(&r, "a", "x", 1, false, NOW) == RETAINED_OTHER);
	retained_drop_discovery(&r);
	CHECK(!retained_next(&r, NOW) && retained_has_discovery(&r));
	CHECK_TEXT(r.first->name, "state");
	CHECK(!r.first->next);
	retained_drop(&r, "none");
	retained_clear(&r);
}

TEST("what somebody who knows it has published: not published again, but corrected")
{
	struct retained retained = {.up = true};

	/* A correction is on its way, and another one is due. */
	retained_set(&retained, "t", "OFF");
	retained_sent(retained_next(&retained, NOW), 1);
	retained_seen(&retained, "t", "x", 1, false, NOW);
	retained_said(&retained, "t", "ON", 7);
	CHECK(!retained_next(&retained, NOW + RETAINED_PAUSE_USEC) && !retained_is_done(&retained));
	CHECK(!retained_acknowledged(&retained, 1));
	CHECK(retained_acknowledged(&retained, 7) && retained_is_done(&retained));
	retained_seen(&retained, "t", "OFF", 3, false, NOW);
	CHECK_TEXT(retained_next(&retained, NOW + RETAINED_PAUSE_USEC)->payload, "ON");
	/* A new connection gets it anew. */
	retained_down(&retained);
	retained_said(&retained, "t", "OFF", 8);
	retained_down(&retained);
	retained_up(&retained);
	CHECK_TEXT(retained_next(&retained, NOW)->payload, "OFF");
	retained_clear(&retained);
}

TEST("what is said again ends a row of corrections")
{
	struct retained retained = {.up = true};
	enum retained_kind kind = RETAINED_KNOWN;

	retained_said(&retained, "t", "ON", 1);
	retained_acknowledged(&retained, 1);
	for (int i = 0; i <= RETAINED_CORRECTIONS; i++) {
		kind = retained_seen(&retained, "t", "x", 1, false, NOW);
		if (retained_next(&retained, NOW + RETAINED_PAUSE_USEC))
			retained_sent(retained.first, 0);
	}
	CHECK(kind == RETAINED_CONTESTED);
	retained_said(&retained, "t", "ON", 2);
	retained_acknowledged(&retained, 2);
	retained_seen(&retained, "t", "x", 1, false, NOW);
	CHECK(retained_next(&retained, NOW + RETAINED_PAUSE_USEC));
	retained_clear(&retained);
}

TEST("what is taken over is not published, but corrected")
{
	struct retained retained = {.up = true};

	retained_take(&retained, "t", "ON");
	CHECK(!retained_next(&retained, NOW) && retained_is_done(&retained));
	CHECK(retained_seen(&retained, "t", "ON", 2, false, NOW) == RETAINED_KNOWN);
	CHECK(retained_is_done(&retained));
	CHECK(retained_seen(&retained, "t", "OFF", 3, false, NOW) == RETAINED_KNOWN);
	CHECK_TEXT(retained_next(&retained, NOW + RETAINED_PAUSE_USEC)->payload, "ON");
	retained_clear(&retained);
}

TAP_MAIN
