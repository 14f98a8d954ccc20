/* SPDX-License-Identifier: MIT */
#include "queue.h"
#include "tap.h"

#define NOW 100000ULL

static const struct follow NONE = {0};
static const struct follow TWO = {.n = 2, .leds = {{"led", LED_ON}, {"pump", LED_MISSING}}};

static struct queue q;
static const char *why;

static void add(enum verb verb, const char *name, const char *key)
{
	struct request request = {.verb = verb, .at = NOW, .pulse_ms = 5};

	strcpy(request.name, name);
	strcpy(request.key, key);
	CHECK(!queue_add(&q, &request));
}

/* Whether this is asked for next. */
static bool asks(const struct follow *follow, const char *command)
{
	return queue_next(&q, follow, NOW, &why) == QUEUE_ASK && strcmp(q.command, command) == 0 &&
	       q.at == NOW;
}

static bool is_empty(void)
{
	return queue_next(&q, &TWO, NOW, &why) == QUEUE_NOTHING && q.waiting == 0;
}

TEST("one after the other, in order")
{
	q = (struct queue){0};
	CHECK(is_empty());
	add(VERB_ON, "led", "");
	add(VERB_TOGGLE, "pump", "k1");
	add(VERB_PULSE, "x", "");
	CHECK(asks(&TWO, "LED led ON"));
	CHECK(queue_next(&q, &TWO, NOW, &why) == QUEUE_NOTHING && q.waiting == 3);
	queue_answered(&q, "OK LED led ON");
	CHECK(asks(&TWO, "LED pump TOGGLE #k1") && q.done == 1);
	queue_answered(&q, "ERR gone");
	CHECK(asks(&TWO, "LED x PULSE 5") && q.done == 1);
	queue_unanswered(&q);
	CHECK(is_empty() && q.done == 1);
}

TEST("ON and OFF are for all at once, TOGGLE and PULSE go to one LED after the other")
{
	q = (struct queue){0};
	add(VERB_ON, "", "");
	add(VERB_OFF, "", "");
	add(VERB_TOGGLE, "", "k1");
	add(VERB_PULSE, "", "");
	CHECK(asks(&TWO, "LED ALL ON"));
	queue_answered(&q, "OK");
	CHECK(asks(&TWO, "LED ALL OFF"));
	queue_answered(&q, "OK");
	CHECK(asks(&TWO, "LED led TOGGLE #k1"));
	queue_answered(&q, "OK");
	CHECK(asks(&TWO, "LED pump TOGGLE #k1"));
	queue_answered(&q, "ERR");
	CHECK(asks(&TWO, "LED led PULSE 5"));
	queue_unanswered(&q);
	CHECK(asks(&TWO, "LED pump PULSE 5"));
	queue_answered(&q, "OK");
	CHECK(is_empty() && q.done == 4);
}

TEST("for each LED: momentary ones are passed over, and if there are no others, it is said")
{
	static const struct follow DOORS = {.n = 4,
					   .leds = {{"front", LED_OFF, KIND_SWITCH, 500},
						   {"led", LED_ON, 0, 0},
						   {"stairs", LED_ON, KIND_LIGHT, 180000},
						   {"back", LED_OFF, KIND_SWITCH, 1}}},
				   DOOR = {.n = 1, .leds = {{"front", LED_OFF, KIND_SWITCH, 500}}};

	q = (struct queue){0};
	add(VERB_TOGGLE, "", "k1");
	add(VERB_PULSE, "front", "");
	CHECK(asks(&DOORS, "LED led TOGGLE #k1"));
	queue_answered(&q, "OK");
	CHECK(asks(&DOORS, "LED stairs TOGGLE #k1"));
	queue_answered(&q, "OK");
	CHECK(asks(&DOORS, "LED front PULSE 5"));
	queue_answered(&q, "OK");
	CHECK(queue_next(&q, &DOORS, NOW, &why) == QUEUE_NOTHING && is_empty());
	add(VERB_PULSE, "", "");
	add(VERB_ON, "", "");
	CHECK(queue_next(&q, &DOOR, NOW, &why) == QUEUE_DROPPED);
	CHECK_TEXT(why, "every LED here has pulse=");
	CHECK_TEXT(q.command, "LED PULSE 5");
	/* led-line says it of this one. */
	CHECK(asks(&DOOR, "LED ALL ON"));
	queue_answered(&q, "ERR every LED here has pulse=: name one");
	CHECK(is_empty());
	add(VERB_TOGGLE, "", "");
	CHECK(queue_drop(&q, &DOOR) && !queue_drop(&q, &DOOR));
}

TEST("for each LED, before led-line has named one: it waits for that, up to 5 s")
{
	q = (struct queue){0};
	add(VERB_TOGGLE, "", "");
	CHECK(queue_next(&q, &NONE, NOW, &why) == QUEUE_PAUSE);
	CHECK(queue_next(&q, &TWO, NOW, &why) == QUEUE_NOTHING);
	queue_retry(&q);
	CHECK(asks(&TWO, "LED led TOGGLE"));
	queue_answered(&q, "OK");
	CHECK(asks(&TWO, "LED pump TOGGLE"));
	queue_answered(&q, "OK");
	CHECK(is_empty());

	add(VERB_TOGGLE, "", "");
	CHECK(queue_next(&q, &NONE, NOW + COMMAND_LATE_MS, &why) == QUEUE_PAUSE);
	queue_retry(&q);
	CHECK(queue_next(&q, &NONE, NOW + COMMAND_LATE_MS + 1, &why) == QUEUE_DROPPED);
	CHECK_TEXT(q.command, "LED TOGGLE");
	CHECK_TEXT(why, "led-line has named no LED");
	CHECK(is_empty());
	/* ON is asked for all the same: led-line may be back. */
	add(VERB_ON, "", "");
	CHECK(asks(&NONE, "LED ALL ON"));
}

TEST("LEDs that come and go while it is for each")
{
	q = (struct queue){0};
	add(VERB_TOGGLE, "", "");
	CHECK(asks(&TWO, "LED led TOGGLE"));
	queue_answered(&q, "OK");
	CHECK(queue_next(&q, &NONE, NOW, &why) == QUEUE_NOTHING && q.waiting == 0);
}

TEST("too late after 5 s, and not before; the next one may be in time")
{
	q = (struct queue){0};
	add(VERB_ON, "led", "");
	CHECK(queue_next(&q, &TWO, NOW + COMMAND_LATE_MS, &why) == QUEUE_ASK);
	q = (struct queue){0};
	add(VERB_ON, "led", "");
	add(VERB_TOGGLE, "", "");
	q.orders[1].request.at++;
	CHECK(queue_next(&q, &TWO, NOW + COMMAND_LATE_MS + 1, &why) == QUEUE_DROPPED);
	CHECK_TEXT(why, COMMAND_LATE);
	CHECK_TEXT(q.command, "LED led ON");
	CHECK(queue_next(&q, &TWO, NOW + COMMAND_LATE_MS + 1, &why) == QUEUE_ASK);
	queue_answered(&q, "OK");
	CHECK(queue_next(&q, &TWO, NOW + COMMAND_LATE_MS + 2, &why) == QUEUE_DROPPED);
	CHECK_TEXT(why, COMMAND_LATE);
	CHECK_TEXT(q.command, "LED pump TOGGLE");
	CHECK(queue_next(&q, &TWO, NOW, &why) == QUEUE_NOTHING);
}

TEST("a failed attempt: tried again if it may be sent twice or was not sent, until it is late")
{
	static const struct {
		enum verb verb;
		const char *key;
		bool may_repeat;
	} CASES[] = {{VERB_ON, "", true}, {VERB_OFF, "", true}, {VERB_TOGGLE, "", false},
		{VERB_PULSE, "", false}, {VERB_TOGGLE, "k", true}, {VERB_PULSE, "k", true}};

	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
		for (int sent = 0; sent < 2; sent++)
			for (int late = 0; late < 2; late++) {
				bool again = !late && (!sent || CASES[i].may_repeat);

				q = (struct queue){0};
				add(CASES[i].verb, "led", CASES[i].key);
				queue_next(&q, &TWO, NOW, &why);
				CHECK(queue_failed(&q, sent,
					      NOW + COMMAND_LATE_MS + (uint64_t)late) == again);
				CHECK(q.waiting == again);
				CHECK(queue_next(&q, &TWO, NOW, &why) == QUEUE_NOTHING);
				queue_retry(&q);
				CHECK((queue_next(&q, &TWO, NOW, &why) == QUEUE_ASK) == again);
			}
}

TEST("a retry while led-line is being asked changes nothing")
{
	q = (struct queue){0};
	add(VERB_ON, "led", "");
	queue_retry(&q);
	CHECK(asks(&TWO, "LED led ON"));
	queue_retry(&q);
	CHECK(queue_next(&q, &TWO, NOW, &why) == QUEUE_NOTHING);
}

TEST("with 64 that wait, no more are wanted; with 256, there is no room")
{
	struct request request = {.verb = VERB_ON, .name = "led", .at = NOW};

	for (unsigned start = 0; start < 3; start++) {
		q = (struct queue){.first = start * (QUEUE_MAX / 2)};
		q.first %= QUEUE_MAX;
		for (unsigned i = 0; i < QUEUE_MAX; i++) {
			CHECK(queue_wants_more(&q) == (i < 64));
			CHECK(!queue_add(&q, &request));
		}
		CHECK_TEXT(queue_add(&q, &request), "256 were waiting");
		/* Dropped in the end, or carried out: it wants more as soon as there are fewer. */
		for (unsigned i = QUEUE_MAX; i > 0; i--) {
			CHECK(queue_wants_more(&q) == (i < 64));
			if (i % 2) {
				CHECK(queue_next(&q, &TWO, NOW, &why) == QUEUE_ASK);
				queue_answered(&q, "OK");
			} else {
				CHECK(queue_next(&q, &TWO, NOW * 2, &why) == QUEUE_DROPPED);
			}
		}
		CHECK(is_empty() && queue_wants_more(&q));
	}
}

TEST("at a stop, one that has reached every LED does not wait")
{
	q = (struct queue){0};
	add(VERB_TOGGLE, "", "");
	add(VERB_ON, "led", "");
	for (int i = 0; i < 2; i++) {
		queue_next(&q, &TWO, NOW, &why);
		queue_answered(&q, "OK");
	}
	CHECK(queue_drop(&q, &TWO));
	CHECK_TEXT(q.command, "LED led ON");
	CHECK(!queue_drop(&q, &TWO));
}

TEST("at a stop, each that waits is named")
{
	q = (struct queue){0};
	add(VERB_ON, "led", "");
	add(VERB_TOGGLE, "", "");
	add(VERB_OFF, "", "");
	CHECK(asks(&TWO, "LED led ON"));
	CHECK(queue_drop(&q, &TWO) && q.state == QUEUE_READY);
	CHECK_TEXT(q.command, "LED led ON");
	CHECK(queue_drop(&q, &NONE));
	CHECK_TEXT(q.command, "LED TOGGLE");
	CHECK(queue_drop(&q, &TWO));
	CHECK_TEXT(q.command, "LED ALL OFF");
	CHECK(!queue_drop(&q, &TWO) && is_empty());
}

/* One event, if it can be now. */
static void step(unsigned event, uint64_t *now, unsigned *over)
{
	const struct follow *follow = event % 2 ? &TWO : &NONE;

	switch (event) {
	case 0:
	case 1:
		*over += queue_next(&q, follow, *now, &why) == QUEUE_DROPPED;
		break;
	case 2:
		if (q.state == QUEUE_ASKING)
			queue_answered(&q, "OK");
		break;
	case 3:
		if (q.state == QUEUE_ASKING)
			*over += !queue_failed(&q, true, *now);
		break;
	case 4:
		queue_retry(&q);
		break;
	case 5:
		if (q.state == QUEUE_ASKING)
			queue_unanswered(&q);
		break;
	default:
		*now += 3000;
	}
}

TEST("every order of seven events ends with an empty queue, and it goes on")
{
	bool good = true;

	for (unsigned order = 0; order < 823543 /* 7 to the 7th */; order++) {
		uint64_t now = NOW;
		unsigned rest = order, over = 0;

		q = (struct queue){0};
		add(VERB_TOGGLE, "", "");
		add(VERB_ON, "led", "");
		for (int i = 0; i < 7; i++, rest /= 7)
			step(rest % 7, &now, &over);
		good &= q.first + q.waiting <= 2 && over <= 4;
		/* Whatever has happened: led-line answers, and nothing is left. */
		for (int i = 0; i < 10; i++) {
			queue_retry(&q);
			queue_next(&q, &TWO, now, &why);
			if (q.state == QUEUE_ASKING)
				queue_answered(&q, "OK");
		}
		good &= q.waiting == 0 && q.state == QUEUE_READY;
	}
	CHECK(good);
}

TAP_MAIN
