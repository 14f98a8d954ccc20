/* SPDX-License-Identifier: MIT */
#ifndef RECORD_FILE_H
#define RECORD_FILE_H

/*
 * Keeps a record in a small file in memory, which the service manager keeps over a crash and a
 * restart: store.h.
 */

#include "record.h"

struct record_file {
	int fd; /* for the store; -1 where there is no file */
	struct record_content *content;
};

/* A file that is not there. */
#define RECORD_FILE_NONE ((struct record_file){.fd = -1})

/*
 * Creates a file, without a record in it.
 *
 * Returns 0, or a negative errno, and the file is not there.
 */
int record_file_create(struct record_file *file);

/*
 * Opens a file that an earlier process has left.
 *
 * fd: becomes the file's, unless it fails
 * Returns 0 or a negative errno.
 */
int record_file_open(struct record_file *file, int fd);

/*
 * Writes the record. Whenever the process is killed, the file has the old one or the new one.
 * Nothing is done where the file is not there.
 */
void record_file_write(struct record_file *file, const struct record *record);

/*
 * Writes a record whose command is pending, in the same way.
 *
 * before: the times of the commands before it
 */
void record_file_write_pending(
	struct record_file *file, const struct record *record, const struct reorder *before);

/*
 * The times of the commands before the one that is pending in the file's record; NULL where the
 * file is not there.
 */
const struct reorder *record_file_before(const struct record_file *file);

/*
 * Reads the record. From a file of another format, it takes only the state: "on" or "off" and a
 * newline, which is all that 0.1.0 writes.
 *
 * Returns 0, or a negative errno: -EBADMSG for any other file.
 */
int record_file_read(int fd, struct record *record);

void record_file_close(struct record_file *file);

#endif
