/* SPDX-License-Identifier: MIT */
#ifndef STATE_FILE_H
#define STATE_FILE_H

/* The state that the last command left, in a file that a reboot does not lose. */

#include <stdbool.h>

/*
 * The file's path: "last" in the state directory that the service manager names in
 * $STATE_DIRECTORY (systemd.exec(5)), else in /var/lib/led. A constant buffer.
 */
const char *state_file_path(void);

/*
 * Reads the state.
 *
 * Returns 1 or 0, or a negative errno: -ENOENT where there never was one, -EBADMSG
 * for a file that says something else.
 */
int state_file_load(void);

/*
 * Writes the state, and returns when the disk has it. Whatever happens meanwhile, a power cut
 * too, the file is the old one or the new one whole.
 *
 * Returns 0 or a negative errno.
 */
int state_file_save(bool lit);

/* Writes the file in a thread of its own, so that nobody has to wait for the disk. */
struct state_writer;

/*
 * Starts the thread.
 *
 * saved: what the file says already, as from state_file_load(); negative where that is not known
 * Returns NULL and sets errno when it cannot be started.
 */
struct state_writer *state_writer_create(int saved);

/*
 * Hands a state to the thread, in place of an earlier one that is not being written yet. Does not
 * wait. A failed write is tried again at the next call, and every 5 s.
 */
void state_writer_put(struct state_writer *writer, bool lit);

/* A descriptor that is readable when there is a result to take. */
int state_writer_fd(const struct state_writer *writer);

/* Takes the latest result: as state_file_save() returned it, or 0 before the first. */
int state_writer_result(struct state_writer *writer);

/*
 * Waits until the newest state is on disk, or has failed once more, and ends the thread.
 *
 * Returns the latest result.
 */
int state_writer_destroy(struct state_writer *writer);

#endif
