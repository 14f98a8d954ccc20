/* SPDX-License-Identifier: MIT */
#include "element.h"
#include "tap.h"

static const char *element(const struct followed_led *led, const char *away)
{
	static char text[ELEMENT_MAX];

	CHECK(element_write(led, away, text) == strlen(text));
	return text;
}

TEST("LEDs as the contract has them")
{
	struct followed_led led = {.name = "kitchen", .state = LED_ON};

	CHECK_TEXT(element(&led, ""), "{\"name\":\"kitchen\",\"kind\":\"light\",\"state\":\"ON\"}");
	led = (struct followed_led){
		.name = "door", .state = LED_OFF, .kind = KIND_SWITCH, .pulse_ms = 500};
	CHECK_TEXT(element(&led, ""),
		"{\"name\":\"door\",\"kind\":\"switch\",\"pulse\":500,\"state\":\"OFF\"}");
	led = (struct followed_led){
		.name = "pump", .state = LED_MISSING, .kind = KIND_SWITCH, .why = "reason"};
	CHECK_TEXT(element(&led, "away"),
		"{\"name\":\"pump\",\"kind\":\"switch\",\"error\":\"reason\"}");
}

TEST("without a reason of its own, led-line's")
{
	struct followed_led led = {.name = "led", .state = LED_MISSING};

	CHECK_TEXT(element(&led, "no led-line"),
		"{\"name\":\"led\",\"kind\":\"light\",\"error\":\"no led-line\"}");
	led.state = LED_UNKNOWN;
	CHECK_TEXT(element_error(&led, ""), "its state is not known yet");
	led.state = LED_OFF;
	CHECK(!element_error(&led, "no led-line"));
}

TEST("one whose setting is wrong is a light with an error")
{
	struct followed_led led = {.name = "led",
		.state = LED_MISSING,
		.kind = KIND_UNKNOWN,
		.why = "a setting is wrong: led=\"\\x\""};

	CHECK_TEXT(element(&led, ""),
		"{\"name\":\"led\",\"kind\":\"light\",\"error\":\"a setting is wrong: "
		"led=\\\"\\\\x\\\"\"}");
}

TEST("reasons with anything in them stay JSON")
{
	struct followed_led led = {.name = "led", .state = LED_MISSING};
	char long_reason[3 * FOLLOW_LED_WHY_MAX];
	const char *text;

	CHECK_TEXT(element(&led, "a\n\x01\xc3\xa4 b"),
		"{\"name\":\"led\",\"kind\":\"light\",\"error\":\"a???? b\"}");
	memset(long_reason, '"', sizeof long_reason);
	long_reason[sizeof long_reason - 1] = '\0';
	for (int shift = 0; shift < 2; shift++) {
		long_reason[0] = shift ? 'x' : '"';
		text = element(&led, long_reason);
		CHECK(strcmp(text + strlen(text) - 4, "\\\"\"}") == 0);
	}
}

TEST("the list")
{
	static char text[ELEMENT_LIST_MAX];
	static struct follow follow;

	CHECK(element_write_list(&follow, "", text) == 2);
	CHECK_TEXT(text, "[]");
	follow.n = 2;
	follow.leds[0] = (struct followed_led){.name = "a", .state = LED_ON};
	follow.leds[1] = (struct followed_led){.name = "b", .state = LED_OFF};
	CHECK(element_write_list(&follow, "", text) == strlen(text));
	CHECK_TEXT(text, "[{\"name\":\"a\",\"kind\":\"light\",\"state\":\"ON\"},"
			 "{\"name\":\"b\",\"kind\":\"light\",\"state\":\"OFF\"}]");
	follow.n = LEDS_MAX;
	for (unsigned i = 0; i < LEDS_MAX; i++) {
		struct followed_led *led = &follow.leds[i];

		*led = (struct followed_led){
			.state = LED_MISSING, .kind = KIND_SWITCH, .pulse_ms = COMMAND_PULSE_MAX};
		memset(led->name, 'a', COMMAND_NAME_MAX);
		memset(led->why, '\\', sizeof led->why - 1);
	}
	CHECK(element_write_list(&follow, "", text) < sizeof text);
}

int main(void)
{
	return tap_run();
}
