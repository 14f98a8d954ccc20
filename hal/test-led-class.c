/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <sys/stat.h>

#include "led.h"
#include "mounts.h"
#include "tap.h"

#define FOLDER "/sys/class/leds/ACT/"

static const struct led_backend *const BACKEND = &LED_CLASS;
static const char *why_not; /* there can be no LED here, or NULL */
static char why[LED_WHY_MAX];
static void *led;

/* Makes the LED, as the kernel shows it. */
static void begin(const char *brightness, const char *max_brightness, const char *trigger)
{
	CHECK(mkdir(FOLDER, 0755) == 0);
	CHECK(mounts_write(FOLDER "brightness", brightness));
	CHECK(mounts_write(FOLDER "max_brightness", max_brightness));
	CHECK(!trigger || mounts_write(FOLDER "trigger", trigger));
	CHECK(!BACKEND->parse("", "ACT", &led));
	*why = '\0';
}

static void end(void)
{
	unlink(FOLDER "brightness");
	unlink(FOLDER "max_brightness");
	unlink(FOLDER "trigger");
	CHECK(rmdir(FOLDER) == 0);
	free(led);
}

/* The first line of a file of the LED. */
static const char *line_of(const char *path)
{
	static char text[64];
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, sizeof text - 1);

	text[n < 0 ? 0 : n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	close(fd);
	return text;
}

static const char *brightness(void)
{
	return line_of(FOLDER "brightness");
}

static bool is_led(const char *argument)
{
	void *state = NULL;
	const char *wrong = BACKEND->parse("", argument, &state);

	free(state);
	return !wrong;
}

TEST("an LED is one name of the class")
{
	char name[80] = "";

	CHECK(is_led("ACT") && is_led("input3::capslock"));
	CHECK(!is_led(NULL) && !is_led("") && !is_led("..") && !is_led("../x") && !is_led("a/b"));
	CHECK(!is_led(".hidden"));
	memset(name, 'x', 63);
	CHECK(is_led(name));
	name[63] = 'x';
	CHECK(!is_led(name));
}

TEST("an LED is as bright as it can be, or dark, from its opening on")
{
	if (why_not)
		SKIP(why_not);
	begin("0\n", "255\n", "none\n");
	CHECK(BACKEND->open(led, true, why) == 0);
	CHECK_TEXT(brightness(), "255");
	CHECK(BACKEND->get(led, why) == 1);
	CHECK(BACKEND->set(led, false, why) == 0);
	CHECK_TEXT(brightness(), "0");
	CHECK(BACKEND->get(led, why) == 0);
	CHECK(BACKEND->set(led, true, why) == 0);
	CHECK_TEXT(brightness(), "255");
	CHECK(mounts_write(FOLDER "brightness", "3\n"));
	CHECK(BACKEND->get(led, why) == 1);
	BACKEND->close(led);

	CHECK(mounts_write(FOLDER "max_brightness", "1\n"));
	CHECK(BACKEND->open(led, false, why) == 0);
	CHECK_TEXT(brightness(), "0");
	CHECK(BACKEND->set(led, true, why) == 0);
	CHECK_TEXT(brightness(), "1");
	BACKEND->close(led);
	end();
}

TEST("its trigger is taken off once an opening")
{
	if (why_not)
		SKIP(why_not);
	begin("0\n", "255\n", "heartbeat\n");
	CHECK(BACKEND->open(led, false, why) == 0);
	CHECK_TEXT(line_of(FOLDER "trigger"), "none");
	/* Who gives it one again wants that. */
	CHECK(mounts_write(FOLDER "trigger", "timer\n"));
	CHECK(BACKEND->set(led, true, why) == 0);
	CHECK_TEXT(line_of(FOLDER "trigger"), "timer");
	BACKEND->close(led);
	CHECK(BACKEND->open(led, false, why) == 0);
	CHECK_TEXT(line_of(FOLDER "trigger"), "none");
	BACKEND->close(led);
	end();
}

TEST("an LED that the kernel has kept is not touched before it is set")
{
	if (why_not)
		SKIP(why_not);
	begin("7\n", "9\n", "heartbeat\n");
	CHECK(BACKEND->resume(led, why) == 0);
	CHECK_TEXT(brightness(), "7");
	CHECK_TEXT(line_of(FOLDER "trigger"), "heartbeat");
	CHECK(BACKEND->get(led, why) == 1);
	CHECK(BACKEND->set(led, true, why) == 0);
	CHECK_TEXT(brightness(), "9");
	CHECK_TEXT(line_of(FOLDER "trigger"), "none");
	BACKEND->close(led);
	CHECK(mounts_write(FOLDER "trigger", "heartbeat\n"));
	CHECK(BACKEND->resume(led, why) == 0);
	CHECK(BACKEND->set(led, false, why) == 0);
	CHECK_TEXT(line_of(FOLDER "trigger"), "none");
	BACKEND->close(led);
	end();
}

TEST("an LED without a trigger needs none taken off")
{
	if (why_not)
		SKIP(why_not);
	begin("0\n", "255\n", NULL);
	CHECK(BACKEND->open(led, true, why) == 0);
	CHECK_TEXT(brightness(), "255");
	BACKEND->close(led);
	CHECK(access(FOLDER "trigger", F_OK) < 0);
	end();
}

TEST("an LED that is not there is gone, whatever of it is missing")
{
	if (why_not)
		SKIP(why_not);
	begin("0\n", "255\n", "none\n");
	unlink(FOLDER "brightness");
	CHECK(BACKEND->open(led, true, why) == -ENODEV);
	CHECK_TEXT(why, "there is no LED ACT in /sys/class/leds");
	*why = '\0';
	end();
	CHECK(!BACKEND->parse("", "ACT", &led));
	CHECK(BACKEND->open(led, true, why) == -ENODEV);
	CHECK_TEXT(why, "there is no LED ACT in /sys/class/leds");
	*why = '\0';
	CHECK(BACKEND->resume(led, why) == -ENODEV);
	CHECK_TEXT(why, "there is no LED ACT in /sys/class/leds");
	free(led);
}

TEST("another failure names the file")
{
	if (why_not)
		SKIP(why_not);
	begin("0\n", "255\n", "none\n");
	CHECK(unlink(FOLDER "brightness") == 0 && mkdir(FOLDER "brightness", 0755) == 0);
	CHECK(BACKEND->open(led, true, why) == -EISDIR);
	CHECK_TEXT(why, "LED ACT: brightness: Is a directory");
	CHECK(rmdir(FOLDER "brightness") == 0);
	CHECK(unlink(FOLDER "trigger") == 0 && mkdir(FOLDER "trigger", 0755) == 0);
	CHECK(BACKEND->open(led, true, why) == -EISDIR);
	CHECK_TEXT(why, "LED ACT: trigger: Is a directory");
	/* The next transfer may succeed. */
	CHECK(mounts_write(FOLDER "brightness", "0\n") && BACKEND->resume(led, why) == 0);
	CHECK(rmdir(FOLDER "trigger") == 0 && symlink("/dev/full", FOLDER "trigger") == 0);
	CHECK(BACKEND->set(led, true, why) == -ENOSPC);
	CHECK_TEXT(brightness(), "0");
	CHECK(unlink(FOLDER "trigger") == 0 && mounts_write(FOLDER "trigger", "timer\n"));
	CHECK(BACKEND->set(led, true, why) == 0);
	CHECK_TEXT(line_of(FOLDER "trigger"), "none");
	BACKEND->close(led);
	end();
}

int main(void)
{
	why_not = mounts_hide("/sys/class");
	if (!why_not && mkdir("/sys/class/leds", 0755) < 0)
		why_not = strerror(errno);
	return tap_run();
}
