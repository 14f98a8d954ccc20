/* SPDX-License-Identifier: MIT */
#include "inherit.h"
#include "tap.h"

#define NOW 5000000ULL
#define AT 7000ULL

static struct record record;

/* Inherits this record, in all else all zeros. */
static void inherit_as(enum start start, bool was_lit, uint64_t off_at, bool lit, unsigned limit_ms)
{
	record = (struct record){.lit = was_lit, .off_at = off_at, .reorder.set_at = 1};
	inherit_complete(&record, NULL, start, lit, limit_ms, NOW, AT);
}

TEST("the four kinds of start: what the LED begins with")
{
	static const struct {
		enum start start;
		bool was_lit, lit, result;
	} ROWS[] = {
		{START_FRESH, false, false, false},
		{START_FRESH, false, true, true},
		{START_RECORD, false, true, false},
		{START_RECORD, true, false, true},
		{START_KEPT, false, true, true},
		{START_KEPT, true, false, false},
		{START_ADOPTED, false, true, true},
		{START_ADOPTED, true, false, false},
	};

	for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
		inherit_as(ROWS[i].start, ROWS[i].was_lit, 0, ROWS[i].lit, 0);
		CHECK(record.lit == ROWS[i].result && record.off_at == 0);
		/* Times of commands count if the LED shows what they have left. */
		CHECK(record.reorder.set_at == (ROWS[i].was_lit == ROWS[i].result));
	}
}

TEST("a pulse goes on, or has ended meanwhile")
{
	static const struct {
		enum start start;
		uint64_t off_at;
		bool lit; /* the hardware */
		bool result;
		uint64_t result_off_at;
	} ROWS[] = {
		{START_RECORD, NOW + 1, false, true, NOW + 1},
		{START_RECORD, NOW, false, false, 0},
		{START_ADOPTED, NOW + 1, true, true, NOW + 1},
		{START_ADOPTED, NOW, true, true, NOW}, /* for the timer */
		{START_ADOPTED, NOW, false, false, 0},
		{START_ADOPTED, NOW + 1, false, false, 0},
	};

	for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
		bool ended = !ROWS[i].result && ROWS[i].off_at == NOW;

		inherit_as(ROWS[i].start, true, ROWS[i].off_at, ROWS[i].lit, 0);
		CHECK(record.lit == ROWS[i].result && record.off_at == ROWS[i].result_off_at);
		CHECK(record.reorder.ended_at == (ended ? AT : 0));
		CHECK(record.reorder.set_at == (ended || ROWS[i].result));
	}
}

TEST("a limit holds for an LED that is lit without one")
{
	for (enum start start = START_FRESH; start <= START_ADOPTED; start++) {
		inherit_as(start, start != START_FRESH, 0, true, 20);
		CHECK(record.lit && record.off_at == NOW + 20000);
		inherit_as(start, false, 0, false, 20);
		CHECK(!record.lit && record.off_at == 0);
	}
	inherit_as(START_ADOPTED, true, NOW + 1, true, 20);
	CHECK(record.off_at == NOW + 1);
}

TEST("the key of a command that has not set the LED is forgotten, and no other")
{
	static const char FIRST[COMMAND_KEY_MAX + 1] = "first", SECOND[COMMAND_KEY_MAX + 1] = "2nd";

	for (unsigned i = 0; i < 8; i++) {
		bool was_lit = i & 1, lit = i & 2, pending = i & 4;

		record = (struct record){.lit = was_lit};
		record_add_key(&record, FIRST);
		record_add_key(&record, SECOND);
		record.key_pending = pending;
		inherit_complete(&record, NULL, START_ADOPTED, lit, 0, NOW, AT);
		CHECK(record.lit == lit && !record.key_pending && record_has_key(&record, FIRST));
		CHECK(record_has_key(&record, SECOND) == (!pending || lit == was_lit));
	}
}

TEST("the times: those of the record, those before it, or none")
{
	static const struct reorder BEFORE = {.set_at = 5, .newest = 6};
	static const struct {
		bool pending, known, was_lit, lit;
		uint64_t set_at;
	} ROWS[] = {
		/* What was pending has been done. */
		{true, true, true, true, 7},
		{true, false, false, false, 7},
		/* It has not. */
		{true, true, true, false, 5},
		{true, true, false, true, 5},
		/* It has not, and nobody knows what was before: 0.5.0 and older. */
		{true, false, true, false, 0},
		/* Nothing was pending: another program has set the LED. */
		{false, true, true, false, 0},
		{false, true, false, true, 0},
		{false, true, true, true, 7},
	};

	for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
		record = (struct record){.lit = ROWS[i].was_lit, .pending = ROWS[i].pending};
		record.reorder = (struct reorder){.set_at = 7, .newest = 8};
		inherit_complete(&record, ROWS[i].known ? &BEFORE : NULL, START_ADOPTED,
			ROWS[i].lit, 0, NOW, AT);
		CHECK(record.lit == ROWS[i].lit && !record.pending);
		CHECK(record.reorder.set_at == ROWS[i].set_at);
		CHECK(record.reorder.newest == (ROWS[i].set_at ? ROWS[i].set_at + 1 : 0));
	}
}

TEST("a PULSE that was pending when its time passed")
{
	static const char KEYS[][COMMAND_KEY_MAX + 1] = {"key", ""};

	for (enum start start = START_RECORD; start <= START_ADOPTED; start++)
		for (size_t i = 0; i < 2; i++) {
			record = (struct record){.lit = true, .off_at = NOW, .pending = true};
			record_add_key(&record, KEYS[i]);
			inherit_complete(&record, NULL, start, false, 0, NOW, AT);
			/* Where the LED has been there all the time, it was not lit. */
			CHECK(record.reorder.ended_at == (start == START_RECORD ? AT : 0));
			CHECK(record_has_key(&record, KEYS[i]) ==
				(i == 0 && start == START_RECORD));
			CHECK(!record.lit && record.off_at == 0);
		}
}

TAP_MAIN
