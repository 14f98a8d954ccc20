/* SPDX-License-Identifier: MIT */
#ifndef SESSION_H
#define SESSION_H

/*
 * Connections to a broker, one after the other: which version of MQTT the next one speaks, and when
 * it is made. No I/O and no clock: all times are in microseconds of CLOCK_MONOTONIC.
 */

#include <stdbool.h>
#include <stdint.h>

#include "pause.h"

/* The pauses between two attempts; a random part makes them up to twice as long. */
#define SESSION_PAUSE_FIRST_USEC 1000000ULL
#define SESSION_PAUSE_LAST_USEC 30000000ULL

/* A connection that lasted this long was a good one: the pauses begin anew. */
#define SESSION_GOOD_USEC 5000000ULL

/*
 * Another client with the same ID takes the session over, and this one takes it back: connections
 * end one after the other, each after at most the longest pause of the other one, and the broker is
 * always there.
 */
#define SESSION_TAKEN_USEC (2 * SESSION_PAUSE_LAST_USEC)
#define SESSION_TAKEN 2

enum session_version { SESSION_V5, SESSION_V311 };

/* How a connection ended. */
enum session_end {
	SESSION_UNREACHED, /* it could not be made */
	SESSION_CLOSED,    /* without an answer to CONNECT */
	SESSION_OLD,       /* the broker does not speak this version */
	SESSION_REFUSED,   /* for another reason */
	SESSION_SILENT,    /* the broker did not answer, or acknowledge, or ask, in time */
	SESSION_LOST,      /* after it had been accepted */
};

/* Begins with session_start(). */
struct session {
	enum session_version version; /* of this connection, or the next */
	struct pause pause;
	uint64_t up_since; /* or 0: it has not been accepted */
	unsigned lost;     /* connections in a row that ended soon */
};

/* No connection has been made. */
void session_start(struct session *session);

/* The broker has accepted the connection. */
void session_up(struct session *session, uint64_t now);

/*
 * The connection has ended, or could not be made.
 *
 * random: any number, evenly distributed
 * Returns the pause before the next one, in microseconds; 0 if only the version was wrong.
 */
uint64_t session_end(struct session *session, enum session_end end, uint64_t now, uint32_t random);

/* Whether another client may have the same ID: so many connections in a row ended soon. */
bool session_is_taken(const struct session *session);

/*
 * When to look whether the other side is still there: after so much silence in one direction. A
 * broker waits for half as long again as its keepalive.
 *
 * keepalive: in seconds, not 0
 */
uint64_t session_silence_usec(unsigned keepalive);

#endif
