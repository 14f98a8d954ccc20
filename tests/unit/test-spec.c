/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../hal/contact.h"
#include "../../hal/led.h"
#include "../../hal/line.h"
#include "tap.h"

static struct line_spec spec;

static void lines_by_name(void)
{
	CHECK(!line_spec_parse("GPIO17", LINE_OUTPUT, &spec));
	CHECK_TEXT(spec.name, "GPIO17");
	CHECK_TEXT(spec.chip, "");
}

static void lines_by_number(void)
{
	CHECK(!line_spec_parse("gpiochip0/17", LINE_OUTPUT, &spec));
	CHECK_TEXT(spec.chip, "gpiochip0");
	CHECK(spec.offset == 17);
	CHECK(!line_spec_parse("/dev/gpiochip1/0", LINE_OUTPUT, &spec));
	CHECK_TEXT(spec.chip, "/dev/gpiochip1");
	CHECK(!line_spec_parse("0/53,active-low", LINE_OUTPUT, &spec));
	CHECK_TEXT(spec.chip, "0");
	CHECK(spec.offset == 53 && spec.active_low);
	CHECK(!line_spec_parse("/dev/relays/2,open-drain,active-low", LINE_OUTPUT, &spec));
	CHECK_TEXT(spec.chip, "/dev/relays");
	CHECK(spec.offset == 2 && spec.active_low);
}

/* Whether a line is requested as wanted with these words behind it. */
static bool is_requested(enum line_use use, const char *words, bool active_low,
	enum line_drive drive, enum line_bias bias)
{
	char text[100];

	snprintf(text, sizeof text, "GPIO17%s", words);
	return !line_spec_parse(text, use, &spec) && strcmp(spec.name, "GPIO17") == 0 &&
	       spec.active_low == active_low && spec.drive == drive && spec.bias == bias;
}

static void words_behind_an_led(void)
{
	static const enum line_use LED = LINE_OUTPUT;

	CHECK(is_requested(LED, "", false, LINE_PUSH_PULL, LINE_BIAS_AS_IS));
	CHECK(is_requested(LED, ",active-low", true, LINE_PUSH_PULL, LINE_BIAS_AS_IS));
	CHECK(is_requested(LED, ",active-high", false, LINE_PUSH_PULL, LINE_BIAS_AS_IS));
	CHECK(is_requested(LED, ",open-drain", false, LINE_OPEN_DRAIN, LINE_BIAS_AS_IS));
	CHECK(is_requested(LED, ",open-source", false, LINE_OPEN_SOURCE, LINE_BIAS_AS_IS));
	CHECK(is_requested(LED, ",pull-down", false, LINE_PUSH_PULL, LINE_PULL_DOWN));
	CHECK(is_requested(
		LED, ",pull-up,open-drain,active-low", true, LINE_OPEN_DRAIN, LINE_PULL_UP));
	CHECK(is_requested(LED, ",active-low,active-low", true, LINE_PUSH_PULL, LINE_BIAS_AS_IS));
}

static void words_behind_a_button(void)
{
	static const enum line_use BUTTON = LINE_EDGES;

	CHECK(is_requested(BUTTON, "", true, LINE_PUSH_PULL, LINE_PULL_UP));
	CHECK(is_requested(BUTTON, ",active-low", true, LINE_PUSH_PULL, LINE_PULL_UP));
	CHECK(is_requested(BUTTON, ",active-high", false, LINE_PUSH_PULL, LINE_PULL_DOWN));
	CHECK(is_requested(BUTTON, ",pull-off", true, LINE_PUSH_PULL, LINE_PULL_OFF));
	CHECK(is_requested(BUTTON, ",pull-down", true, LINE_PUSH_PULL, LINE_PULL_DOWN));
	CHECK(is_requested(BUTTON, ",active-high,pull-up", false, LINE_PUSH_PULL, LINE_PULL_UP));
}

static void words_that_do_not_go_there(void)
{
	static const char *const CONTRADICTIONS[] = {"x,active-low,active-high",
		"x,open-drain,active-low,open-source", "x,pull-up,pull-down"};
	static const char *const UNKNOWN[] = {"x,", "x,,active-low", "x,active-low,", "x,low",
		"x,active-lo", "x,active-low ", "x,pull-off", "x,pull-up,initial=on"};

	for (size_t i = 0; i < sizeof CONTRADICTIONS / sizeof *CONTRADICTIONS; i++)
		CHECK_TEXT(line_spec_parse(CONTRADICTIONS[i], LINE_OUTPUT, &spec),
			"two of the words behind the GPIO line contradict each other");
	for (size_t i = 0; i < sizeof UNKNOWN / sizeof *UNKNOWN; i++)
		CHECK_TEXT(line_spec_parse(UNKNOWN[i], LINE_OUTPUT, &spec),
			"behind an LED's GPIO line there may be active-low or active-high, "
			"open-drain or open-source, pull-up or pull-down");
	CHECK_TEXT(line_spec_parse("x,open-drain", LINE_EDGES, &spec),
		"behind a button's GPIO line there may be active-low or active-high, "
		"pull-up, pull-down or pull-off");
	CHECK(line_spec_parse("x,pull-off,pull-up", LINE_EDGES, &spec));
}

static void what_is_no_line(void)
{
	static const char *const BAD[] = {"", ",active-low", "/17", "gpiochip0/", "gpiochip0/x",
		"gpiochip0/-1", "gpiochip0/99999999999"};

	CHECK(line_spec_parse(NULL, LINE_OUTPUT, &spec));
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
		CHECK(line_spec_parse(BAD[i], LINE_OUTPUT, &spec));
}

/* What line_find() says of line 1 of a chip by path. */
static const char *found(const char *path)
{
	static char why[LINE_WHY_MAX];
	struct line_place place;
	char text[128];

	snprintf(text, sizeof text, "%s/1", path);
	CHECK(!line_spec_parse(text, LINE_OUTPUT, &spec));
	*why = '\0';
	CHECK(line_find(&spec, &place, why) < 0);
	return why;
}

static void paths_that_lead_to_no_chip(void)
{
	char folder[] = "/tmp/led-test-spec.XXXXXX", link[40];

	CHECK(mkdtemp(folder));
	snprintf(link, sizeof link, "%s/a", folder);
	CHECK(strstr(found(link), "there is no /tmp/"));
	CHECK(strstr(found("/dev/null/x"), "there is no /dev/null/x;"));
	CHECK_TEXT(found("/dev/null"), "/dev/null is no GPIO chip, and leads to none; "
				       "gpiodetect shows them");
	CHECK(symlink("nowhere", link) == 0);
	CHECK(strstr(found(link), "is a link that leads nowhere: its GPIO chip is not there"));
	CHECK(unlink(link) == 0 && symlink("/dev/null", link) == 0);
	CHECK(strstr(found(link), "/a is no GPIO chip, and leads to none"));
	CHECK(unlink(link) == 0 && symlink(folder, link) == 0);
	CHECK(strstr(found(link), "/a is no GPIO chip, and leads to none"));
	CHECK(unlink(link) == 0 && mkfifo(link, 0600) == 0);
	CHECK(strstr(found(link), "/a is no GPIO chip, and leads to none"));
	CHECK(unlink(link) == 0 && symlink(link, link) == 0);
	CHECK(strstr(found(link), "Too many levels of symbolic links"));
	CHECK(unlink(link) == 0 && rmdir(folder) == 0);
}

static bool is_led(const char *text)
{
	const char *why;
	struct led *led = led_create("", text, &why);

	CHECK(led || *why);
	led_destroy(led);
	return led;
}

static void leds(void)
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

static bool is_button(const char *text)
{
	const char *why;
	struct contact *button = contact_create(text, &why);

	contact_destroy(button);
	return button;
}

static void buttons(void)
{
	CHECK(is_button("gpio:GPIO4"));
	CHECK(is_button("gpio:/dev/buttons/4,active-high,pull-off"));
	CHECK(!is_button("gpio:GPIO4,open-drain"));
	CHECK(is_button("fifo:/tmp/x"));
	CHECK(!is_button(""));
	CHECK(!is_button("fifo"));
	CHECK(!is_button("fifo:"));
	CHECK(!is_button("log"));
}

static void keys(void)
{
	CHECK(is_button("input:/dev/input/event0"));
	CHECK(is_button("input:gpio-keys"));
	CHECK(is_button("input:Logitech USB Receiver: 2,grab"));
	CHECK(is_button("input:gpio-keys,KEY_ENTER"));
	CHECK(is_button("input:gpio-keys,BTN_0"));
	CHECK(is_button("input:gpio-keys,1"));
	CHECK(is_button("input:gpio-keys,767"));
	CHECK(is_button("input:gpio-keys,0x100"));
	CHECK(is_button("input:gpio-keys,KEY_ENTER,grab"));
	CHECK(!is_button("input"));
	CHECK(!is_button("input:"));
	CHECK(!is_button("input:,KEY_ENTER"));
	CHECK(!is_button("input:gpio-keys,"));
	CHECK(!is_button("input:gpio-keys,ENTER"));
	CHECK(!is_button("input:gpio-keys,key_enter"));
	CHECK(!is_button("input:gpio-keys,0"));
	CHECK(!is_button("input:gpio-keys,768"));
	CHECK(!is_button("input:gpio-keys,-1"));
	CHECK(!is_button("input:gpio-keys,99999999999999999999"));
	CHECK(!is_button("input:gpio-keys,28x"));
	CHECK(!is_button("input:gpio-keys,grab,KEY_ENTER"));
	CHECK(!is_button("input:gpio-keys,grab,grab"));
	CHECK(!is_button("input:gpio-keys,KEY_ENTER,"));
	CHECK(!is_button("input:gpio-keys,KEY_ENTER,KEY_A"));
	CHECK(!is_button("input:gpio-keys,KEY_ENTER,grab,x"));
}

TAP_MAIN({"GPIO lines by name", lines_by_name}, {"GPIO lines by number", lines_by_number},
	{"what is no GPIO line is refused", what_is_no_line},
	{"words behind an LED's GPIO line", words_behind_an_led},
	{"words behind a button's GPIO line", words_behind_a_button},
	{"words that do not go there are refused", words_that_do_not_go_there},
	{"a path that leads to no GPIO chip is called by what it is", paths_that_lead_to_no_chip},
	{"LEDs", leds}, {"buttons", buttons}, {"keys of input devices", keys})
