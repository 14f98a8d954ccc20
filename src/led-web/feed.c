/* SPDX-License-Identifier: MIT */

/* The stream of one page: what has changed since its last event. */

#include "feed.h"

#include <stdio.h>
#include <string.h>

/* FNV-1a: goes on with a checksum, over a text and its end. */
static uint64_t add(uint64_t sum, const char *text)
{
	do
		sum = (sum ^ (unsigned char)*text) * 0x100000001b3ULL;
	while (*text++);
	return sum;
}

static uint64_t checksum(const char *text)
{
	return add(0xcbf29ce484222325ULL, text);
}

uint64_t feed_list(const struct follow *follow)
{
	uint64_t sum = checksum("");
	char text[64];

	for (unsigned i = 0; i < follow->n; i++) {
		const struct followed_led *led = &follow->leds[i];

		snprintf(text, sizeof text, "%s %d %u", led->name, (int)led->kind, led->pulse_ms);
		sum = add(sum, text);
	}
	return sum;
}

/* Tells of one LED if there is something new. */
static bool tell(struct feed *feed, unsigned i, const struct follow *follow, const char *away,
	char event[FEED_EVENT_MAX])
{
	const struct followed_led *led = &follow->leds[i];
	const char *error = element_error(led, away);
	uint64_t why = error ? checksum(error) : 0;
	size_t length;

	if (feed->leds[i].is_sent && feed->leds[i].state == led->state && feed->leds[i].why == why)
		return false;
	feed->leds[i].is_sent = true;
	feed->leds[i].state = led->state;
	feed->leds[i].why = why;
	strcpy(event, "data: ");
	length = strlen(event);
	length += element_write(led, away, event + length);
	strcpy(event + length, "\n\n");
	return true;
}

enum feed_step feed_next(struct feed *feed, const struct follow *follow, const char *away,
	char event[FEED_EVENT_MAX])
{
	if (feed_list(follow) != feed->list)
		return FEED_END;
	if (follow->missing) {
		if (!feed->is_away) {
			feed->is_away = true;
			memset(feed->leds, 0, sizeof feed->leds);
			snprintf(event, FEED_EVENT_MAX, "event: away\ndata: %.*s\n\n",
				FOLLOW_LED_WHY_MAX, *away ? away : "no led-line");
			return FEED_EVENT;
		}
	} else {
		feed->is_away = false;
		for (unsigned i = 0; i < follow->n; i++)
			if (tell(feed, i, follow, away, event))
				return FEED_EVENT;
	}
	if (!feed->comments)
		return FEED_NOTHING;
	feed->comments = false;
	strcpy(event, ":\n\n");
	return FEED_EVENT;
}
