/* SPDX-License-Identifier: MIT */
#ifndef STATE_FILE_H
#define STATE_FILE_H

/*
 * The states that the last commands left, in a file that a reboot does not lose: a line for each
 * LED, "on" or "off" for the one without a name, "kitchen on" for one with a name.
 */

#include <stdbool.h>

/* Room for the file's text: LEDS_MAX lines. */
#define STATE_FILE_MAX 1024

/*
 * The file's path: "last" in the state directory that the service manager names in
 * $STATE_DIRECTORY (systemd.exec(5)), else in /var/lib/led. A constant buffer.
 */
const char *state_file_path(void);

/*
 * Reads the file.
 *
 * text: set to its text, or to "" where it cannot be read
 * Returns 0 or a negative errno: -ENOENT where there never was one.
 */
int state_file_load(char text[STATE_FILE_MAX]);

/*
 * Finds the state of an LED in the file's text.
 *
 * name: "" for the LED without a name
 * Returns 1 or 0, or -ENOENT where there is none, or -EBADMSG where the line says something else.
 */
int state_text_find(const char *text, const char *name);

/* Adds the state of an LED to the file's text. */
void state_text_add(char text[STATE_FILE_MAX], const char *name, bool lit);

/*
 * Adds the lines of another text that are right, as far as there is room. Those of LEDs that the
 * text has already are left out.
 */
void state_text_keep(char text[STATE_FILE_MAX], const char *other);

/*
 * Writes the file, and returns when the disk has it. Whatever happens meanwhile, a power cut
 * too, the file is the old one or the new one whole.
 *
 * Returns 0 or a negative errno.
 */
int state_file_save(const char *text);

#endif
