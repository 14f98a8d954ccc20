/* SPDX-License-Identifier: MIT */
#ifndef BACKLOG_H
#define BACKLOG_H

/*
 * When the bytes that are read from a socket may have come. The kernel knows it of the newest ones
 * alone, see arrival.h. As long as this process reads whenever something comes, the others are as
 * new. If it stood still, they may be as old as the moment when nothing else was unread. No I/O and
 * no clock: all times are in milliseconds of arrival_ms().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the newest bytes are so old when they are read, the process stood still. */
#define BACKLOG_STILL_MS 1000

/* Begins with backlog_start(). */
struct backlog {
	uint64_t since;   /* what is read next has come after this time */
	uint64_t mark_at; /* what is read after so many bytes has come after this time */
	size_t mark;
	uint64_t last; /* what backlog_read() has returned */
	bool still;    /* the process stood still, or chose not to read */
};

/* Nothing has come yet. */
void backlog_start(struct backlog *backlog, uint64_t now);

/* The process stood still, or chooses not to read. */
void backlog_still(struct backlog *backlog);

/*
 * Bytes have been read.
 *
 * n: how many
 * unread: how many are left
 * newest: when the newest bytes came
 * Returns when those that were read may have come.
 */
uint64_t backlog_read(
	struct backlog *backlog, size_t n, size_t unread, uint64_t newest, uint64_t now);

#endif
