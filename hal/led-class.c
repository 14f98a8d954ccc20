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
	bool untriggered;   /* since its opening, its trigger was set to none */
};

static const char *led_class_parse(const char *name, const char *argument, void **state)
{
	struct led_class *led;

	(void)name;
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

/* Says what is wrong with a file of the LED. Returns -errno. */
static int complain(const struct led_class *led, const char *file, char why[LED_WHY_MAX])
{
	int r = -errno;

	if (r == -ENOENT || r == -ENODEV)
		snprintf(why, LED_WHY_MAX, "there is no LED %s in " CLASS, led->name);
	else
		snprintf(why, LED_WHY_MAX, "LED %s: %s: %s", led->name, file, strerror(-r));
	return r;
}

static int open_file(const struct led_class *led, const char *file, int flags)
{
	char path[sizeof CLASS + sizeof led->name + 32];

	snprintf(path, sizeof path, CLASS "/%s/%s", led->name, file);
	return open(path, flags | O_CLOEXEC);
}

static int write_file(
	const struct led_class *led, const char *file, const char *text, char why[LED_WHY_MAX])
{
	int fd = open_file(led, file, O_WRONLY), r = 0;

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		r = complain(led, file, why);
	if (fd >= 0)
		close(fd);
	return r;
}

static int read_number(const struct led_class *led, const char *file, char why[LED_WHY_MAX])
{
	int fd = open_file(led, file, O_RDONLY), r;
	char text[16];
	ssize_t n = -1;

	if (fd >= 0)
		n = read(fd, text, sizeof text - 1);
	if (n < 0) {
		r = complain(led, file, why);
	} else {
		text[n] = '\0';
		r = atoi(text);
	}
	if (fd >= 0)
		close(fd);
	return r;
}

/* Takes the trigger off: one such as the heartbeat would go on switching the LED. */
static int take_trigger_off(struct led_class *led, char why[LED_WHY_MAX])
{
	int r = led->untriggered ? 0 : write_file(led, "trigger", "none", why);

	led->untriggered = r >= 0;
	return r == -ENOENT ? 0 : r; /* a kernel may have none */
}

static int led_class_set(void *state, bool lit, char why[LED_WHY_MAX])
{
	struct led_class *led = state;
	char text[16];
	int r = take_trigger_off(led, why);

	if (r < 0)
		return r;
	snprintf(text, sizeof text, "%d", lit ? led->max_brightness : 0);
	return write_file(led, "brightness", text, why);
}

static int led_class_get(void *state, char why[LED_WHY_MAX])
{
	int brightness = read_number(state, "brightness", why);

	return brightness < 0 ? brightness : brightness > 0;
}

static int led_class_resume(void *state, char why[LED_WHY_MAX])
{
	struct led_class *led = state;

	led->max_brightness = read_number(led, "max_brightness", why);
	return led->max_brightness < 0 ? led->max_brightness : 0;
}

static int led_class_open(void *state, bool lit, char why[LED_WHY_MAX])
{
	struct led_class *led = state;
	int r;

	led->untriggered = false;
	r = take_trigger_off(led, why);
	if (r >= 0)
		r = led_class_resume(state, why);
	return r < 0 ? r : led_class_set(state, lit, why);
}

static void led_class_close(void *state)
{
	(void)state;
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
