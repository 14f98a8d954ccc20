/* SPDX-License-Identifier: MIT */
#include "inherit.h"
#include "tap.h"
#include "transition.h"

#define MS 1000ULL

/* A led-line that can be killed, its LED, and what the LED has to show. */
struct machine {
	uint64_t now; /* in milliseconds, of every clock */
	unsigned limit_ms;
	struct record file; /* what outlives it */
	struct reorder before;
	struct record record;
	bool lit;
};

static struct request request_of(enum verb verb, unsigned ms, const char *key, uint64_t at)
{
	struct request request = {.verb = verb, .pulse_ms = ms, .at = at};

	strcpy(request.key, key);
	return request;
}

static void write_record(struct machine *machine, const struct record *record)
{
	machine->file = machine->record = *record;
}

/* The timer of a pulse. */
static void tick(struct machine *machine)
{
	if (!transition_is_overdue(&machine->record, machine->now * MS))
		return;
	machine->lit = false;
	transition_end_pulse(&machine->record, machine->now);
	write_record(machine, &machine->record);
}

/* Where led-line is killed, in the order of what it does for a command. */
enum kill { KILLED_BEFORE, KILLED_PENDING, KILLED_SET, KILLED_DONE, KILLS };

/* Carries out a command, as holder.c does it, until it is killed. */
static void carry_out(struct machine *machine, const struct request *request, enum kill kill)
{
	struct transition transition;

	if (kill == KILLED_BEFORE || transition_judge(&machine->record, request) != JUDGEMENT_MAKE)
		return;
	transition_make(&machine->record, request, machine->lit, machine->limit_ms,
		machine->now * MS, &transition);
	if (transition.set) {
		machine->before = machine->record.reorder;
		write_record(machine, &transition.pending);
		if (kill == KILLED_PENDING)
			return;
		machine->lit = transition.pending.lit;
		if (kill == KILLED_SET)
			return;
	}
	write_record(machine, &transition.done);
}

/* The next led-line starts. */
static void start(struct machine *machine, enum start kind)
{
	struct record record = machine->file;

	inherit_complete(&record, &machine->before, kind, machine->lit, machine->limit_ms,
		machine->now * MS, machine->now);
	if (kind == START_RECORD)
		machine->lit = record.lit;
	write_record(machine, &record);
	CHECK(record.lit == machine->lit && !record.key_pending && !record.pending);
	CHECK(record.lit || record.off_at == 0);
	tick(machine);
}

/* What an LED has to show, without a record, a key or a kill. */
struct ideal {
	bool lit;
	uint64_t off_at; /* or 0 */
};

static void ideal_carry_out(
	struct ideal *ideal, const struct request *request, unsigned limit_ms, uint64_t now)
{
	unsigned ms = request->verb == VERB_PULSE ? request->pulse_ms : 0;

	ideal->lit = request->verb == VERB_TOGGLE ? !ideal->lit : request->verb != VERB_OFF;
	if (limit_ms && (ms == 0 || limit_ms < ms))
		ms = limit_ms;
	ideal->off_at = ideal->lit && ms ? now + ms : 0;
}

static void ideal_tick(struct ideal *ideal, uint64_t now)
{
	if (ideal->off_at && ideal->off_at <= now)
		*ideal = (struct ideal){0};
}

static void pass_time(struct machine *machine, struct ideal *ideal, uint64_t ms)
{
	machine->now += ms;
	tick(machine);
	ideal_tick(ideal, machine->now);
}

static const struct word {
	enum verb verb;
	unsigned ms;
	bool has_key;
} WORDS[] = {
	{VERB_ON, 0, false},
	{VERB_OFF, 0, false},
	{VERB_TOGGLE, 0, true},
	{VERB_PULSE, 500, true},
	{VERB_PULSE, 30, true},
	{VERB_PULSE, 500, false},
};

#define N_WORDS (sizeof WORDS / sizeof *WORDS)

static struct request word(unsigned number, unsigned place, uint64_t at)
{
	const char key[2] = {(char)('a' + place), '\0'};

	return request_of(
		WORDS[number].verb, WORDS[number].ms, WORDS[number].has_key ? key : "", at);
}

struct plan {
	unsigned words[3]; /* the last is killed */
	unsigned limit_ms;
	uint64_t pause_ms; /* between two commands */
	enum kill kill;
	enum start start;
	uint64_t away_ms; /* until the next led-line */
};

static void explain(const struct plan *plan)
{
	printf("# words %u %u %u, limit %u, pause %u, kill %u, start %u, away %u\n", plan->words[0],
		plan->words[1], plan->words[2], plan->limit_ms, (unsigned)plan->pause_ms,
		(unsigned)plan->kill, (unsigned)plan->start, (unsigned)plan->away_ms);
}

static void check_plan(const struct plan *plan)
{
	struct machine machine = {.now = 100000, .limit_ms = plan->limit_ms};
	struct ideal before, after = {0};
	struct request last;
	bool known, failed = tap_failed;

	tap_failed = false;
	for (unsigned i = 0; i < 3; i++) {
		last = word(plan->words[i], i, machine.now);
		before = after;
		ideal_carry_out(&after, &last, plan->limit_ms, machine.now);
		if (i == 2)
			break;
		carry_out(&machine, &last, KILLED_DONE);
		CHECK(machine.lit == after.lit && machine.record.lit == after.lit);
		CHECK(machine.record.off_at == after.off_at * MS);
		pass_time(&machine, &after, plan->pause_ms);
		CHECK(machine.lit == after.lit);
	}
	carry_out(&machine, &last, plan->kill);

	machine.now += plan->away_ms;
	start(&machine, plan->start);
	ideal_tick(&before, machine.now);
	ideal_tick(&after, machine.now);
	known = record_has_key(&machine.record, last.key);
	/* All of it was done, and is known, or nothing. */
	if (*last.key)
		CHECK(machine.lit == (known ? after.lit : before.lit));
	if (plan->kill == KILLED_DONE)
		CHECK(machine.lit == after.lit && known == WORDS[plan->words[2]].has_key);
	if (plan->kill == KILLED_BEFORE)
		CHECK(machine.lit == before.lit && !known);
	/* Nothing stays lit that would not have stayed so. */
	if (machine.lit && machine.record.off_at == 0)
		CHECK((after.lit && !after.off_at) || (before.lit && !before.off_at));

	/* Its sender sends it again. */
	last.at = machine.now;
	carry_out(&machine, &last, KILLED_DONE);
	if (!known)
		ideal_carry_out(&before, &last, plan->limit_ms, machine.now);
	else
		before = after;
	CHECK(machine.lit == before.lit);
	CHECK(machine.record.off_at == before.off_at * MS);
	pass_time(&machine, &before, 1000);
	CHECK(machine.lit == before.lit && machine.record.lit == before.lit);
	if (tap_failed)
		explain(plan);
	tap_failed |= failed;
}

TEST("killed at any point of any sequence, a command is done once, and no pulse stays")
{
	static const unsigned LIMITS[] = {0, 100};
	static const uint64_t PAUSES[] = {0, 50};
	static const uint64_t AWAYS[] = {1, 60, 1000};
	static const enum start STARTS[] = {START_RECORD, START_KEPT, START_ADOPTED};
	unsigned count = 0;

	for (unsigned i = 0; i < N_WORDS * N_WORDS * N_WORDS; i++)
		for (unsigned j = 0; j < 2 * 2 * 3 * 3; j++)
			for (enum kill kill = KILLED_BEFORE; kill < KILLS; kill++) {
				const struct plan plan = {
					.words = {i % N_WORDS, i / N_WORDS % N_WORDS,
						i / N_WORDS / N_WORDS},
					.limit_ms = LIMITS[j % 2],
					.pause_ms = PAUSES[j / 2 % 2],
					.kill = kill,
					.start = STARTS[j / 4 % 3],
					.away_ms = AWAYS[j / 12],
				};

				check_plan(&plan);
				count++;
			}
	CHECK(count == 6 * 6 * 6 * 36 * 4);
}

/* What an LED shows after commands in the order of their times, of which one may be left out. */
static struct ideal replay(const struct request *const requests[3], bool without_last)
{
	struct ideal ideal = {0};

	for (unsigned i = 0; i < 3; i++) {
		ideal_tick(&ideal, requests[i]->at);
		if (i < 2 || !without_last)
			ideal_carry_out(&ideal, requests[i], 0, requests[i]->at);
	}
	return ideal;
}

static bool is_same(const struct ideal *a, const struct ideal *b)
{
	return a->lit == b->lit && a->off_at == b->off_at;
}

/*
 * Two commands, the second of which is killed, and after the start an older one: it has the effect
 * that it would have had in time, where the second was carried out, and where it was not.
 */
static void check_late(unsigned first, unsigned killed, unsigned late, bool oldest, enum kill kill,
	enum start kind)
{
	struct machine machine = {.now = 100000};
	const struct request a = word(first, 0, machine.now);
	const struct request b = word(killed, 1, machine.now + 100);
	const struct request c = word(late, 2, machine.now + (oldest ? -50 : 50));
	const struct request *const in_time[] = {oldest ? &c : &a, oldest ? &a : &c, &b};
	bool fits = false;

	carry_out(&machine, &a, KILLED_DONE);
	machine.now += 100;
	carry_out(&machine, &b, kill);
	machine.now++;
	start(&machine, kind);
	if (*b.key && kill == KILLED_DONE)
		CHECK(record_has_key(&machine.record, b.key));
	for (unsigned without = 0; without < 2; without++) {
		const struct request nothing = request_of(VERB_OFF, 0, "", 0);
		const struct request *const shown[] = {&nothing, &a, &b};
		struct ideal before = replay(shown, without), after = replay(in_time, without);
		struct machine next = machine;

		/* Whether this can be what has happened. */
		if (before.lit != machine.lit || (kill == KILLED_BEFORE && !without) ||
			(kill == KILLED_DONE && without) ||
			(*b.key && record_has_key(&machine.record, b.key) == without))
			continue;
		carry_out(&next, &c, KILLED_DONE);
		fits |= is_same(&after, &(struct ideal){next.lit, next.record.off_at / MS});
	}
	CHECK(fits);
	if (!fits)
		printf("# %u, %u killed at %u, start %u, late %u, %s\n", first, killed,
			(unsigned)kill, (unsigned)kind, late, oldest ? "oldest" : "between");
}

TEST("killed between a record and its LED, the times of the commands before are not forgotten")
{
	static const enum start STARTS[] = {START_RECORD, START_KEPT, START_ADOPTED};
	static const unsigned LONG[] = {0, 1, 2, 3, 5}; /* no pulse is over before the end */
	unsigned count = 0;

	for (unsigned i = 0; i < 5 * 5 * 3 * 2 * 3; i++)
		for (enum kill kill = KILLED_BEFORE; kill < KILLS; kill++, count++)
			check_late(LONG[i % 5], LONG[i / 5 % 5], i / 25 % 3, i / 75 % 2, kill,
				STARTS[i / 150]);
	CHECK(count == 5 * 5 * 3 * 2 * 3 * 4);
}

TEST("a request is too late, known, a question, or to be carried out")
{
	static const struct {
		enum verb verb;
		const char *key;
		bool late;
		enum judgement judgement;
	} ROWS[] = {
		{VERB_STATUS, "", false, JUDGEMENT_READ},
		{VERB_STATUS, "", true, JUDGEMENT_LATE},
		{VERB_ON, "", false, JUDGEMENT_MAKE},
		{VERB_OFF, "", true, JUDGEMENT_LATE},
		{VERB_TOGGLE, "new", false, JUDGEMENT_MAKE},
		{VERB_TOGGLE, "new", true, JUDGEMENT_LATE},
		{VERB_TOGGLE, "known", false, JUDGEMENT_KNOWN},
		{VERB_PULSE, "known", true, JUDGEMENT_KNOWN},
	};
	struct record record = {0};

	record_add_key(&record, request_of(VERB_TOGGLE, 0, "known", 0).key);
	for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
		struct request request = request_of(ROWS[i].verb, 1, ROWS[i].key, 1);

		request.late = ROWS[i].late;
		CHECK(transition_judge(&record, &request) == ROWS[i].judgement);
	}
}

TEST("the shorter of a pulse and the limit counts")
{
	CHECK(transition_off_at(0, 0, 7) == 0);
	CHECK(transition_off_at(5, 0, 7) == 5007);
	CHECK(transition_off_at(0, 6, 7) == 6007);
	CHECK(transition_off_at(5, 6, 7) == 5007);
	CHECK(transition_off_at(6, 5, 7) == 5007);
	CHECK(transition_off_at(3600000, 0, 7) == 3600000007);
}

TEST("a pulse is overdue from its end on, as long as the LED is lit")
{
	struct record record = {.lit = true, .off_at = 10};

	CHECK(!transition_is_overdue(&record, 9));
	CHECK(transition_is_overdue(&record, 10));
	record.lit = false;
	CHECK(!transition_is_overdue(&record, 11));
	record = (struct record){.lit = true};
	CHECK(!transition_is_overdue(&record, 11));
}

TEST("an older command that is late changes nothing; its key is remembered")
{
	struct machine machine = {.now = 100000};
	struct request on = request_of(VERB_PULSE, 500, "", machine.now);
	struct request late = request_of(VERB_TOGGLE, 0, "late", machine.now - 100);
	struct transition transition;

	carry_out(&machine, &on, KILLED_DONE);
	transition_make(&machine.record, &late, true, 0, machine.now * MS, &transition);
	CHECK(!transition.set && transition.done.lit);
	CHECK(transition.done.off_at == machine.record.off_at);
	CHECK(record_has_key(&transition.done, late.key) && !transition.done.key_pending);
	/* An OFF that is older than the end of the pulse does not undo it either. */
	machine.now += 500;
	tick(&machine);
	late = request_of(VERB_TOGGLE, 0, "other", machine.now - 1);
	carry_out(&machine, &late, KILLED_DONE);
	CHECK(!machine.lit);
}

TEST("what the hardware shows counts for a TOGGLE")
{
	struct record record = {.lit = true};
	struct request toggle = request_of(VERB_TOGGLE, 0, "", 100000);
	struct transition transition;

	transition_make(&record, &toggle, false, 0, 1, &transition);
	CHECK(transition.set && transition.pending.lit && transition.done.lit);
}

TEST("a PULSE that is older than a TOGGLE lights the LED for no time")
{
	struct machine machine = {.now = 100000};
	struct request toggle = request_of(VERB_TOGGLE, 0, "", machine.now);
	struct request pulse = request_of(VERB_PULSE, 500, "", machine.now - 1);

	carry_out(&machine, &toggle, KILLED_DONE);
	CHECK(machine.lit);
	carry_out(&machine, &pulse, KILLED_DONE);
	CHECK(!machine.lit && machine.record.off_at == 0);
	toggle.at++;
	carry_out(&machine, &toggle, KILLED_DONE);
	CHECK(machine.lit && machine.record.off_at == 0);
}

TAP_MAIN
