/* SPDX-License-Identifier: MIT */
#include "stage.h"
#include "tap.h"

#define NOW 5000000ULL

static struct follow f;
static struct result r;

/* Two LEDs, which are off, and led-line is there. */
static void begin(void)
{
	f = (struct follow){.state = FOLLOW_FOLLOWING, .n = 2};
	f.leds[0] = (struct followed_led){.name = "a", .state = LED_OFF};
	f.leds[1] = (struct followed_led){.name = "b", .state = LED_OFF};
}

/* Whether the answer to a command for an LED can be sent. */
static bool has_settled(const char *name, const char *answer)
{
	result_answered(&r, answer);
	return stage_goes_on(STAGE_SETTLES, &f, name, &r);
}

TEST("a request has its time, and so has the news of a command; what is sent ends by itself")
{
	CHECK(stage_due(STAGE_HEAD, NOW) == NOW + 30000000);
	CHECK(stage_due(STAGE_BODY, NOW) == NOW + 5000000);
	CHECK(stage_due(STAGE_SETTLES, NOW) == NOW + 50000);
	CHECK(stage_due(STAGE_LEDS, NOW) == UINT64_MAX);
	CHECK(stage_due(STAGE_COMMAND, NOW) == UINT64_MAX);
	CHECK(stage_due(STAGE_ANSWER, NOW) == UINT64_MAX);
	CHECK(stage_due(STAGE_STREAM, NOW) == UINT64_MAX);
}

TEST("a page waits until the LEDs are known, or that led-line is away")
{
	f = (struct follow){.state = FOLLOW_LISTING};
	CHECK(!stage_goes_on(STAGE_LEDS, &f, "", NULL));
	f.state = FOLLOW_AWAY;
	CHECK(!stage_goes_on(STAGE_LEDS, &f, "", NULL));
	f.missing = true;
	CHECK(stage_goes_on(STAGE_LEDS, &f, "", NULL));
	/* A led-line without an LED. */
	f = (struct follow){.state = FOLLOW_FOLLOWING};
	CHECK(stage_goes_on(STAGE_LEDS, &f, "", NULL));
	/* It has just restarted: what was known is still shown. */
	f = (struct follow){.state = FOLLOW_AWAY, .n = 1};
	CHECK(stage_goes_on(STAGE_LEDS, &f, "", NULL));
}

TEST("a command has settled when its LED is known to be as led-line has answered")
{
	begin();
	CHECK(!has_settled("a", "OK LED a ON"));
	f.leds[1].state = LED_ON;
	CHECK(!has_settled("a", "OK LED a ON"));
	f.leds[0].state = LED_ON;
	CHECK(has_settled("a", "OK LED a ON"));
	CHECK(!has_settled("a", "OK LED a OFF"));
	f.leds[0].state = LED_MISSING;
	CHECK(!has_settled("a", "OK LED a OFF"));
	f.leds[0].state = LED_OFF;
	CHECK(has_settled("a", "OK LED a OFF"));
}

TEST("a command for all has settled when each LED that it is for is known to be so")
{
	begin();
	CHECK(has_settled("", "OK LED ALL OFF") && !has_settled("", "OK LED ALL ON"));
	f.leds[0].state = LED_UNKNOWN;
	CHECK(!has_settled("", "OK LED ALL OFF"));
	f.leds[0].state = LED_ON;
	CHECK(!has_settled("", "OK LED ALL ON") && !has_settled("", "OK LED ALL OFF"));
	CHECK(!has_settled("", "OK LED ALL ON except c: it is broken"));
	f.leds[1].state = LED_ON;
	CHECK(has_settled("", "OK LED ALL ON") && !has_settled("", "OK LED ALL OFF"));
	CHECK(has_settled("", "OK LED ALL ON except c: it is broken"));
	/* One whose hardware is missing does not become so. */
	f.leds[1].state = LED_MISSING;
	CHECK(has_settled("", "OK LED ALL ON except b: it is broken"));
	/* ON passes over a door opener, and OFF does not. */
	begin();
	f.leds[0].state = LED_ON;
	f.leds[1].kind = KIND_SWITCH;
	f.leds[1].pulse_ms = 500;
	CHECK(has_settled("", "OK LED ALL ON"));
	f.leds[0].state = LED_OFF;
	f.leds[1].state = LED_ON;
	CHECK(!has_settled("", "OK LED ALL OFF"));
}

TEST("no command has settled before it is known which LEDs there are")
{
	f = (struct follow){.state = FOLLOW_LISTING};
	CHECK(!has_settled("a", "OK LED a ON") && !has_settled("", "OK LED ALL ON"));
	CHECK(has_settled("a", "ERR too late"));
}

TEST("there is no news of a command that failed, or that is for an unknown LED")
{
	begin();
	CHECK(has_settled("a", "ERR too late"));
	CHECK(has_settled("", "ERR every LED here has pulse=: name one"));
	CHECK(has_settled("c", "OK LED c ON"));
	result_unknown(&r, "led-line does not answer");
	CHECK(stage_goes_on(STAGE_SETTLES, &f, "a", &r));
	CHECK(stage_goes_on(STAGE_SETTLES, &f, "a", NULL));
}

TEST("a stream looks for itself, and nothing else waits for the LEDs")
{
	begin();
	CHECK(stage_goes_on(STAGE_STREAM, &f, "", NULL));
	CHECK(!stage_goes_on(STAGE_HEAD, &f, "", NULL));
	CHECK(!stage_goes_on(STAGE_BODY, &f, "", NULL));
	CHECK(!stage_goes_on(STAGE_COMMAND, &f, "a", NULL));
	CHECK(!stage_goes_on(STAGE_ANSWER, &f, "", NULL));
}

TEST("a stop waits for commands and answers, and not for streams and requests")
{
	CHECK(stage_delays_stop(STAGE_COMMAND));
	CHECK(stage_delays_stop(STAGE_SETTLES));
	CHECK(stage_delays_stop(STAGE_ANSWER));
	CHECK(!stage_delays_stop(STAGE_HEAD));
	CHECK(!stage_delays_stop(STAGE_BODY));
	CHECK(!stage_delays_stop(STAGE_LEDS));
	CHECK(!stage_delays_stop(STAGE_STREAM));
}

TAP_MAIN
