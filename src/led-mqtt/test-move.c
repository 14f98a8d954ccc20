/* SPDX-License-Identifier: MIT */
#include "move.h"

#include <stdint.h>

#include "tap.h"

/*
 * What happens: L looked, F found, M found announced, A acknowledged, R refused, D down, K it is
 * known which things there are. What is done: r reduce, a announce, p publish, c clear.
 */
static const struct {
	const char *events, *steps;
} TABLE[] = {
	/* Nothing of before. */
	{"L", "p"},
	{"KL", "p"},
	{"LLAA", "p"},
	{"LDL", "p"},
	{"DL", "p"},
	/* The whole move, and what may happen beside it. */
	{"FK", "r"},
	{"KF", "r"},
	{"KFA", "ra"},
	{"KFAA", "rap"},
	{"KFAAA", "rapc"},
	{"KFAAAA", "rapc"},
	{"KFLALALALA", "rapc"},
	{"KFAAAAAAFML", "rapc"},
	{"KFFMAAAA", "rapc"},
	/* Without the things, it waits. */
	{"FL", ""},
	{"FLAAALKAAAA", "rapc"},
	{"ML", ""},
	/* One that was interrupted. */
	{"KM", "p"},
	{"MKA", "pc"},
	{"KMAA", "pc"},
	{"KFDL", "rp"},
	{"KFDFAAAA", "rrapc"},
	{"KFADMAA", "rapc"},
	{"KFAADMAA", "rappc"},
	{"KFAAADMAA", "rapcpc"},
	{"KFAAADL", "rapcp"},
	{"KFAAAADF", "rapcr"},
	/* A broker that sends it late. */
	{"KLFAAAA", "prapc"},
	{"LFKAAAA", "prapc"},
	{"KLMAA", "ppc"},
	/* What may not be published. */
	{"KFR", "rp"},
	{"KFAR", "rap"},
	{"KFAAR", "rap"},
	{"KFAAAR", "rapc"},
	{"KFRAAAF", "rp"},
	{"KFAARDMAA", "rappc"},
	{"R", ""},
	{"FRKA", "ra"},
	{"LR", "p"},
};

static const char *steps_of(const char *events)
{
	static const char LETTERS[] = "LFMARD";
	static char steps[80];
	struct move move = {0};
	char *p = steps;
	bool known = false;

	for (; *events; events++) {
		enum move_step step;

		if (*events == 'K')
			known = true;
		else
			move_take(&move, (enum move_event)(strchr(LETTERS, *events) - LETTERS));
		while ((step = move_next(&move, known)) != MOVE_NOTHING)
			*p++ = " rapc"[step];
	}
	*p = '\0';
	return steps;
}

TEST("the table of moves")
{
	for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++)
		CHECK_TEXT(steps_of(TABLE[i].events), TABLE[i].steps);
}

/* The broker and Home Assistant, as far as the move goes. */
struct world {
	enum { CLEAR, OLD, REDUCED, ANNOUNCED } retained;
	bool new_messages;
	bool conflict; /* a new message came while the old one was in force */
	bool lost;     /* the old message was cleared with no new messages there */
};

static void carry_out(struct world *world, enum move_step step)
{
	switch (step) {
	case MOVE_REDUCE:
		world->retained = REDUCED;
		break;
	case MOVE_ANNOUNCE:
		world->retained = ANNOUNCED;
		break;
	case MOVE_PUBLISH:
		world->conflict |= world->retained == OLD || world->retained == REDUCED;
		world->new_messages = true;
		break;
	case MOVE_CLEAR:
		world->lost |= !world->new_messages;
		world->retained = CLEAR;
		break;
	case MOVE_NOTHING:
		break;
	}
}

TEST("every order of eight of: a step arrives and is acknowledged, it arrives alone, it is lost, "
     "things are known, what is retained comes")
{
	for (unsigned order = 0; order < 390625 /* 5 to the 8th */; order++) {
		struct world world = {.retained = OLD};
		struct move move = {0};
		enum move_step step = MOVE_NOTHING;
		bool known = false;

		for (unsigned rest = order, i = 0; i < 8; i++, rest /= 5) {
			unsigned event = rest % 5;

			if (event < 2)
				carry_out(&world, step);
			if (event == 0 && step != MOVE_NOTHING)
				move_take(&move, MOVE_ACKNOWLEDGED);
			if (event == 1 || event == 2)
				move_take(&move, MOVE_DOWN);
			if (event == 3)
				known = true;
			if (event == 4 && world.retained != CLEAR)
				move_take(&move, world.retained == ANNOUNCED ? MOVE_FOUND_ANNOUNCED
									     : MOVE_FOUND);
			if (event == 4)
				move_take(&move, MOVE_LOOKED);
			if (event < 3)
				step = MOVE_NOTHING;
			if (step == MOVE_NOTHING)
				step = move_next(&move, known);
		}
		/* From wherever it is, it comes to its end. */
		move_take(&move, MOVE_DOWN);
		if (world.retained != CLEAR)
			move_take(&move,
				world.retained == ANNOUNCED ? MOVE_FOUND_ANNOUNCED : MOVE_FOUND);
		move_take(&move, MOVE_LOOKED);
		while ((step = move_next(&move, true)) != MOVE_NOTHING) {
			carry_out(&world, step);
			move_take(&move, MOVE_ACKNOWLEDGED);
		}
		if (world.retained != CLEAR || !world.new_messages || world.conflict ||
			world.lost || move.state != MOVE_OVER)
			CHECK(order == UINT32_MAX);
	}
}

TEST("new messages may be published when there is no old one any more that counts")
{
	struct move move = {0};

	CHECK(!move_publishes(&move));
	move_take(&move, MOVE_FOUND);
	for (int i = 0; i < 2; i++) {
		CHECK(move_next(&move, true) != MOVE_NOTHING && !move_publishes(&move));
		move_take(&move, MOVE_ACKNOWLEDGED);
	}
	for (int i = 0; i < 2; i++) {
		CHECK(move_next(&move, true) != MOVE_NOTHING && move_publishes(&move));
		move_take(&move, MOVE_ACKNOWLEDGED);
	}
	CHECK(move_next(&move, true) == MOVE_NOTHING && move_publishes(&move));
}

TAP_MAIN
