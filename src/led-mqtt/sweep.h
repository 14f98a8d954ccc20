/* SPDX-License-Identifier: MIT */
#ifndef SWEEP_H
#define SWEEP_H

/*
 * How --forget finds out that nothing is retained any more. It leaves a message of its own, the
 * marker, and subscribes. What comes is cleared. A broker may send what is retained late and in any
 * order, so it goes on until nothing but the marker has come after a subscription. A broker that
 * does not send the marker does not send others either. No I/O and no clock: all times are in
 * microseconds of CLOCK_MONOTONIC.
 */

#include <stdbool.h>
#include <stdint.h>

/* A round is over when nothing has come for so long, or for twice the longest wait so far. */
#define SWEEP_QUIET_USEC 2000000ULL

/* The marker has so long to come. */
#define SWEEP_MARKER_USEC 10000000ULL

/* Connections that may fail: a broker without MQTT 5 may end the first without an answer. */
#define SWEEP_FAILURES 2

enum sweep_state {
	SWEEP_AWAY,
	SWEEP_MARKING,   /* the marker is on its way to the broker */
	SWEEP_LISTENING, /* there is a subscription */
	SWEEP_UNMARKING, /* the marker is being cleared */
	SWEEP_OVER,
};

enum sweep_step {
	SWEEP_WAIT,
	SWEEP_MARK,      /* publish the marker */
	SWEEP_SUBSCRIBE, /* subscribe, anew */
	SWEEP_UNMARK,    /* clear the marker */
	SWEEP_END,       /* all is done, or why says what is wrong */
};

/* Begins as all zeros. */
struct sweep {
	enum sweep_state state;
	bool due_now;            /* the state's step has not been made */
	unsigned failures;       /* of connections */
	unsigned unacknowledged; /* messages */
	unsigned found;          /* in this round */
	bool marked;             /* the marker has come in this round */
	uint64_t began;          /* this round */
	uint64_t came;           /* the last message, or the subscription */
	uint64_t longest;        /* from a subscription to a message */
	const char *why;         /* what went wrong, or NULL; a constant */
};

/* There is a connection; or there is none. why: a text that stays */
void sweep_up(struct sweep *sweep, uint64_t now);
void sweep_down(struct sweep *sweep, const char *why);

/*
 * A message has come that was retained.
 *
 * is_marker: it is the marker
 * Returns whether its topic is to be cleared.
 */
bool sweep_found(struct sweep *sweep, bool is_marker, uint64_t now);

/* A message is on its way to the broker; or the broker has it. refused: why not, or NULL */
void sweep_published(struct sweep *sweep);
void sweep_acknowledged(struct sweep *sweep, const char *refused, uint64_t now);

/* Says what to do next. To be called after all of these, and at sweep_due(), until it says wait. */
enum sweep_step sweep_next(struct sweep *sweep, uint64_t now);

/* When sweep_next() is to be called; UINT64_MAX for never. */
uint64_t sweep_due(const struct sweep *sweep);

#endif
