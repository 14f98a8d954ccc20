/* SPDX-License-Identifier: MIT */

/* What led-line's LEDs are called and show: its answers in, the LEDs out. */

#include "follow.h"

#include <stdio.h>
#include <string.h>

static const char NO_ANSWER[] = "no answer";

void follow_start(struct follow *follow, uint64_t now)
{
	*follow = (struct follow){.next = now, .missing_at = now + FOLLOW_ANSWER_USEC};
}

static bool may_become_missing(const struct follow *follow)
{
	return follow->state != FOLLOW_FOLLOWING && !follow->missing;
}

uint64_t follow_due(const struct follow *follow)
{
	uint64_t due = follow->state == FOLLOW_FOLLOWING ? UINT64_MAX : follow->next;

	return may_become_missing(follow) && follow->missing_at < due ? follow->missing_at : due;
}

/* Returns whether it has not been missing before. */
static bool become_missing(struct follow *follow)
{
	if (follow->missing)
		return false;
	follow->missing = true;
	for (unsigned i = 0; i < follow->n; i++) {
		follow->leds[i].state = LED_MISSING;
		*follow->leds[i].why = '\0';
	}
	return true;
}

bool follow_end(struct follow *follow, const char *why, uint64_t now)
{
	if (follow->state == FOLLOW_FOLLOWING)
		follow->missing_at = now + FOLLOW_ANSWER_USEC;
	follow->state = FOLLOW_AWAY;
	follow->asks = FOLLOW_NOTHING;
	follow->pause = follow->pause ? 2 * follow->pause : FOLLOW_PAUSE_FIRST_USEC;
	if (follow->pause > FOLLOW_PAUSE_LAST_USEC)
		follow->pause = FOLLOW_PAUSE_LAST_USEC;
	follow->next = now + follow->pause;
	snprintf(follow->why, sizeof follow->why, "%s", why);
	return now >= follow->missing_at && become_missing(follow);
}

bool follow_hang(struct follow *follow, uint64_t now)
{
	if (follow->state == FOLLOW_FOLLOWING)
		follow_end(follow, NO_ANSWER, now);
	return become_missing(follow);
}

bool follow_tick(struct follow *follow, uint64_t now)
{
	if (follow->state == FOLLOW_LISTING && now >= follow->next)
		return follow_end(follow, NO_ANSWER, now);
	if (follow->state == FOLLOW_AWAY && now >= follow->next) {
		follow->state = FOLLOW_LISTING;
		follow->n_listed = 0;
		follow->next = now + FOLLOW_ANSWER_USEC;
	}
	return may_become_missing(follow) && now >= follow->missing_at && become_missing(follow);
}

static struct followed_led *find(struct followed_led *leds, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(leds[i].name, name) == 0)
			return &leds[i];
	return NULL;
}

/* Reads "OK LED ON", "OK LED kitchen OFF" or "ERR kitchen: reason". Returns whether it is one. */
static bool read_line(const char *line, struct followed_led *led)
{
	static const char OK[] = "OK LED ", ERR[] = "ERR ";
	const char *name;
	size_t length;

	*led = (struct followed_led){0};
	if (strncmp(line, ERR, strlen(ERR)) == 0) {
		name = line + strlen(ERR);
		led->state = LED_MISSING;
		length = strcspn(name, ":");
		if (!name[length] || !command_read_name(name, length, led->name))
			return false;
		name += length + 1;
		snprintf(led->why, sizeof led->why, "%s", name + strspn(name, " "));
		return true;
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

static void take_state(struct followed_led *known, const struct followed_led *led)
{
	known->state = led->state;
	memcpy(known->why, led->why, sizeof known->why);
}

bool follow_line(struct follow *follow, const char *line, uint64_t now)
{
	struct followed_led led, *known;

	if (!read_line(line, &led))
		return follow_end(follow, line, now);
	if (follow->state == FOLLOW_FOLLOWING) {
		known = find(follow->leds, follow->n, led.name);
		if (known)
			take_state(known, &led);
		return known;
	}
	/* Until the list is there, these may be some of the LEDs only. */
	if (follow->asks == FOLLOW_NOTHING)
		follow->asks = FOLLOW_LIST;
	known = find(follow->listed, follow->n_listed, led.name);
	if (known)
		take_state(known, &led);
	else if (follow->asks == FOLLOW_LIST && follow->n_listed < LEDS_MAX)
		follow->listed[follow->n_listed++] = led;
	return false;
}

/* Takes the LEDs that are in the list, in its order: "OK LED LIST led=ON pump=ERR". */
static bool take_list(struct follow *follow, const char *line)
{
	static const char START[] = "OK LED LIST ";
	struct followed_led leds[LEDS_MAX] = {0};
	const char *word = line + strlen(START);
	unsigned n = 0;

	if (strncmp(line, START, strlen(START)) != 0)
		return false;
	for (; *word && n < LEDS_MAX; n++) {
		const struct followed_led *known;
		struct followed_led led = {.state = LED_UNKNOWN};

		if (!command_read_name(word, strcspn(word, "= "), led.name))
			return false;
		known = find(follow->listed, follow->n_listed, led.name);
		leds[n] = known ? *known : led;
		word += strcspn(word, " ");
		word += *word == ' ';
	}
	memcpy(follow->listed, leds, n * sizeof *leds);
	follow->n_listed = n;
	return true;
}

/* Takes what they are: the answer of kinds.h. Of an older led-line, all are lights. */
static bool take_kinds(struct follow *follow, const char *line)
{
	static const char OLD[] = "ERR unknown command";
	struct kinds kinds;

	if (!kinds_read(line, &kinds) && strncmp(line, OLD, strlen(OLD)) != 0)
		return false;
	for (unsigned i = 0; i < kinds.n; i++) {
		const struct led_kind *its = &kinds.leds[i];
		struct followed_led *led = find(follow->listed, follow->n_listed, its->name);

		if (led) {
			led->kind = its->kind;
			led->pulse_ms = its->pulse_ms;
		}
	}
	follow->unsure = kinds_are_uncertain(&kinds);
	return true;
}

bool follow_answer(struct follow *follow, const char *line, uint64_t now)
{
	if (follow->asks == FOLLOW_LIST && take_list(follow, line)) {
		follow->asks = FOLLOW_KINDS;
		return false;
	}
	if (follow->asks != FOLLOW_KINDS || !take_kinds(follow, line))
		return follow_end(follow, line, now);
	memcpy(follow->leds, follow->listed, follow->n_listed * sizeof *follow->leds);
	follow->n = follow->n_listed;
	follow->state = FOLLOW_FOLLOWING;
	follow->asks = FOLLOW_NOTHING;
	follow->missing = false;
	follow->pause = 0;
	*follow->why = '\0';
	return true;
}

const struct followed_led *follow_find(const struct follow *follow, const char *name)
{
	for (unsigned i = 0; i < follow->n; i++)
		if (strcmp(follow->leds[i].name, name) == 0)
			return &follow->leds[i];
	return NULL;
}

bool followed_is_momentary(const struct followed_led *led)
{
	return kind_is_momentary(led->kind, led->pulse_ms);
}
