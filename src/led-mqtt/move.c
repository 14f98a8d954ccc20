/* SPDX-License-Identifier: MIT */

/* The order of the move from 0.4's message for Home Assistant to one for each thing. */

#include "move.h"

static void enter(struct move *move, enum move_state state)
{
	move->state = state;
	move->due = true;
}

static void take_found(struct move *move, bool announced)
{
	/* A broker may deliver late what has been cleared since. */
	if (move->moved || (move->state != MOVE_LOOKING && move->state != MOVE_OVER))
		return;
	enter(move, MOVE_WAITING);
	move->announced = announced;
}

static void take_acknowledged(struct move *move)
{
	switch (move->state) {
	case MOVE_REDUCING:
		enter(move, MOVE_ANNOUNCING);
		break;
	case MOVE_ANNOUNCING:
		enter(move, MOVE_PUBLISHING);
		break;
	case MOVE_PUBLISHING:
		enter(move, MOVE_CLEARING);
		break;
	case MOVE_CLEARING:
		move->state = MOVE_OVER;
		move->moved = true;
		break;
	case MOVE_LOOKING:
	case MOVE_WAITING:
	case MOVE_OVER:
		break;
	}
}

static void take_refused(struct move *move)
{
	bool is_published = move->state == MOVE_PUBLISHING || move->state == MOVE_CLEARING;

	if (!is_published && move->state != MOVE_REDUCING && move->state != MOVE_ANNOUNCING)
		return;
	/* What is retained now is where the next connection goes on. */
	enter(move, MOVE_OVER);
	move->due = !is_published;
	move->moved = true;
}

void move_take(struct move *move, enum move_event event)
{
	switch (event) {
	case MOVE_LOOKED:
		if (move->state == MOVE_LOOKING)
			enter(move, MOVE_OVER);
		break;
	case MOVE_FOUND:
	case MOVE_FOUND_ANNOUNCED:
		take_found(move, event == MOVE_FOUND_ANNOUNCED);
		break;
	case MOVE_ACKNOWLEDGED:
		if (!move->due)
			take_acknowledged(move);
		break;
	case MOVE_REFUSED:
		take_refused(move);
		break;
	case MOVE_DOWN:
		move->moved = false;
		if (move->state != MOVE_OVER)
			*move = (struct move){0};
		break;
	}
}

enum move_step move_next(struct move *move, bool known)
{
	static const enum move_step STEPS[] = {
		[MOVE_LOOKING] = MOVE_NOTHING,
		[MOVE_WAITING] = MOVE_NOTHING,
		[MOVE_REDUCING] = MOVE_REDUCE,
		[MOVE_ANNOUNCING] = MOVE_ANNOUNCE,
		[MOVE_PUBLISHING] = MOVE_PUBLISH,
		[MOVE_CLEARING] = MOVE_CLEAR,
		[MOVE_OVER] = MOVE_PUBLISH,
	};

	if (move->state == MOVE_WAITING && known)
		enter(move, move->announced ? MOVE_PUBLISHING : MOVE_REDUCING);
	if (!move->due)
		return MOVE_NOTHING;
	move->due = false;
	return STEPS[move->state];
}

bool move_publishes(const struct move *move)
{
	return move->state >= MOVE_PUBLISHING;
}
