/* SPDX-License-Identifier: MIT */
#ifndef STORE_NAME_H
#define STORE_NAME_H

/*
 * The names of descriptors in the service manager's store: one for each item of each LED, made from
 * its SPEC. 0.1.0 to 0.4.1 wrote each character that a name must not have as "_". Where a SPEC has
 * one such character, which is the colon, that is its name to this day.
 */

#include <stdbool.h>

/* Room for a name: systemd allows 255 bytes. */
#define STORE_NAME_MAX 256

/* What is stored for each LED. */
enum store_item {
	STORE_LINE,  /* the request for the GPIO line */
	STORE_STATE, /* the record: record-file.h */
};

/*
 * Makes a name. Another SPEC makes another name.
 *
 * Returns false where it would be too long.
 */
bool store_name(enum store_item item, const char *spec, char name[STORE_NAME_MAX]);

/* Makes the name that 0.1.0 to 0.4.1 had. Where it is another one, it is no other SPEC's now. */
void store_old_name(enum store_item item, const char *spec, char name[STORE_NAME_MAX]);

/* Whether a name is that of an item of an LED, or was. */
bool store_name_is(const char *name, enum store_item item, const char *spec);

/*
 * Whether a name is, or was, that of the line that a SPEC names, whatever the LED is called and the
 * words after the line are.
 *
 * spec: without the LED's name
 */
bool store_name_is_line(const char *name, const char *spec);

/* Whether a name may be one of these, for any LED. */
bool store_name_is_ours(const char *name);

#endif
