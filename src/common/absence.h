/* SPDX-License-Identifier: MIT */
#ifndef ABSENCE_H
#define ABSENCE_H

/*
 * A device that may be away, an LED's or a button's: the reason is logged once, and the device is
 * looked for again and again.
 *
 * A device that has just appeared belongs to root until udev(7) has given it to its group. So a
 * missing permission is logged only when it lasts for ABSENCE_UDEV_USEC.
 */

#include <stdbool.h>
#include <stdint.h>

/* Room for a reason. */
#define ABSENCE_WHY_MAX 200

/* A device that is away is looked for every 2 s, or a little sooner: a timer and its accuracy. */
#define ABSENCE_RETRY_USEC 1500000
#define ABSENCE_ACCURACY_USEC 500000

#define ABSENCE_UDEV_USEC 5000000

/* Begins as all zeros: the device is there. */
struct absence {
	char why[ABSENCE_WHY_MAX];    /* why the device is away, or "" */
	char logged[ABSENCE_WHY_MAX]; /* the reason that was logged last, or "" */
	bool denied;                  /* a permission is missing */
	uint64_t denied_since;        /* microseconds of CLOCK_MONOTONIC */
};

/*
 * The device cannot be used: it was lost, or it was looked for and not found.
 *
 * error: a negative errno
 * why: for people; kept as far as ABSENCE_WHY_MAX
 * now: microseconds of CLOCK_MONOTONIC
 * Returns whether the reason has to be logged.
 */
bool absence_go_on(struct absence *absence, int error, const char *why, uint64_t now);

/*
 * The device is there.
 *
 * Returns whether that has to be logged, because its absence was.
 */
bool absence_end(struct absence *absence);

#endif
