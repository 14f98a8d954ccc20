/* SPDX-License-Identifier: MIT */

/* What a watcher is sent next. */

#include "news.h"

_Static_assert(LEDS_MAX <= 32, "the mask has a bit for each");

static bool is_the_same(const struct showing *a, const struct showing *b)
{
	return a->shown == b->shown && (a->shown != SHOWN_TROUBLE || a->reason == b->reason);
}

bool news_next(struct news *news, const struct showing *shown, unsigned n, unsigned *number)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned led = (news->next + i) % n;

		if (!(news->mask >> led & 1) || is_the_same(&news->sent[led], &shown[led]))
			continue;
		news->sent[led] = shown[led];
		news->next = (led + 1) % n;
		*number = led;
		return true;
	}
	return false;
}
