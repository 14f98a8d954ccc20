/* SPDX-License-Identifier: MIT */
#ifndef SAVER_H
#define SAVER_H

/* Writes the state file in a thread, so that nobody has to wait for the disk. */

#include <stdbool.h>
#include <systemd/sd-event.h>

struct saver;

/*
 * Creates a saver. It logs whether the file can be written, once for each reason.
 *
 * saved: the file's text, or "" where that is not known
 * Returns NULL when memory is short.
 */
struct saver *saver_create(sd_event *event, const char *saved);

/* Has a text written as soon as possible. A failed write is tried again every 5 s. */
void saver_put(struct saver *saver, const char *text);

/* Whether the latest write has failed. */
bool saver_has_failed(const struct saver *saver);

/*
 * Has a function called as soon as the newest text is on the disk, or has failed once more; at
 * once, if that is so already.
 */
void saver_flush(struct saver *saver, void (*flushed)(void *userdata), void *userdata);

/* Whether there is nothing to write, and nothing is being written. */
bool saver_is_done(const struct saver *saver);

/* Waits for nothing: saver_flush() comes first. */
void saver_destroy(struct saver *saver);

#endif
