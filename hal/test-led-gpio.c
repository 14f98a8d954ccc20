/* SPDX-License-Identifier: MIT */

/* An LED on a GPIO line, with a line that does as the test says: these are line.h's functions. */

#include <errno.h>
#include <stdlib.h>

#include "led.h"
#include "line.h"
#include "tap.h"

struct line {
	bool active;
};

static struct line the_line;
static int result; /* of what is called next */
static int adopted = -1;
static bool released;

const char *line_spec_parse(const char *text, enum line_use use, struct line_spec *spec)
{
	CHECK(use == LINE_OUTPUT);
	if (!text)
		return "the line's own reason";
	snprintf(spec->name, sizeof spec->name, "%s", text);
	return NULL;
}

int line_request_output(
	const struct line_spec *spec, bool active, struct line **line, char why[LINE_WHY_MAX])
{
	CHECK_TEXT(spec->name, "GPIO9");
	strcpy(why, "the request's own reason");
	the_line.active = active;
	*line = &the_line;
	return result;
}

int line_adopt(int fd, struct line **line)
{
	adopted = fd;
	*line = &the_line;
	return result;
}

int line_get(struct line *line)
{
	CHECK(line == &the_line);
	return result < 0 ? result : line->active;
}

int line_set(struct line *line, bool active)
{
	CHECK(line == &the_line);
	line->active = active;
	return result;
}

int line_fd(const struct line *line)
{
	CHECK(line == &the_line);
	return 42;
}

void line_release(struct line *line)
{
	CHECK(line == &the_line);
	released = true;
}

static const struct led_backend *const BACKEND = &LED_GPIO;
static char why[LED_WHY_MAX];
static void *led;

TEST("what is no line has the line's reason")
{
	CHECK_TEXT(BACKEND->parse("", NULL, &led), "the line's own reason");
}

TEST("it is requested in its first state, set, read and released")
{
	CHECK(!BACKEND->parse("", "GPIO9", &led));
	CHECK(BACKEND->open(led, true, why) == 0 && the_line.active);
	CHECK(BACKEND->get(led, why) == 1);
	CHECK(BACKEND->set(led, false, why) == 0 && !the_line.active);
	CHECK(BACKEND->get(led, why) == 0);
	CHECK(BACKEND->set(led, true, why) == 0 && the_line.active);
	CHECK(BACKEND->fd(led) == 42);
	BACKEND->close(led);
	CHECK(released);
	CHECK(BACKEND->open(led, false, why) == 0 && !the_line.active);
	free(led);
}

TEST("a request that fails has its own reason")
{
	CHECK(!BACKEND->parse("", "GPIO9", &led));
	result = -EBUSY;
	CHECK(BACKEND->open(led, true, why) == -EBUSY);
	CHECK_TEXT(why, "the request's own reason");
	result = 0;
	free(led);
}

TEST("a descriptor is taken over as it is")
{
	CHECK(!BACKEND->parse("", "GPIO9", &led));
	CHECK(BACKEND->adopt(led, 5) == 0 && adopted == 5);
	CHECK(BACKEND->fd(led) == 42);
	result = -EBADF;
	CHECK(BACKEND->adopt(led, 6) == -EBADF && adopted == 6);
	result = 0;
	free(led);
}

TEST("a chip that is gone is not a transfer that fails")
{
	CHECK(!BACKEND->parse("", "GPIO9", &led));
	CHECK(BACKEND->open(led, true, why) == 0);
	result = -ENODEV;
	CHECK(BACKEND->set(led, false, why) == -ENODEV);
	CHECK_TEXT(why, "GPIO line GPIO9 is gone: No such device");
	*why = '\0';
	CHECK(BACKEND->get(led, why) == -ENODEV);
	CHECK_TEXT(why, "GPIO line GPIO9 is gone: No such device");
	result = -EREMOTEIO;
	CHECK(BACKEND->set(led, false, why) == -EREMOTEIO);
	CHECK_TEXT(why, "GPIO line GPIO9: Remote I/O error");
	*why = '\0';
	CHECK(BACKEND->get(led, why) == -EREMOTEIO);
	CHECK_TEXT(why, "GPIO line GPIO9: Remote I/O error");
	result = 0;
	free(led);
}

TAP_MAIN
