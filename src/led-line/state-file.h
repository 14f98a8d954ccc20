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
 * Writes the file, and returns when the disk has it. Whatever happens meanwhile, a power cut
 * too, the file is the old one or the new one whole.
 *
 * Returns 0 or a negative errno.
 */
int state_file_save(const char *text);

/* Writes the file in a thread of its own, so that nobody has to wait for the disk. */
struct state_writer;

/*
 * Starts the thread.
 *
 * saved: the file's text, or "" where that is not known
 * Returns NULL and sets errno when it cannot be started.
 */
struct state_writer *state_writer_create(const char *saved);

/*
 * Hands a text to the thread, in place of an earlier one that is not being written yet. Does not
 * wait. A failed write is tried again at the next call, and every 5 s.
 */
void state_writer_put(struct state_writer *writer, const char *text);

/* A descriptor that is readable when there is a result to take. */
int state_writer_fd(const struct state_writer *writer);

/* Takes the latest result: as state_file_save() returned it, or 0 before the first. */
int state_writer_result(struct state_writer *writer);

/*
 * Waits until the newest text is on disk, or has failed once more, and ends the thread.
 *
 * Returns the latest result.
 */
int state_writer_destroy(struct state_writer *writer);

#endif
