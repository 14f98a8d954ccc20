/* SPDX-License-Identifier: MIT */
#ifndef NEWS_H
#define NEWS_H

/*
 * What a watcher is sent next. It gets the state of each LED first, in their order, and then what
 * has changed: the newest state, and none twice in a row.
 */

#include <stdbool.h>
#include <stdint.h>

#include "command.h"

/* What an LED shows. */
enum shown {
	SHOWN_NOTHING, /* not known yet */
	SHOWN_OFF,
	SHOWN_ON,
	SHOWN_TROUBLE, /* its hardware does not work */
};

/* The same, and which reason it is why the hardware does not work: they are counted. */
struct showing {
	enum shown shown;
	unsigned reason;
};

/* All LEDs, as a mask. */
#define NEWS_OF_ALL UINT32_MAX

/* Of one watcher. Begins as all zeros, but for the mask. */
struct news {
	uint32_t mask;                 /* a bit for each LED that it watches, from 1 << 0 on */
	struct showing sent[LEDS_MAX]; /* what it has last been sent of each */
	unsigned next;                 /* the LED whose turn it is */
};

/*
 * Finds the next LED whose state the watcher has to be sent, and takes it as sent. Each has its
 * turn, so that one that changes all the time holds up no other.
 *
 * shown, n: what each LED shows
 * number: set to the LED's, from 0
 * Returns whether there is one.
 */
bool news_next(struct news *news, const struct showing *shown, unsigned n, unsigned *number);

#endif
