/* SPDX-License-Identifier: MIT */

/* How --forget finds out that nothing is retained any more. */

#include "sweep.h"

static void enter(struct sweep *sweep, enum sweep_state state)
{
	sweep->state = state;
	sweep->due_now = true;
}

static void begin_round(struct sweep *sweep, uint64_t now)
{
	enter(sweep, SWEEP_LISTENING);
	sweep->found = 0;
	sweep->marked = false;
	sweep->began = sweep->came = now;
}

void sweep_up(struct sweep *sweep, uint64_t now)
{
	enter(sweep, SWEEP_MARKING);
	sweep->unacknowledged = 0;
}

void sweep_down(struct sweep *sweep, const char *why)
{
	sweep->failures++;
	sweep->state = SWEEP_AWAY;
	if (sweep->failures < SWEEP_FAILURES)
		return;
	sweep->why = why;
	enter(sweep, SWEEP_OVER);
}

bool sweep_found(struct sweep *sweep, bool is_marker, uint64_t now)
{
	if (sweep->state != SWEEP_LISTENING)
		return false;
	sweep->came = now;
	if (now - sweep->began > sweep->longest)
		sweep->longest = now - sweep->began;
	if (is_marker)
		sweep->marked = true;
	else
		sweep->found++;
	return !is_marker;
}

void sweep_published(struct sweep *sweep)
{
	sweep->unacknowledged++;
}

void sweep_acknowledged(struct sweep *sweep, const char *refused, uint64_t now)
{
	if (sweep->unacknowledged > 0)
		sweep->unacknowledged--;
	if (refused)
		sweep->why = refused;
	if (sweep->unacknowledged > 0)
		return;
	if (sweep->state == SWEEP_MARKING && !sweep->due_now)
		begin_round(sweep, now);
	else if (sweep->state == SWEEP_UNMARKING && !sweep->due_now)
		enter(sweep, SWEEP_OVER);
}

static uint64_t quiet_usec(const struct sweep *sweep)
{
	return 2 * sweep->longest > SWEEP_QUIET_USEC ? 2 * sweep->longest : SWEEP_QUIET_USEC;
}

static uint64_t round_ends(const struct sweep *sweep)
{
	uint64_t quiet = sweep->came + quiet_usec(sweep);
	uint64_t marker = sweep->began + SWEEP_MARKER_USEC;

	return sweep->marked || sweep->why || quiet > marker ? quiet : marker;
}

/* Nothing comes any more in this round. */
static void end_round(struct sweep *sweep, uint64_t now)
{
	if (!sweep->marked && !sweep->why)
		sweep->why = "the broker does not send what is retained: topics may be left";
	/* What was refused will be refused again. */
	if (sweep->found > 0 && !sweep->why)
		begin_round(sweep, now);
	else
		enter(sweep, SWEEP_UNMARKING);
}

enum sweep_step sweep_next(struct sweep *sweep, uint64_t now)
{
	static const enum sweep_step STEPS[] = {
		[SWEEP_AWAY] = SWEEP_WAIT,
		[SWEEP_MARKING] = SWEEP_MARK,
		[SWEEP_LISTENING] = SWEEP_SUBSCRIBE,
		[SWEEP_UNMARKING] = SWEEP_UNMARK,
		[SWEEP_OVER] = SWEEP_END,
	};

	if (sweep->state == SWEEP_LISTENING && !sweep->due_now && sweep->unacknowledged == 0 &&
		now >= round_ends(sweep))
		end_round(sweep, now);
	if (!sweep->due_now)
		return SWEEP_WAIT;
	sweep->due_now = false;
	return STEPS[sweep->state];
}

uint64_t sweep_due(const struct sweep *sweep)
{
	return sweep->state == SWEEP_LISTENING && sweep->unacknowledged == 0 ? round_ends(sweep)
									     : UINT64_MAX;
}
