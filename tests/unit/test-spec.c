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
	CHECK(!line_spec_parse("GPIO17", false, &spec));
	CHECK_TEXT(spec.name, "GPIO17");
	CHECK_TEXT(spec.chip, "");
	CHECK(!spec.active_low);
	CHECK(!line_spec_parse("GPIO17,active-low", false, &spec) && spec.active_low);
	CHECK(!line_spec_parse("GPIO4", true, &spec) && spec.active_low);
	CHECK(!line_spec_parse("GPIO4,active-high", true, &spec) && !spec.active_low);
}

static void lines_by_number(void)
{
	CHECK(!line_spec_parse("gpiochip0/17", false, &spec));
	CHECK_TEXT(spec.chip, "gpiochip0");
	CHECK(spec.offset == 17);
	CHECK(!line_spec_parse("/dev/gpiochip1/0", false, &spec));
	CHECK_TEXT(spec.chip, "/dev/gpiochip1");
	CHECK(!line_spec_parse("0/53,active-low", false, &spec));
	CHECK_TEXT(spec.chip, "0");
	CHECK(spec.offset == 53 && spec.active_low);
}

static void what_is_no_line(void)
{
	static const char *const BAD[] = {"", ",active-low", "/17", "gpiochip0/", "gpiochip0/x",
		"gpiochip0/-1", "gpiochip0/99999999999", "GPIO17,", "GPIO17,low",
		"GPIO17,active-low,active-high"};

	CHECK(line_spec_parse(NULL, false, &spec));
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
		CHECK(line_spec_parse(BAD[i], false, &spec));
}

/* What line_find() says of line 1 of a chip by path. */
static const char *found(const char *path)
{
	static char why[LINE_WHY_MAX];
	struct line_place place;
	char text[128];

	snprintf(text, sizeof text, "%s/1", path);
	CHECK(!line_spec_parse(text, false, &spec));
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
	CHECK(is_button("fifo:/tmp/x"));
	CHECK(!is_button(""));
	CHECK(!is_button("fifo"));
	CHECK(!is_button("fifo:"));
	CHECK(!is_button("log"));
}

TAP_MAIN({"GPIO lines by name", lines_by_name}, {"GPIO lines by number", lines_by_number},
	{"what is no GPIO line is refused", what_is_no_line},
	{"a path that leads to no GPIO chip is called by what it is", paths_that_lead_to_no_chip},
	{"LEDs", leds}, {"buttons", buttons})
