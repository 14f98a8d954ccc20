/* SPDX-License-Identifier: MIT */
#ifndef STAGE_H
#define STAGE_H

/*
 * What a connection waits for, and for how long. No I/O and no clock: all times are in microseconds
 * of CLOCK_MONOTONIC.
 */

#include <stdbool.h>
#include <stdint.h>

#include "command.h"
#include "follow.h"
#include "result.h"

/* The next request is complete so long after the connection was made, or the last one was done. */
#define STAGE_HEAD_USEC 30000000ULL

/* And the body of a command so long after its headers. */
#define STAGE_BODY_USEC (COMMAND_DEADLINE_MS * 1000ULL)

/*
 * led-line tells its watchers of a change after the client that made it. A client that asks next
 * gets the new state: it has its answer when we know it too, or after this time.
 */
#define STAGE_SETTLES_USEC 50000

enum stage {
	STAGE_HEAD,    /* a request is to come */
	STAGE_BODY,    /* its body is to come */
	STAGE_LEDS,    /* the LEDs are not known yet */
	STAGE_COMMAND, /* led-line has the command */
	STAGE_SETTLES, /* and has answered, but not sent the change to us yet */
	STAGE_ANSWER,  /* a response is being sent */
	STAGE_STREAM,  /* /events */
};

/* When a stage that begins now has lasted for too long. UINT64_MAX: it ends by itself. */
uint64_t stage_due(enum stage stage, uint64_t now);

/*
 * Whether a connection has what it waits for, or may have.
 *
 * follow: what is known of the LEDs now
 * name: of STAGE_SETTLES: the LED of the command; "" for all
 * result: of STAGE_SETTLES: how the command has ended; NULL when memory was short
 */
bool stage_goes_on(enum stage stage, const struct follow *follow, const char *name,
	const struct result *result);

/* Whether a stop waits for it: somebody is to learn what became of a command. */
bool stage_delays_stop(enum stage stage);

#endif
