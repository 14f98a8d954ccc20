/* SPDX-License-Identifier: MIT */
#ifndef VARIABLES_H
#define VARIABLES_H

/* Environment variables that look like settings and are none: typing errors. */

#include <stddef.h>

/*
 * Finds out whether a variable was meant to be a setting of one of our programs: its name begins as
 * theirs do, or is at most two letters from one of them (from LED itself, one), where two that are
 * swapped count as one and case does not count.
 *
 * name, length: of the variable
 * Returns the nearest name that there is; NULL if there is such a setting, or nothing is near.
 */
const char *variables_nearest(const char *name, size_t length);

/*
 * Logs a warning about each such variable of an environment: its name and the nearest, no value.
 * It is one line of at most 200 printable characters.
 */
void variables_warn(char *const environment[]);

#endif
