/* SPDX-License-Identifier: MIT */
#ifndef SAVING_H
#define SAVING_H

/*
 * When the state file is written: one write at a time, always of the newest text, and none of what
 * it says already.
 */

#include <stdbool.h>

#include "state-file.h"

/* Begins as all zeros, but for saved. */
struct saving {
	char saved[STATE_FILE_MAX];   /* what the file says, or "" where that is not known */
	char wanted[STATE_FILE_MAX];  /* the newest text, or "" before the first */
	char writing[STATE_FILE_MAX]; /* what is being written */
	bool busy;                    /* it is */
	bool asked;                   /* wanted has not been looked at yet */
	unsigned awaited;             /* writes that saving_is_flushed() waits for */
};

/* Takes a new text. */
void saving_put(struct saving *saving, const char *text);

/* Tries the newest text again, after a failure. */
void saving_retry(struct saving *saving);

/* Returns whether to write saving->writing now: saving_end() has to follow. */
bool saving_begin(struct saving *saving);

/* It has been written. result: 0 or a negative errno; it is not tried again by itself */
void saving_end(struct saving *saving, int result);

/* Has saving_is_flushed() wait for what is wanted now. */
void saving_flush(struct saving *saving);

/*
 * Whether what was wanted at saving_flush() is in the file, or could not be written. What has come
 * since may wait.
 */
bool saving_is_flushed(const struct saving *saving);

/* Whether there is nothing to write, and nothing is being written. */
bool saving_is_done(const struct saving *saving);

#endif
