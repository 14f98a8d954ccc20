/* SPDX-License-Identifier: MIT */
#include "follower.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "exchange.h"
#include "timer.h"

/* The pause between two attempts doubles each time, from the first value to the last. */
#define PAUSE_FIRST_USEC 100000ULL
#define PAUSE_LAST_USEC 12800000ULL
#define ACCURACY_USEC 50000

/* When the pause has become this long, the LEDs count as missing: a restart is over before. */
#define MISSING_USEC 1600000ULL

struct follower {
	sd_event *event;
	const struct address *line;
	follower_changed changed;
	void *userdata;
	struct followed_led leds[LEDS_MAX];
	unsigned n;
	struct exchange watch; /* LED WATCH */
	struct exchange list;  /* LED LIST: which LEDs of before are no more */
	sd_event_source *timer;
	uint64_t pause_usec;
	char trouble[ADDRESS_TEXT_MAX + 128];
};

static void again_later(struct follower *follower, const char *why)
{
	char line[ADDRESS_TEXT_MAX], trouble[sizeof follower->trouble];

	exchange_close(&follower->watch);
	exchange_close(&follower->list);
	follower->pause_usec = follower->pause_usec ? 2 * follower->pause_usec : PAUSE_FIRST_USEC;
	if (follower->pause_usec > PAUSE_LAST_USEC)
		follower->pause_usec = PAUSE_LAST_USEC;
	timer_start(follower->timer, follower->pause_usec);
	if (follower->pause_usec < MISSING_USEC)
		return;
	for (unsigned i = 0; i < follower->n; i++)
		follower->leds[i].state = LED_MISSING;
	snprintf(trouble, sizeof trouble, "no led-line at %s: %s",
		address_text(follower->line, line), why);
	if (strcmp(trouble, follower->trouble) != 0)
		syslog(LOG_NOTICE, "%s", trouble);
	strcpy(follower->trouble, trouble);
	follower->changed(follower->userdata);
}

static struct followed_led *find(struct follower *follower, const char *name)
{
	for (unsigned i = 0; i < follower->n; i++)
		if (strcmp(follower->leds[i].name, name) == 0)
			return &follower->leds[i];
	return NULL;
}

static void start(struct follower *follower)
{
	exchange_open(&follower->watch, follower->event, follower->line, "LED WATCH\n");
}

/* Reads "OK LED ON", "OK LED kitchen OFF" or "ERR kitchen: reason". Returns whether it is one. */
static bool read_line(const char *line, struct followed_led *led)
{
	static const char OK[] = "OK LED ", ERR[] = "ERR ";
	const char *name;
	size_t length;

	if (strncmp(line, ERR, strlen(ERR)) == 0) {
		name = line + strlen(ERR);
		led->state = LED_MISSING;
		length = strcspn(name, ":");
		return name[length] && command_read_name(name, length, led->name);
	}
	if (strncmp(line, OK, strlen(OK)) != 0)
		return false;
	name = line + strlen(OK);
	length = strcspn(name, " ");
	strcpy(led->name, "led");
	if (command_read_name(name, length, led->name))
		name += name[length] ? length + 1 : length;
	led->state = strcmp(name, "ON") == 0 ? LED_ON : LED_OFF;
	return led->state == LED_ON || strcmp(name, "OFF") == 0;
}

static bool on_watch_line(void *userdata, char *line)
{
	struct follower *follower = userdata;
	struct followed_led led, *known;
	bool is_first = !follower->list.io && follower->pause_usec > 0;

	if (!read_line(line, &led)) {
		again_later(follower, line);
		return false;
	}
	known = find(follower, led.name);
	if (!known && follower->n < LEDS_MAX)
		known = &follower->leds[follower->n++];
	if (known)
		*known = led;
	/* Until the list is there, these may be some of the LEDs only. */
	if (known && follower->pause_usec == 0)
		follower->changed(follower->userdata);
	if (is_first)
		exchange_open(&follower->list, follower->event, follower->line, "LED LIST\n");
	/* That may have failed, and have closed this one. */
	return follower->watch.io;
}

/* Takes the LEDs that are in the list, in its order: "OK LED LIST led=ON pump=ERR". */
static bool take_list(struct follower *follower, char *line)
{
	static const char START[] = "OK LED LIST ";
	struct followed_led leds[LEDS_MAX] = {0};
	char *rest = line + strlen(START), *word;
	unsigned n = 0;

	if (strncmp(line, START, strlen(START)) != 0)
		return false;
	while ((word = strsep(&rest, " ")) && n < LEDS_MAX) {
		const struct followed_led *known;
		struct followed_led led = {.state = LED_UNKNOWN};

		if (!command_read_name(word, strcspn(word, "="), led.name))
			return false;
		known = find(follower, led.name);
		leds[n++] = known ? *known : led;
	}
	memcpy(follower->leds, leds, n * sizeof *leds);
	follower->n = n;
	return true;
}

static bool on_list_line(void *userdata, char *line)
{
	struct follower *follower = userdata;

	if (!take_list(follower, line)) {
		again_later(follower, line);
		return false;
	}
	exchange_close(&follower->list);
	follower->pause_usec = 0;
	*follower->trouble = '\0';
	follower->changed(follower->userdata);
	return false;
}

static void on_ended(void *userdata, const char *why, bool sent)
{
	(void)sent;
	again_later(userdata, why);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	start(userdata);
	return 0;
}

struct follower *follower_create(
	sd_event *event, const struct address *line, follower_changed changed, void *userdata)
{
	struct follower *follower = calloc(1, sizeof *follower);

	if (!follower)
		return NULL;
	follower->event = sd_event_ref(event);
	follower->line = line;
	follower->changed = changed;
	follower->userdata = userdata;
	follower->pause_usec = PAUSE_FIRST_USEC;
	follower->watch =
		(struct exchange){.taken = on_watch_line, .ended = on_ended, .userdata = follower};
	follower->list =
		(struct exchange){.taken = on_list_line, .ended = on_ended, .userdata = follower};
	if (timer_add(event, &follower->timer, ACCURACY_USEC, on_timer, follower) < 0) {
		follower_destroy(follower);
		return NULL;
	}
	timer_start(follower->timer, 0);
	return follower;
}

unsigned follower_leds(const struct follower *follower, const struct followed_led **leds)
{
	*leds = follower->leds;
	return follower->n;
}

const char *follower_trouble(const struct follower *follower)
{
	return follower->trouble;
}

void follower_destroy(struct follower *follower)
{
	if (!follower)
		return;
	exchange_close(&follower->watch);
	exchange_close(&follower->list);
	sd_event_source_disable_unref(follower->timer);
	sd_event_unref(follower->event);
	free(follower);
}
