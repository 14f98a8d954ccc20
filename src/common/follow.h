/* SPDX-License-Identifier: MIT */
#ifndef FOLLOW_H
#define FOLLOW_H

/*
 * What led-line's LEDs are called and show, by its answers to LED WATCH, LED LIST and LED LIST
 * KINDS. No I/O and no clock: follower.h has them. All times are in microseconds of
 * CLOCK_MONOTONIC.
 */

#include <stdbool.h>
#include <stdint.h>

#include "command.h"
#include "kinds.h"

/* led-line has this long for what it is asked, and to come back after LED WATCH has ended. */
#define FOLLOW_ANSWER_USEC 2000000ULL

/* The pause between two attempts doubles each time, from the first value to the last. */
#define FOLLOW_PAUSE_FIRST_USEC 100000ULL
#define FOLLOW_PAUSE_LAST_USEC 12800000ULL

/* Room for a reason. */
#define FOLLOW_WHY_MAX 128

/* Room for the reason why an LED does not work, which is cut off. */
#define FOLLOW_LED_WHY_MAX 256

enum led_state { LED_UNKNOWN, LED_OFF, LED_ON, LED_MISSING /* its hardware or led-line is */ };

struct followed_led {
	char name[COMMAND_NAME_MAX + 1]; /* of one without a name: "led" */
	enum led_state state;
	enum kind kind;
	unsigned pulse_ms;            /* whatever lights it, it goes out so much later; or 0 */
	char why[FOLLOW_LED_WHY_MAX]; /* led-line's reason for LED_MISSING, if it is not away */
};

enum follow_question {
	FOLLOW_NOTHING,
	FOLLOW_LIST,  /* LED LIST */
	FOLLOW_KINDS, /* LED LIST KINDS */
};

enum follow_state {
	FOLLOW_AWAY,      /* it is asked again after a pause */
	FOLLOW_LISTING,   /* it has been asked for LED WATCH, and then for what is in asks */
	FOLLOW_FOLLOWING, /* all LEDs are known, and each change is a line of LED WATCH */
};

/* Begins with follow_start(). */
struct follow {
	enum follow_state state;
	enum follow_question asks;                            /* beside LED WATCH */
	struct followed_led leds[LEDS_MAX], listed[LEDS_MAX]; /* listed: by this attempt, so far */
	unsigned n, n_listed;     /* leds stay while led-line is away; 0 until it was there */
	bool unsure;              /* one of leds is KIND_UNKNOWN, or one was left out */
	bool missing;             /* led-line has been away for too long */
	char why[FOLLOW_WHY_MAX]; /* why the last attempt failed, or "" */
	uint64_t pause;
	uint64_t next;       /* the next attempt, or the end of this one */
	uint64_t missing_at; /* when led-line counts as missing */
};

/* Begins: the first follow_tick() makes an attempt. */
void follow_start(struct follow *follow, uint64_t now);

/* When follow_tick() is to be called; UINT64_MAX for never. */
uint64_t follow_due(const struct follow *follow);

/*
 * These say what has happened. Each returns whether LEDs have come or gone or have another state,
 * or led-line has become missing or has come back.
 *
 * follow_tick: follow_due() is over
 * follow_line: a line of LED WATCH
 * follow_answer: the line that answers what is in asks
 * follow_end: a connection has ended; why, for people
 * follow_hang: led-line has not answered a command for FOLLOW_ANSWER_USEC
 */
bool follow_tick(struct follow *follow, uint64_t now);
bool follow_line(struct follow *follow, const char *line, uint64_t now);
bool follow_answer(struct follow *follow, const char *line, uint64_t now);
bool follow_end(struct follow *follow, const char *why, uint64_t now);
bool follow_hang(struct follow *follow, uint64_t now);

/* Returns the LED of a name among those that are known, or NULL. */
const struct followed_led *follow_find(const struct follow *follow, const char *name);

/*
 * Whether an LED is momentary, such as a door opener: commands that are for every LED pass over it,
 * except OFF.
 */
bool followed_is_momentary(const struct followed_led *led);

#endif
