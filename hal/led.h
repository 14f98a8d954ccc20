/* SPDX-License-Identifier: MIT */
#ifndef LED_H
#define LED_H

/*
 * An LED: a GPIO line, the kernel's LED class, or the log. SPEC is BACKEND:ARGUMENT, or BACKEND
 * alone.
 *
 * Functions that can fail return 0 (or a value) and a negative errno; why is then
 * one line for the client who asked and for the administrator: what is wrong with which device, and
 * where it helps, what to do. -ENODEV of an LED that is open: the device is gone, and the LED has
 * to be closed. Any other error is of one transfer, and the next may succeed.
 */

#include <stdbool.h>
#include <stddef.h>

/* Room for a reason. */
#define LED_WHY_MAX 200

struct led;

/* What a backend is: one file in hal/, one entry in hal/led.c. */
struct led_backend {
	const char *name;

	/*
	 * Parses the text after "BACKEND:" (NULL if there is none), without a look at the hardware.
	 * Returns NULL and sets *state, to be released by free(3), or returns a constant reason.
	 */
	const char *(*parse)(const char *name, const char *argument, void **state);

	/* Opens the LED. lit: its first state */
	int (*open)(void *state, bool lit, char why[LED_WHY_MAX]);

	/* As led_adopt(). NULL where no descriptor keeps the LED. */
	int (*adopt)(void *state, int fd);

	/* As led_resume(). NULL where the kernel does not keep the LED's state. */
	int (*resume)(void *state, char why[LED_WHY_MAX]);

	int (*set)(void *state, bool lit, char why[LED_WHY_MAX]);

	/* 1 or 0 as the hardware says, or a negative errno. */
	int (*get)(void *state, char why[LED_WHY_MAX]);

	/* As led_fd(). NULL where no descriptor keeps the LED. */
	int (*fd)(const void *state);

	/* Releases an LED that is open. */
	void (*close)(void *state);
};

extern const struct led_backend LED_GPIO, LED_CLASS, LED_LOG;

/* What they take, for messages and --help. */
#define LED_SPECS "gpio:LINE, gpio:CHIP/OFFSET, leds:NAME or log"

/*
 * Creates an LED from SPEC; it is not open yet.
 *
 * name: for what is written to the log, or ""; kept by the caller
 * spec: kept by the caller
 * Returns it, or NULL with *why set to a constant reason.
 */
struct led *led_create(const char *name, const char *spec, const char **why);

/*
 * Opens it if it is not open.
 *
 * lit: its state from the first moment on
 */
int led_open(struct led *led, bool lit, char why[LED_WHY_MAX]);

/*
 * Opens it with a descriptor that an earlier process left in the service
 * manager's store, touching nothing. The descriptor is the LED's from then on.
 *
 * Returns 0, or a negative errno if it is not of that kind or is dead.
 */
int led_adopt(struct led *led, int fd);

/*
 * Opens an LED that the kernel has kept since an earlier process, touching nothing.
 *
 * Returns 0, or a negative errno: -EOPNOTSUPP where the kernel does not keep such an LED.
 */
int led_resume(struct led *led, char why[LED_WHY_MAX]);

bool led_is_open(const struct led *led);

/* The LED has to be open for these two. */
int led_set(struct led *led, bool lit, char why[LED_WHY_MAX]);
int led_get(struct led *led, char why[LED_WHY_MAX]);

/* The descriptor that keeps the LED as it is for as long as it is open anywhere, or -1. */
int led_fd(const struct led *led);

void led_close(struct led *led);
void led_destroy(struct led *led);

#endif
