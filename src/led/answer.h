/* SPDX-License-Identifier: MIT */
#ifndef ANSWER_H
#define ANSWER_H

/* What led prints of a server's answer, and the exit status. No I/O. */

#include <stdbool.h>

#include "command.h"

/* Exit statuses. */
enum status {
	STATUS_DONE = 0,
	STATUS_REFUSED = 1, /* an ERR: it was not carried out, or not for all LEDs */
	STATUS_WRONG = 2,   /* wrong words, which are not sent */
	STATUS_UNKNOWN = 3, /* nobody is there, or nobody knows what became of it */
};

/* Room for what is printed: each word of a list has a newline in place of its blank. */
#define ANSWER_TEXT_MAX (ANSWER_MAX + sizeof "led  ERR \n")

struct answer {
	char output[ANSWER_TEXT_MAX]; /* whole lines, or "" */
	char reason[ANSWER_TEXT_MAX]; /* what is wrong, without a newline, or "" */
	enum status status;
};

/*
 * Says what a line means.
 *
 * watches: it is one of LED WATCH
 * line: without its newline, shorter than ANSWER_MAX; may have any bytes
 */
void answer_read(bool watches, const char *line, struct answer *answer);

#endif
