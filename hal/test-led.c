/* SPDX-License-Identifier: MIT */
#include "led.h"

#include <errno.h>

#include "logged.h"
#include "tap.h"

static char why[LED_WHY_MAX];

static bool is_led(const char *text)
{
	const char *wrong;
	struct led *led = led_create("", text, &wrong);

	CHECK(led || *wrong);
	led_destroy(led);
	return led;
}

TEST("LEDs")
{
	CHECK(is_led("gpio:GPIO17"));
	CHECK(is_led("gpio:gpiochip0/17,active-low"));
	CHECK(is_led("gpio:/dev/relays/1,open-drain,pull-up"));
	CHECK(!is_led("gpio:GPIO17,pull-off"));
	CHECK(is_led("leds:ACT"));
	CHECK(is_led("log"));
	CHECK(!is_led(""));
	CHECK(!is_led("gpio"));
	CHECK(!is_led("gpi:GPIO17"));
	CHECK(!is_led("log:x"));
	CHECK(!is_led("leds:"));
	CHECK(!is_led("leds:../x"));
	CHECK(!is_led("leds:.."));
	CHECK(!is_led("fifo:/tmp/x"));
}

TEST("one that is no LED says what LEDs there are, one that is wrong what is wrong with it")
{
	const char *wrong;

	CHECK(!led_create("", "lamp:x", &wrong));
	CHECK_TEXT(wrong, "an LED is gpio:LINE, gpio:CHIP/OFFSET, leds:NAME or log");
	CHECK(!led_create("", "log:x", &wrong));
	CHECK_TEXT(wrong, "after log there may be initial=, pulse= and kind= alone");
}

TEST("it is opened once, in its first state, and again after it was closed")
{
	const char *wrong;
	struct led *led = led_create("a", "log", &wrong);

	CHECK(led && !led_is_open(led));
	CHECK(led_open(led, true, why) == 0 && led_is_open(led));
	CHECK_TEXT(logged(), "LED a Status: On\n");
	CHECK(led_open(led, false, why) == 0 && led_is_open(led));
	CHECK_TEXT(logged(), "");
	CHECK(led_get(led, why) == 1);
	CHECK(led_set(led, false, why) == 0 && led_get(led, why) == 0);
	CHECK_TEXT(logged(), "LED a Status: Off\n");
	led_close(led);
	CHECK(!led_is_open(led));
	led_close(led);
	CHECK(led_open(led, false, why) == 0);
	CHECK_TEXT(logged(), "LED a Status: Off\n");
	led_destroy(led);
	led_destroy(NULL);
}

TEST("one that nothing keeps cannot be taken over, and stays closed")
{
	const char *wrong;
	struct led *led = led_create("", "log", &wrong);

	CHECK(led_adopt(led, 0) == -EOPNOTSUPP && !led_is_open(led));
	CHECK(led_resume(led, why) == -EOPNOTSUPP && !led_is_open(led));
	CHECK(led_open(led, true, why) == 0 && led_fd(led) == -1);
	led_destroy(led);
}

TEST("one that cannot be opened, adopted or resumed is not open, and has no descriptor")
{
	const char *wrong;
	struct led *led = led_create("", "gpio:/dev/null/1", &wrong);

	CHECK(led_open(led, true, why) < 0 && !led_is_open(led) && led_fd(led) == -1);
	CHECK(led_adopt(led, -1) < 0 && !led_is_open(led) && led_fd(led) == -1);
	CHECK(led_resume(led, why) == -EOPNOTSUPP && !led_is_open(led));
	led_destroy(led);
	led = led_create("", "leds:there-is-none", &wrong);
	CHECK(led_resume(led, why) < 0 && !led_is_open(led));
	CHECK_TEXT(why, "there is no LED there-is-none in /sys/class/leds");
	CHECK(led_adopt(led, 0) == -EOPNOTSUPP);
	led_destroy(led);
}

TAP_MAIN
