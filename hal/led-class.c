/* SPDX-License-Identifier: MIT */

/*
 * leds:NAME, the kernel's own LED class: Documentation/leds/leds-class.rst and
 * Documentation/ABI/testing/sysfs-class-led. The kernel keeps the state of such an LED when a
 * process ends.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "led.h"

#define CLASS "/sys/class/leds"

struct led_class {
	char name[64];
	int max_brightness; /* as of its opening */
	int fd;             /* its brightness, for as long as it is open */
	bool untriggered;   /* since its opening, its trigger was set to none */
};

static const char *led_class_parse(const char *name, const char *argument, void **state)
{
	struct led_class *led;

	if (!argument || !*argument)
		return "leds: wants a name from " CLASS ", as in leds:ACT";
	if (strlen(argument) >= sizeof led->name || strchr(argument, '/') || *argument == '.')
		return "leds: wants one name from " CLASS;
	led = calloc(1, sizeof *led);
	if (!led)
		return "out of memory";
	strcpy(led->name, argument);
	*state = led;
	return NULL;
}

/* Says what is wrong with a file of the LED. Returns -errno; -ENODEV where the LED is gone. */
static int complain(const struct led_class *led, const char *file, char why[LED_WHY_MAX])
{
	int error = errno;

	if (error != ENOENT && error != ENODEV) {
		snprintf(why, LED_WHY_MAX, "LED %s: %s: %s", led->name, file, strerror(error));
		return -error;
	}
	snprintf(why, LED_WHY_MAX, "there is no LED %s in " CLASS, led->name);
	return -ENODEV;
}

static int open_file(const struct led_class *led, const char *file, int flags)
{
	char path[sizeof CLASS + sizeof led->name + 32];

	snprintf(path, sizeof path, CLASS "/%s/%s", led->name, file);
	return open(path, flags | O_CLOEXEC);
}

/* Reads a number of at most 15 digits. Returns it or a negative errno. */
static int read_number(const struct led_class *led, int fd, const char *file, char why[LED_WHY_MAX])
{
	char text[16] = "";

	return pread(fd, text, sizeof text - 1, 0) < 0 ? complain(led, file, why) : atoi(text);
}

static int write_text(const struct led_class *led, int fd, const char *file, const char *text,
	char why[LED_WHY_MAX])
{
	return pwrite(fd, text, strlen(text), 0) < 0 ? complain(led, file, why) : 0;
}

/* Takes the trigger off: one such as the heartbeat would go on switching the LED. */
static int take_trigger_off(struct led_class *led, char why[LED_WHY_MAX])
{
	int fd, r;

	if (led->untriggered)
		return 0;
	fd = open_file(led, "trigger", O_WRONLY);
	if (fd < 0)
		return errno == ENOENT ? 0
				       : complain(led, "trigger", why); /* a kernel may have none */
	r = write_text(led, fd, "trigger", "none\n", why);
	close(fd);
	led->untriggered = r >= 0;
	return r;
}

static int led_class_set(void *state, bool lit, char why[LED_WHY_MAX])
{
	struct led_class *led = state;
	char text[16];
	int r = take_trigger_off(led, why);

	if (r < 0)
		return r;
	snprintf(text, sizeof text, "%d\n", lit ? led->max_brightness : 0);
	return write_text(led, led->fd, "brightness", text, why);
}

static int led_class_get(void *state, char why[LED_WHY_MAX])
{
	const struct led_class *led = state;
	int brightness = read_number(led, led->fd, "brightness", why);

	return brightness < 0 ? brightness : brightness > 0;
}

/* Opens the brightness, after a look at its maximum. */
static int open_brightness(struct led_class *led, char why[LED_WHY_MAX])
{
	int fd = open_file(led, "max_brightness", O_RDONLY);

	if (fd < 0)
		return complain(led, "max_brightness", why);
	led->max_brightness = read_number(led, fd, "max_brightness", why);
	close(fd);
	if (led->max_brightness < 0)
		return led->max_brightness;
	led->fd = open_file(led, "brightness", O_RDWR);
	return led->fd < 0 ? complain(led, "brightness", why) : 0;
}

static int led_class_resume(void *state, char why[LED_WHY_MAX])
{
	struct led_class *led = state;

	led->untriggered = false;
	return open_brightness(led, why);
}

static int led_class_open(void *state, bool lit, char why[LED_WHY_MAX])
{
	struct led_class *led = state;
	int r;

	led->untriggered = false;
	r = take_trigger_off(led, why);
	if (r >= 0)
		r = open_brightness(led, why);
	if (r < 0)
		return r;
	r = led_class_set(state, lit, why);
	if (r < 0)
		close(led->fd);
	return r;
}

static void led_class_close(void *state)
{
	const struct led_class *led = state;

	close(led->fd);
}

const struct led_backend LED_CLASS = {
	.name = "leds",
	.parse = led_class_parse,
	.open = led_class_open,
	.resume = led_class_resume,
	.set = led_class_set,
	.get = led_class_get,
	.close = led_class_close,
};
