/* SPDX-License-Identifier: MIT */
#include "follow.h"
#include "tap.h"

#define MS 1000ULL
#define START 1000000ULL

static struct follow f;

static bool has(unsigned i, const char *name, enum led_state state)
{
	return i < f.n && strcmp(f.leds[i].name, name) == 0 && f.leds[i].state == state;
}

/* The list comes, and then what they are for. */
static void list(const char *line, uint64_t now)
{
	CHECK(f.asks == FOLLOW_LIST && !follow_answer(&f, line, now) && f.asks == FOLLOW_KINDS);
}

static bool kinds(const char *line, uint64_t now)
{
	return follow_answer(&f, line, now);
}

/* Both, and a line of LED WATCH before them if it has to be. */
static bool answers(const char *line, uint64_t now)
{
	if (f.asks == FOLLOW_NOTHING)
		follow_line(&f, "OK LED ON", now);
	list(line, now);
	return kinds("OK LED LIST KINDS led=light", now);
}

/* Brings it to a state with LEDs led (ON) and pump (missing), at a time. */
static void follow_at(uint64_t now)
{
	follow_start(&f, now);
	follow_tick(&f, now);
	CHECK(!follow_line(&f, "OK LED ON", now) && !follow_line(&f, "ERR pump: gone", now));
	list("OK LED LIST led=ON pump=ERR", now);
	CHECK(kinds("OK LED LIST KINDS led=light pump=switch", now));
}

TEST("it asks, lists, and follows")
{
	follow_start(&f, START);
	CHECK(f.state == FOLLOW_AWAY && follow_due(&f) == START);
	CHECK(!follow_tick(&f, START) && f.state == FOLLOW_LISTING && f.asks == FOLLOW_NOTHING);
	CHECK(!follow_line(&f, "OK LED ON", START) && f.asks == FOLLOW_LIST && f.n == 0);
	CHECK(!follow_line(&f, "OK LED kitchen OFF", START));
	list("OK LED LIST kitchen=OFF led=ON attic=ERR", START);
	CHECK(!follow_line(&f, "OK LED kitchen ON", START) && f.n == 0);
	CHECK(!follow_line(&f, "OK LED kitchen OFF", START) && f.state == FOLLOW_LISTING);
	CHECK(kinds("OK LED LIST KINDS kitchen=light led=light attic=light", START));
	CHECK(f.state == FOLLOW_FOLLOWING && f.asks == FOLLOW_NOTHING && f.n == 3 && !*f.why);
	CHECK(has(0, "kitchen", LED_OFF) && has(1, "led", LED_ON) && has(2, "attic", LED_UNKNOWN));
	CHECK(follow_due(&f) == UINT64_MAX);
	CHECK(follow_line(&f, "ERR attic: no such chip: gone", START) &&
		has(2, "attic", LED_MISSING));
	CHECK(follow_line(&f, "OK LED attic ON", START) && has(2, "attic", LED_ON));
	/* Of one that is not in the list, nothing is known. */
	CHECK(!follow_line(&f, "OK LED cellar ON", START) && f.n == 3);
	CHECK(!follow_tick(&f, START + 3600000 * MS) && f.state == FOLLOW_FOLLOWING);
}

TEST("what is no line of LED WATCH ends it, with the line as the reason")
{
	static const char *const BAD[] = {"ERR too many watchers", "ERR a b: c", "OK LED",
		"OK LED ONE", "OK LED kitchen", "OK LED kitchen  ON", "OK LED a b ON", "", "hello",
		"ERR : x", "OK LED all ON"};

	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		follow_at(START);
		CHECK(!follow_line(&f, BAD[i], START) && f.state == FOLLOW_AWAY);
		CHECK_TEXT(f.why, BAD[i]);
		CHECK(f.n == 2 && has(0, "led", LED_ON));
	}
}

TEST("what is no list ends it too, and no LED changes")
{
	static const char *const BAD[] = {
		"ERR unknown command", "OK LED LIST a b=ON c/d=ON", "OK LED LIS", ""};
	static const char *const BAD_KINDS[] = {"ERR too many connections",
		"OK LED LIST led=ON pump=OFF", "OK LED LIST KINDSled=light", ""};

	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		follow_at(START);
		follow_end(&f, "x", START);
		follow_tick(&f, follow_due(&f));
		follow_line(&f, "OK LED OFF", START);
		CHECK(!follow_answer(&f, BAD[i], START) && f.state == FOLLOW_AWAY &&
			f.asks == FOLLOW_NOTHING);
		CHECK_TEXT(f.why, BAD[i]);
		CHECK(has(0, "led", LED_ON) && has(1, "pump", LED_MISSING));
	}
	for (size_t i = 0; i < sizeof BAD_KINDS / sizeof *BAD_KINDS; i++) {
		follow_at(START);
		follow_end(&f, "x", START);
		follow_tick(&f, follow_due(&f));
		follow_line(&f, "OK LED OFF", START);
		list("OK LED LIST led=OFF", START);
		CHECK(!kinds(BAD_KINDS[i], START) && f.state == FOLLOW_AWAY &&
			f.asks == FOLLOW_NOTHING);
		CHECK_TEXT(f.why, BAD_KINDS[i]);
		CHECK(f.n == 2 && has(0, "led", LED_ON) && f.leds[1].kind == KIND_SWITCH);
	}
}

/* Returns a letter for each LED: l, s or ?; a capital if it is momentary. And ! if it is unsure. */
static const char *kinds_of(const char *answer)
{
	static char letters[LEDS_MAX + 2];
	char *p = letters;

	follow_at(START);
	follow_end(&f, "x", START);
	follow_tick(&f, follow_due(&f));
	follow_line(&f, "OK LED OFF", START);
	list("OK LED LIST led=OFF a=ON b=ON c=ERR", START);
	CHECK(kinds(answer, START) && f.state == FOLLOW_FOLLOWING && f.n == 4);
	for (unsigned i = 0; i < f.n; i++)
		*p++ = followed_is_momentary(&f.leds[i]) ? 'S' : "ls?"[f.leds[i].kind];
	strcpy(p, f.unsure ? "!" : "");
	return letters;
}

TEST("what LEDs are for")
{
	CHECK_TEXT(kinds_of("OK LED LIST KINDS led=light a=switch b=light c=switch"), "lsls");
	CHECK_TEXT(
		kinds_of("OK LED LIST KINDS led=light,pulse=9 a=switch,pulse=500 b=light c=switch"),
		"lSls");
	CHECK(f.leds[0].pulse_ms == 9 && f.leds[1].pulse_ms == 500 && f.leds[2].pulse_ms == 0);
	CHECK_TEXT(kinds_of("OK LED LIST KINDS led=light a=? b=light c=switch"), "l?ls!");
	CHECK_TEXT(kinds_of("OK LED LIST KINDS led=light a=light b=light c=switch ?"), "llls!");
	CHECK_TEXT(kinds_of("OK LED LIST KINDS led=? a=light b=light c=switch ?"), "?lls!");
	/* An older led-line; and whatever a newer one may add. */
	CHECK_TEXT(kinds_of("ERR unknown command: send LED ON"), "llll");
	CHECK_TEXT(kinds_of("OK LED LIST KINDS led=fan,x=1 a=switch,x=1,pulse=7,y b=switches "
			    "other=light"),
		"lSll");
	CHECK_TEXT(kinds_of("OK LED LIST KINDS"), "llll");
	CHECK_TEXT(
		kinds_of("OK LED LIST KINDS  b = x=fan a=switch,pulse=0 c=switch,pulse=x"), "lsls");
	/* One that is not in the list has its setting wrong. */
	CHECK_TEXT(kinds_of("OK LED LIST KINDS led=light x=?"), "llll!");
}

TEST("a change of state leaves the kind")
{
	follow_at(START);
	CHECK(follow_line(&f, "OK LED pump ON", START) && f.leds[1].kind == KIND_SWITCH);
	CHECK(follow_line(&f, "ERR pump: gone", START) && f.leds[1].kind == KIND_SWITCH);
}

TEST("why an LED is missing, as long as that is so")
{
	char line[600];

	follow_at(START);
	CHECK_TEXT(f.leds[0].why, "");
	CHECK_TEXT(f.leds[1].why, "gone");
	CHECK(follow_line(&f, "ERR pump: no such chip: gpiochip1", START));
	CHECK_TEXT(f.leds[1].why, "no such chip: gpiochip1");
	CHECK(follow_line(&f, "OK LED pump ON", START));
	CHECK_TEXT(f.leds[1].why, "");
	memset(line, 'x', sizeof line);
	memcpy(line, "ERR pump: ", 10);
	line[sizeof line - 1] = '\0';
	CHECK(follow_line(&f, line, START));
	CHECK(strlen(f.leds[1].why) == FOLLOW_LED_WHY_MAX - 1);
	CHECK(follow_hang(&f, START) && has(1, "pump", LED_MISSING));
	CHECK_TEXT(f.leds[1].why, "");
}

TEST("no more LEDs than there may be")
{
	char text[ANSWER_MAX] = "OK LED LIST", line[64];

	follow_start(&f, START);
	follow_tick(&f, START);
	for (int i = 0; i < LEDS_MAX + 5; i++) {
		snprintf(line, sizeof line, "OK LED a%d ON", i);
		follow_line(&f, line, START);
		sprintf(text + strlen(text), " a%d=ON", i);
	}
	CHECK(f.n_listed == LEDS_MAX);
	answers(text, START);
	CHECK(f.n == LEDS_MAX && has(LEDS_MAX - 1, "a31", LED_ON));
}

TEST("pauses between attempts double to 12.8 s, and begin anew after a success")
{
	static const unsigned PAUSES[] = {100, 200, 400, 800, 1600, 3200, 6400, 12800, 12800};
	uint64_t now = START;

	follow_at(now);
	for (int turn = 0; turn < 2; turn++) {
		for (size_t i = 0; i < sizeof PAUSES / sizeof *PAUSES; i++) {
			follow_end(&f, "x", now);
			CHECK(f.next == now + PAUSES[i] * MS);
			follow_tick(&f, f.next - 1);
			CHECK(f.state == FOLLOW_AWAY);
			now = f.next;
			follow_tick(&f, now);
			CHECK(f.state == FOLLOW_LISTING);
		}
		answers("OK LED LIST led=ON", now);
	}
}

TEST("led-line has 2 s for its first lines and the list")
{
	for (int lines = 0; lines < 2; lines++) {
		follow_start(&f, START);
		follow_tick(&f, START);
		if (lines)
			follow_line(&f, "OK LED ON", START + 1000 * MS);
		CHECK(!follow_tick(&f, START + 2000 * MS - 1) && f.state == FOLLOW_LISTING);
		CHECK(follow_due(&f) == START + 2000 * MS);
		CHECK(follow_tick(&f, START + 2000 * MS) && f.state == FOLLOW_AWAY && f.missing);
		CHECK_TEXT(f.why, "no answer");
	}
}

TEST("2 s after LED WATCH has ended, its LEDs are missing; sooner, they stay as they were")
{
	for (uint64_t back = 100; back < 2100; back += 100) {
		follow_at(START);
		CHECK(!follow_end(&f, "closed", START) && has(0, "led", LED_ON));
		/* Attempts in between fail, or are not answered. */
		for (uint64_t t = START; t < START + back * MS; t = follow_due(&f)) {
			follow_tick(&f, t);
			if (back % 200 == 0 && f.state == FOLLOW_LISTING)
				follow_end(&f, "refused", t);
		}
		CHECK(f.missing == (back > 2000) &&
			has(0, "led", back > 2000 ? LED_MISSING : LED_ON));
		follow_line(&f, "OK LED OFF", START + back * MS);
		CHECK(answers("OK LED LIST led=OFF", START + back * MS));
		CHECK(!f.missing && f.n == 1 && has(0, "led", LED_OFF));
	}
}

TEST("missing from the start")
{
	follow_start(&f, START);
	for (uint64_t t = START; t < START + 2000 * MS; t = follow_due(&f)) {
		CHECK(!follow_tick(&f, t));
		CHECK(!follow_end(&f, "refused", t) && !f.missing);
	}
	CHECK(follow_tick(&f, START + 2000 * MS) && f.missing && f.n == 0);
	CHECK_TEXT(f.why, "refused");
	/* That is said once. */
	for (uint64_t t = START + 2001 * MS; t < START + 60000 * MS; t = follow_due(&f))
		CHECK(!follow_tick(&f, t) && !follow_end(&f, "refused", t) && f.missing);
}

TEST("an end that comes late makes it missing by itself")
{
	follow_at(START);
	follow_end(&f, "closed", START);
	follow_tick(&f, f.next);
	CHECK(follow_end(&f, "closed", START + 5000 * MS) && f.missing);
}

TEST("a command without an answer: missing at once, and asked again")
{
	follow_at(START);
	CHECK(follow_hang(&f, START) && f.missing && f.state == FOLLOW_AWAY &&
		has(0, "led", LED_MISSING));
	CHECK(follow_due(&f) == START + 100 * MS);
	CHECK(!follow_hang(&f, START) && f.state == FOLLOW_AWAY && f.next == START + 100 * MS);
	follow_tick(&f, START + 100 * MS);
	CHECK(!follow_hang(&f, START + 200 * MS) && f.state == FOLLOW_LISTING);
	CHECK(answers("OK LED LIST led=ON", START + 300 * MS) && !f.missing);
}

/* What may happen, and what has to be so after it. */
static bool step(unsigned event, uint64_t *now)
{
	switch (event) {
	case 0:
		*now = follow_due(&f) == UINT64_MAX ? *now : follow_due(&f);
		return follow_tick(&f, *now);
	case 1:
		return f.state != FOLLOW_AWAY && follow_line(&f, "OK LED ON", *now);
	case 2:
		return f.state != FOLLOW_AWAY && follow_line(&f, "ERR led: gone", *now);
	case 3:
		return f.asks && follow_answer(&f,
					 f.asks == FOLLOW_LIST ? "OK LED LIST led=ON"
							       : "OK LED LIST KINDS led=light",
					 *now);
	case 4:
		return f.state != FOLLOW_AWAY && follow_end(&f, "x", *now);
	case 5:
		return follow_hang(&f, *now);
	default:
		*now += 1900 * MS;
		return false;
	}
}

TEST("an LED is found by its name")
{
	follow_at(START);
	CHECK(follow_find(&f, "led") == &f.leds[0] && follow_find(&f, "pump") == &f.leds[1]);
	CHECK(!follow_find(&f, "pum") && !follow_find(&f, ""));
	f.n = 1;
	CHECK(!follow_find(&f, "pump"));
}

TEST("every order of seven events")
{
	for (unsigned order = 0; order < 823543 /* 7 to the 7th */; order++) {
		uint64_t now = START;
		unsigned rest = order;

		follow_start(&f, now);
		for (int i = 0; i < 7; i++, rest /= 7) {
			struct follow before = f;
			bool changed = step(rest % 7, &now);
			bool differs = f.n != before.n || f.missing != before.missing ||
				       (f.n && f.leds[0].state != before.leds[0].state);

			if ((differs && !changed) || (f.state == FOLLOW_FOLLOWING && f.missing) ||
				(f.asks && f.state != FOLLOW_LISTING) ||
				(f.state != FOLLOW_FOLLOWING && follow_due(&f) == UINT64_MAX) ||
				(f.missing && f.n && f.leds[0].state != LED_MISSING))
				CHECK(order == UINT32_MAX);
		}
	}
}

TAP_MAIN
