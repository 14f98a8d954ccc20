/* SPDX-License-Identifier: MIT */
#ifndef STEP_H
#define STEP_H

/* What delivery does next: press-queue.h or position.h says it. */
enum step {
	STEP_REST, /* there is nothing to do, or an attempt runs */
	STEP_WAIT, /* until try_at */
	STEP_SEND, /* the line: an attempt begins */
};

#endif
