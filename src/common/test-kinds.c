/* SPDX-License-Identifier: MIT */
#include "kinds.h"
#include "tap.h"

static struct kinds kinds;

/* What reading and writing make of an answer, or "no answer". */
static const char *again(const char *answer)
{
	static char text[ANSWER_MAX];

	if (!kinds_read(answer, &kinds))
		return "no answer";
	kinds_write(&kinds, text);
	return text;
}

TEST("every answer is read as it was written")
{
	static const char *const ANSWERS[] = {
		"OK LED LIST KINDS led=light",
		"OK LED LIST KINDS led=light door=switch,pulse=500",
		"OK LED LIST KINDS stairs=light,pulse=180000 pump=switch",
		"OK LED LIST KINDS kitchen=? door=switch",
		"OK LED LIST KINDS led=light ?",
		"OK LED LIST KINDS led=? ?",
	};

	for (size_t i = 0; i < sizeof ANSWERS / sizeof *ANSWERS; i++)
		CHECK_TEXT(again(ANSWERS[i]), ANSWERS[i]);
	CHECK(kinds_read("OK LED LIST KINDS led=light door=switch,pulse=500", &kinds));
	CHECK(kinds.n == 2 && !kinds.left_out);
	CHECK_TEXT(kinds.leds[1].name, "door");
	CHECK(kinds.leds[0].kind == KIND_LIGHT && kinds.leds[0].pulse_ms == 0);
	CHECK(kinds.leds[1].kind == KIND_SWITCH && kinds.leds[1].pulse_ms == 500);
}

TEST("32 LEDs with the longest names and pulses fit")
{
	char answer[ANSWER_MAX] = "OK LED LIST KINDS", more[ANSWER_MAX];

	for (unsigned i = 0; i < LEDS_MAX; i++)
		sprintf(answer + strlen(answer), " a-long-name-no%02u=switch,pulse=3600000", i);
	snprintf(more, sizeof more, "%s one-more=?", answer);
	/* No led-line has one more. */
	CHECK_TEXT(again(more), answer);
	CHECK(kinds.n == LEDS_MAX && !kinds.left_out);
	strcat(answer, " ?");
	CHECK_TEXT(again(answer), answer);
	CHECK(kinds.n == LEDS_MAX && kinds.left_out);
}

TEST("what only a newer led-line knows, and words that are none")
{
	CHECK_TEXT(again("OK LED LIST KINDS a=fan,pulse=5 b=light"),
		"OK LED LIST KINDS a=light,pulse=5 b=light");
	CHECK_TEXT(again("OK LED LIST KINDS a=switch,fade=5,pulse=7,x"),
		"OK LED LIST KINDS a=switch,pulse=7");
	CHECK_TEXT(again("OK LED LIST KINDS a=light,pulse=0,pulse=x,pulse=,,"),
		"OK LED LIST KINDS a=light");
	CHECK_TEXT(again("OK LED LIST KINDS  a b= x=y=z =light list=light ?? c=switch "),
		"OK LED LIST KINDS b=light x=light c=switch");
}

TEST("what is no answer")
{
	static const char *const BAD[] = {"", "OK", "OK LED LIST led=ON",
		"ERR unknown command: send LED ON", "OK LED LIST KINDSa=light", "OK LED LIST KIND"};

	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		CHECK_TEXT(again(BAD[i]), "no answer");
		CHECK(kinds.n == 0 && !kinds_are_uncertain(&kinds));
	}
}

TEST("one ? makes all uncertain")
{
	static const struct {
		const char *answer;
		bool uncertain;
	} ROWS[] = {
		{"OK LED LIST KINDS", false},
		{"OK LED LIST KINDS a=light b=switch,pulse=5", false},
		{"OK LED LIST KINDS a=light b=?", true},
		{"OK LED LIST KINDS a=light ?", true},
		{"OK LED LIST KINDS ? a=light", true},
		{"OK LED LIST KINDS a=light b=fan", false},
	};

	for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
		CHECK(kinds_read(ROWS[i].answer, &kinds));
		CHECK(kinds_are_uncertain(&kinds) == ROWS[i].uncertain);
	}
}

TEST("light and switch are kinds, and a switch with a pulse is momentary")
{
	static const char *const BAD[] = {"", "?", "Light", "lights", "ligh", "switch ", "fan"};
	enum kind kind = KIND_UNKNOWN;

	CHECK(kind_read("light", 5, &kind) && kind == KIND_LIGHT);
	CHECK(kind_read("switch,x", 6, &kind) && kind == KIND_SWITCH);
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
		CHECK(!kind_read(BAD[i], strlen(BAD[i]), &kind) && kind == KIND_SWITCH);
	CHECK_TEXT(kind_text(KIND_LIGHT), "light");
	CHECK_TEXT(kind_text(KIND_SWITCH), "switch");
	CHECK_TEXT(kind_text(KIND_UNKNOWN), "?");
	CHECK(kind_is_momentary(KIND_SWITCH, 500));
	CHECK(!kind_is_momentary(KIND_SWITCH, 0));
	CHECK(!kind_is_momentary(KIND_LIGHT, 500));
	CHECK(!kind_is_momentary(KIND_UNKNOWN, 500));
}

TAP_MAIN
