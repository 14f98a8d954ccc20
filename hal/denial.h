/* SPDX-License-Identifier: MIT */
#ifndef DENIAL_H
#define DENIAL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A device that has just appeared belongs to root until udev has given it to its group. So a
 * permission that is missing is no news for the first 5 s.
 *
 * since: when access began to be denied, in microseconds of CLOCK_MONOTONIC; 0 at first, and
 *     changed here
 * error: why the device could not be opened now, a negative errno
 * Returns whether that is a permission, and may still come.
 */
bool denial_is_new(uint64_t *since, int error);

#endif
