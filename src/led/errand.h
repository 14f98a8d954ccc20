/* SPDX-License-Identifier: MIT */
#ifndef ERRAND_H
#define ERRAND_H

/*
 * When led tries again: how each attempt ended comes in, what to do next comes out. No I/O and no
 * clock: times are in microseconds, of any clock that does not go back.
 *
 * A command with a key is carried out once, however often it comes. So where nobody knows what
 * became of it, it is sent again. From then on an ERR is no answer either: it is about the new
 * attempt, and the first may have been carried out.
 */

#include <stdbool.h>
#include <stdint.h>

#include "answer.h"
#include "pause.h"

/* An attempt begins at the latest this long after the first. */
#define ERRAND_RETRY_USEC 5000000ULL

/* Pauses between attempts. */
#define ERRAND_PAUSE_FIRST_USEC 100000
#define ERRAND_PAUSE_LAST_USEC 1000000

/* How an attempt ended. */
enum outcome {
	OUTCOME_ANSWERED,  /* with a line, which says the status */
	OUTCOME_UNREACHED, /* the server does not have the command */
	OUTCOME_UNKNOWN,   /* the server may have it, and has not said a line */
};

/* Begins with errand_begin(). */
struct errand {
	bool has_key;
	bool unknown;    /* an attempt may have been carried out */
	uint64_t begun;  /* when the first attempt began */
	uint64_t try_at; /* when the next one is to begin */
	struct pause pause;
	enum status status; /* once it has ended */
};

/* The first attempt begins. */
void errand_begin(struct errand *errand, bool has_key, uint64_t now);

/*
 * An attempt has ended.
 *
 * status: of its answer, with OUTCOME_ANSWERED
 * Returns true if another one is to be made at try_at, or false if the errand has ended with its
 * status.
 */
bool errand_go_on(struct errand *errand, enum outcome outcome, enum status status, uint64_t now);

#endif
