/* SPDX-License-Identifier: MIT */
#include "position.h"

#include <stddef.h>
#include <stdlib.h>
#include <syslog.h>

#include "tap.h"

#define MSEC 1000ULL
#define SEC (1000 * MSEC)

static const char SILENCE[] = "the server closed the connection without an answer";

static struct command_list lists[OCCASIONS];
static struct position position;
static uint64_t now;
static char line[COMMAND_LINE_MAX];

static void set_commands(const char *closed, const char *open)
{
	memset(lists, 0, sizeof lists);
	CHECK(!command_list_add(&lists[ON_PRESS], closed));
	CHECK(!command_list_add(&lists[ON_RELEASE], open));
	CHECK(command_lists_have_position(lists));
}

/* A contact with these commands, at the start of the program. */
static void begin(const char *closed, const char *open)
{
	set_commands(closed, open);
	position_init(&position, lists);
	now = 1000 * SEC;
}

static void take(enum place place)
{
	position_take(&position, place, now);
}

/* What it sends now, without the newline, or a word that is no command. */
static const char *step(void)
{
	switch (position_step(&position, now, line)) {
	case STEP_REST:
		return "rest";
	case STEP_WAIT:
		return "wait";
	case STEP_SEND:
		CHECK(line[strlen(line) - 1] == '\n');
		line[strlen(line) - 1] = '\0';
		return line;
	}
	return NULL;
}

/* The attempt ends. Returns the line of the log. */
static const char *finish(enum attempt_outcome outcome, const char *text)
{
	static struct attempt attempt;

	attempt.outcome = outcome;
	attempt.sent = outcome == UNREACHED ? 0 : strlen(line);
	snprintf(attempt.text, sizeof attempt.text, "%s", text);
	position_finish(&position, &attempt, now);
	return position.outcome;
}

/* The newest position is sent, perhaps after a pause, and the attempt ends so. */
static void send_as(const char *wanted, enum attempt_outcome outcome, const char *text)
{
	if (now < position.try_at)
		now = position.try_at;
	CHECK_TEXT(step(), wanted);
	finish(outcome, text);
}

TEST("the position of the start is sent, and then each that the contact has taken, once")
{
	begin("LED ON", "LED OFF");
	CHECK_TEXT(step(), "rest");
	take(PLACE_OPEN);
	CHECK_TEXT(step(), "LED OFF");
	CHECK_TEXT(step(), "rest");
	CHECK_TEXT(finish(ACKNOWLEDGED, "OK LED OFF"), "open: LED OFF: OK LED OFF");
	CHECK(position.level == LOG_INFO);
	CHECK_TEXT(step(), "rest");
	take(PLACE_OPEN);
	CHECK_TEXT(step(), "rest");
	take(PLACE_CLOSED);
	send_as("LED ON", ACKNOWLEDGED, "OK LED ON");
	CHECK_TEXT(position.outcome, "closed: LED ON: OK LED ON");
	CHECK_TEXT(step(), "rest");
}

TEST("an attempt that has begun ends first; then the newest is compared with what was delivered")
{
	for (unsigned throws = 0; throws < 8; throws++) {
		begin("LED ON", "LED OFF");
		take(PLACE_CLOSED);
		CHECK_TEXT(step(), "LED ON");
		for (unsigned i = 0; i < throws; i++) {
			take(i % 2 ? PLACE_CLOSED : PLACE_OPEN);
			CHECK_TEXT(step(), "rest");
		}
		finish(ACKNOWLEDGED, "OK LED ON");
		CHECK_TEXT(step(), throws % 2 ? "LED OFF" : "rest");
	}
}

TEST("forty throws during an outage are one command, or none if the server had it")
{
	for (unsigned throws = 39; throws <= 40; throws++) {
		begin("LED ON", "LED OFF");
		take(PLACE_OPEN);
		send_as("LED OFF", ACKNOWLEDGED, "OK LED OFF");
		for (unsigned i = 0; i < throws; i++) {
			take(i % 2 ? PLACE_OPEN : PLACE_CLOSED);
			if (strcmp(step(), "LED ON") == 0)
				finish(UNREACHED, "Connection refused");
			now += 750 * MSEC;
		}
		now += 3600 * SEC;
		CHECK_TEXT(step(), throws % 2 ? "LED ON" : "rest");
	}
}

TEST("a position does not become too old")
{
	begin("LED ON", "LED OFF");
	take(PLACE_CLOSED);
	for (unsigned i = 0; i < 10000; i++)
		send_as("LED ON", UNREACHED, "Connection refused");
	CHECK(now > (1000 + 27 * 3600) * SEC);
	send_as("LED ON", ACKNOWLEDGED, "OK LED ON");
	CHECK_TEXT(step(), "rest");
}

TEST("the pauses grow to 10 s, and begin anew after a delivery")
{
	static const uint64_t PAUSES[] = {100, 500, 2500, 10000, 10000};

	begin("LED ON", "LED OFF");
	for (unsigned round = 0; round < 2; round++) {
		take(round ? PLACE_OPEN : PLACE_CLOSED);
		for (size_t i = 0; i < sizeof PAUSES / sizeof *PAUSES; i++) {
			send_as(round ? "LED OFF" : "LED ON", i % 2 ? UNKNOWN : UNREACHED, "x");
			now += PAUSES[i] * MSEC - 1;
			CHECK_TEXT(step(), "wait");
			CHECK(position.try_at == ++now);
		}
		send_as(round ? "LED OFF" : "LED ON", ACKNOWLEDGED, "OK");
	}
}

TEST("after the tenth ERR of the same words the pause is 60 s, and not within a minute")
{
	uint64_t begun;

	begin("LED ON", "LED OFF");
	take(PLACE_CLOSED);
	begun = now;
	for (unsigned i = 1; i <= 12; i++) {
		send_as("LED ON", REFUSED, "ERR no led-line");
		CHECK((position.try_at - now == 60 * SEC) == (i >= 10));
		CHECK(i != 10 || now - begun > 60 * SEC);
	}
	/* Other words, or another failure. */
	for (unsigned other = 0; other < 2; other++) {
		send_as("LED ON", other ? UNREACHED : REFUSED, "ERR no LED is called led");
		CHECK(position.try_at - now == 10 * SEC);
		for (unsigned i = 1; i <= 10; i++) {
			send_as("LED ON", REFUSED, "ERR no led-line");
			CHECK((position.try_at - now == 60 * SEC) == (i >= 10));
		}
	}
	/* The contact is moved: it is tried at once, and the count begins anew. */
	now += 2 * SEC;
	take(PLACE_OPEN);
	take(PLACE_CLOSED);
	CHECK_TEXT(step(), "LED ON");
	finish(REFUSED, "ERR no led-line");
	CHECK(position.try_at - now == 10 * SEC);
}

TEST("a movement ends a pause, but not earlier than 1 s after the last attempt")
{
	begin("LED ON", "LED OFF");
	take(PLACE_CLOSED);
	for (unsigned i = 0; i < 5; i++)
		send_as("LED ON", UNREACHED, "x");
	CHECK(position.try_at == now + 10 * SEC);
	now += 200 * MSEC;
	take(PLACE_OPEN);
	CHECK_TEXT(step(), "wait");
	CHECK(position.try_at == now + 800 * MSEC);
	send_as("LED OFF", UNREACHED, "x");
	CHECK(position.try_at == now + 10 * SEC);
	now += 3 * SEC;
	take(PLACE_CLOSED);
	CHECK_TEXT(step(), "LED ON");
}

TEST("a reason is logged once until a delivery, also where reasons take turns")
{
	static const char *const REASONS[] = {"Connection refused", "ERR no", "No route to host"};

	begin("LED ON", "LED OFF");
	for (unsigned round = 0; round < 2; round++) {
		take(round ? PLACE_OPEN : PLACE_CLOSED);
		for (unsigned i = 0; i < 60; i++) {
			send_as(round ? "LED OFF" : "LED ON", i % 3 == 1 ? REFUSED : UNREACHED,
				REASONS[i % 3]);
			CHECK(position.level == (i < 3 ? LOG_WARNING : LOG_DEBUG));
		}
		CHECK_TEXT(position.outcome,
			round ? "open: LED OFF: not delivered: No route to host"
			      : "closed: LED ON: not delivered: No route to host");
		send_as(round ? "LED OFF" : "LED ON", ACKNOWLEDGED, "OK");
	}
	/* More reasons than are remembered, each another one. */
	take(PLACE_CLOSED);
	for (unsigned i = 0; i < 20; i++) {
		char reason[] = "ERR a";

		reason[4] = (char)('a' + i);
		send_as("LED ON", REFUSED, reason);
		CHECK(position.level == LOG_WARNING);
	}
	send_as("LED ON", REFUSED, "ERR t");
	CHECK(position.level == LOG_DEBUG);
}

TEST("bytes sent and no line: the newest is sent, whatever it is")
{
	static const struct {
		const char *text;
		enum attempt_outcome outcome;
		bool is_known; /* the server still has what it had */
	} CASES[] = {
		{"Connection reset by peer", UNKNOWN, false},
		{SILENCE, SILENT, false},
		{"what?", REFUSED, false},
		{"ERR no", REFUSED, true},
		{"Connection refused", UNREACHED, true},
	};

	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		begin("LED ON", "LED OFF");
		take(PLACE_OPEN);
		send_as("LED OFF", ACKNOWLEDGED, "OK LED OFF");
		take(PLACE_CLOSED);
		CHECK_TEXT(step(), "LED ON");
		take(PLACE_OPEN);
		finish(CASES[i].outcome, CASES[i].text);
		now = position.try_at;
		CHECK_TEXT(step(), CASES[i].is_known ? "rest" : "LED OFF");
	}
	/* The server closed the connection while the command was on its way. */
	begin("LED ON", "LED OFF");
	take(PLACE_OPEN);
	send_as("LED OFF", ACKNOWLEDGED, "OK LED OFF");
	take(PLACE_CLOSED);
	CHECK_TEXT(step(), "LED ON");
	take(PLACE_OPEN);
	position_finish(&position, &(struct attempt){.outcome = UNREACHED, .sent = 7}, now);
	now = position.try_at;
	CHECK_TEXT(step(), "LED OFF");
}

TEST("what could not be reached of all is an acknowledgement all the same")
{
	begin("LED ALL ON", "LED ALL OFF");
	take(PLACE_OPEN);
	send_as("LED ALL OFF", ACKNOWLEDGED, "OK LED ALL OFF except pump: no such line");
	CHECK_TEXT(step(), "rest");
	CHECK(position.level == LOG_INFO);
}

TEST("of a long answer the log has the beginning")
{
	char answer[ANSWER_MAX];

	memset(answer, 'A', sizeof answer - 1);
	answer[sizeof answer - 1] = '\0';
	begin("LED ON", "LED OFF");
	for (enum attempt_outcome outcome = ACKNOWLEDGED; outcome <= UNKNOWN; outcome++) {
		take(outcome % 2 ? PLACE_OPEN : PLACE_CLOSED);
		send_as(outcome % 2 ? "LED OFF" : "LED ON", outcome, answer);
		CHECK(strlen(position.outcome) < 300 && strstr(position.outcome, "AAA..."));
	}
}

TEST("a server that has not said a line is asked after its silence, and then the newest is sent")
{
	begin("LED ON", "LED OFF");
	take(PLACE_CLOSED);
	send_as("LED ON", SILENT, SILENCE);
	CHECK(position.level == LOG_DEBUG);
	take(PLACE_OPEN);
	CHECK_TEXT(step(), "LED STATUS");
	finish(ACKNOWLEDGED, "OK LED OFF");
	CHECK_TEXT(position.outcome, "closed: LED ON: not delivered: the server closed the "
				     "connection without an answer");
	send_as("LED OFF", ACKNOWLEDGED, "OK LED OFF");
	/* It has said a line: silence is a failure for ever. */
	take(PLACE_CLOSED);
	send_as("LED ON", SILENT, SILENCE);
	send_as("LED ON", ACKNOWLEDGED, "OK LED ON");

	/* A server without words: its silence acknowledges what was sent before the question. */
	begin("LED ON", "LED OFF");
	take(PLACE_CLOSED);
	send_as("LED ON", SILENT, SILENCE);
	CHECK_TEXT(step(), "LED STATUS");
	take(PLACE_OPEN);
	take(PLACE_CLOSED);
	finish(SILENT, SILENCE);
	CHECK(position.level == LOG_WARNING);
	CHECK_TEXT(position.outcome, "closed: LED ON: sent; the server closed the connection "
				     "without an answer, after LED "
				     "STATUS too: from now on that counts as OK");
	CHECK_TEXT(step(), "rest");
	take(PLACE_OPEN);
	send_as("LED OFF", SILENT, SILENCE);
	CHECK(position.level == LOG_INFO);
	CHECK_TEXT(step(), "rest");
}

TEST("hardware that goes is GONE where the commands are a CONTACT's, and nothing else elsewhere")
{
	begin("CONTACT Door OFF", "CONTACT door ON");
	take(PLACE_GONE);
	send_as("CONTACT door GONE", ACKNOWLEDGED, "OK CONTACT door GONE");
	CHECK_TEXT(position.outcome, "gone: CONTACT door GONE: OK CONTACT door GONE");
	take(PLACE_GONE);
	CHECK_TEXT(step(), "rest");
	take(PLACE_OPEN);
	send_as("CONTACT door ON", ACKNOWLEDGED, "OK");
	take(PLACE_GONE);
	send_as("CONTACT door GONE", ACKNOWLEDGED, "OK");
	/* Unchanged, it is sent all the same. */
	take(PLACE_OPEN);
	send_as("CONTACT door ON", ACKNOWLEDGED, "OK");
	/* It came back before anybody heard that it was gone. */
	take(PLACE_GONE);
	send_as("CONTACT door GONE", UNREACHED, "x");
	take(PLACE_OPEN);
	now += 60 * SEC;
	CHECK_TEXT(step(), "rest");

	begin("LED ON", "LED OFF");
	take(PLACE_GONE);
	CHECK_TEXT(step(), "rest");
	take(PLACE_CLOSED);
	send_as("LED ON", UNREACHED, "x");
	take(PLACE_GONE);
	send_as("LED ON", ACKNOWLEDGED, "OK");
	take(PLACE_CLOSED);
	CHECK_TEXT(step(), "rest");
}

TEST("a stop makes one attempt to say GONE, after the one that runs, whatever the pauses")
{
	for (enum attempt_outcome first = ACKNOWLEDGED; first <= UNKNOWN; first++) {
		for (enum attempt_outcome second = ACKNOWLEDGED; second <= UNKNOWN; second++) {
			begin("CONTACT door ON", "CONTACT door OFF");
			take(PLACE_CLOSED);
			CHECK_TEXT(step(), "CONTACT door ON");
			position_stop(&position, now);
			CHECK(!position_has_stopped(&position));
			CHECK_TEXT(step(), "rest");
			finish(first, "x");
			/* What its hardware does now is nobody's business any more. */
			take(PLACE_CLOSED);
			CHECK(!position_has_stopped(&position));
			CHECK_TEXT(step(), "CONTACT door GONE");
			finish(second, "y");
			CHECK(position_has_stopped(&position));
			CHECK_TEXT(step(), "rest");
			CHECK(position_end(&position) == (second != ACKNOWLEDGED));
			CHECK(second == ACKNOWLEDGED || position.level == LOG_WARNING);
			CHECK(second == ACKNOWLEDGED ||
				!strcmp(position.outcome,
					"gone: CONTACT door GONE: not delivered: y"));
		}
	}
}

TEST("a stop with nothing to say ends at once, and says in the log what is left")
{
	begin("CONTACT door ON", "CONTACT door OFF");
	take(PLACE_GONE);
	send_as("CONTACT door GONE", ACKNOWLEDGED, "OK");
	position_stop(&position, now);
	CHECK(position_has_stopped(&position) && !position_end(&position));

	/* The attempt that runs says it already. */
	begin("CONTACT door ON", "CONTACT door OFF");
	take(PLACE_GONE);
	CHECK_TEXT(step(), "CONTACT door GONE");
	position_stop(&position, now);
	CHECK(!position_has_stopped(&position));
	finish(ACKNOWLEDGED, "OK");
	CHECK(position_has_stopped(&position) && !position_end(&position));

	/* The time is over, in either attempt. */
	for (unsigned ended = 0; ended < 2; ended++) {
		begin("CONTACT door ON", "CONTACT door OFF");
		take(PLACE_CLOSED);
		CHECK_TEXT(step(), "CONTACT door ON");
		position_stop(&position, now);
		if (ended) {
			finish(ACKNOWLEDGED, "OK");
			CHECK_TEXT(step(), "CONTACT door GONE");
		}
		CHECK(position_end(&position));
		CHECK_TEXT(position.outcome,
			"gone: CONTACT door GONE: not delivered: the button's program stops");
	}

	begin("LED ON", "LED OFF");
	take(PLACE_CLOSED);
	CHECK_TEXT(step(), "LED ON");
	position_stop(&position, now);
	CHECK(position_has_stopped(&position) && position_end(&position));
	CHECK_TEXT(position.outcome, "closed: LED ON: not delivered: the button's program stops");
	CHECK(position.level == LOG_WARNING);
}

TEST("at a stop, the silence of a server without words acknowledges, and there is no question")
{
	begin("CONTACT door ON", "CONTACT door OFF");
	take(PLACE_CLOSED);
	send_as("CONTACT door ON", SILENT, SILENCE);
	send_as("LED STATUS", SILENT, SILENCE);
	position_stop(&position, now);
	send_as("CONTACT door GONE", SILENT, SILENCE);
	CHECK(position_has_stopped(&position) && !position_end(&position));

	begin("CONTACT door ON", "CONTACT door OFF");
	take(PLACE_CLOSED);
	send_as("CONTACT door ON", SILENT, SILENCE);
	position_stop(&position, now);
	send_as("CONTACT door GONE", SILENT, SILENCE);
	CHECK(position_has_stopped(&position) && position_end(&position));
}

TEST("the status: closed or open, since when, and what the server has")
{
	char text[POSITION_STATUS_MAX], long_text[ANSWER_MAX];

	begin("LED ON", "LED OFF");
	CHECK_TEXT(position_status(&position, "noon", text), "no position yet");
	take(PLACE_OPEN);
	CHECK_TEXT(position_status(&position, "noon", text),
		"open since noon; what the server has is not known");
	send_as("LED OFF", ACKNOWLEDGED, "OK LED OFF");
	CHECK_TEXT(position_status(&position, "noon", text),
		"open since noon; the server has LED OFF: OK LED OFF");
	now += SEC;
	take(PLACE_OPEN);
	CHECK(position.since == now - SEC);
	take(PLACE_CLOSED);
	CHECK(position.since == now);
	send_as("LED ON", UNREACHED, "Connection refused");
	CHECK_TEXT(position_status(&position, "one", text),
		"closed since one; the server has LED OFF: OK LED OFF; not delivered: Connection "
		"refused");
	send_as("LED ON", UNKNOWN, "the server does not answer");
	CHECK_TEXT(position_status(&position, "one", text),
		"closed since one; what the server has is not known; not delivered: the server "
		"does "
		"not answer");
	/* Not delivered, and not needed any more. */
	send_as("LED ON", ACKNOWLEDGED, "OK LED ON");
	take(PLACE_OPEN);
	send_as("LED OFF", REFUSED, "ERR no");
	take(PLACE_CLOSED);
	CHECK_TEXT(position_status(&position, "two", text),
		"closed since two; the server has LED ON: OK LED ON");
	take(PLACE_GONE);
	CHECK_TEXT(position_status(&position, "two", text),
		"was closed since two; the server has LED ON: OK LED ON");
	now += SEC;
	take(PLACE_CLOSED);
	CHECK(position.since == now);

	begin("CONTACT door ON", "CONTACT door OFF");
	take(PLACE_GONE);
	send_as("CONTACT door GONE", ACKNOWLEDGED, "OK");
	CHECK_TEXT(position_status(&position, "ten", text),
		"gone since ten; the server has CONTACT door GONE: OK");

	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	take(PLACE_OPEN);
	send_as("CONTACT door OFF", ACKNOWLEDGED, long_text);
	take(PLACE_CLOSED);
	send_as("CONTACT door ON", REFUSED, long_text);
	CHECK(strlen(position_status(&position, "ten", text)) < POSITION_STATUS_MAX);
	CHECK(strstr(text, "; not delivered: xxx"));
}

/* --- every order of events -------------------------------------------------------------- */

#define DEPTH 7

/* What happens; UNKNOWN and START twice, because the server may have carried it out or not. */
enum happening {
	THROW,
	DELIVERY,
	FAILURE,
	LOST,
	CARRIED_OUT_AND_LOST,
	LOSS_OF_HARDWARE,
	OUTAGE,
	RESTART,
	RESTART_AFTER_IT_ARRIVED,
	HAPPENINGS
};

/* Apart from the module: the contact, and what the server has and the program may know of it. */
static struct world {
	enum place contact;
	bool is_closed; /* if the hardware is there */
	enum place server;
	bool is_known; /* the server has acknowledged it, and nothing unclear came after */
	bool sending;
	enum place sent;
} world;

static bool has_gone; /* the contact can be GONE */
static unsigned long wrong, orders;

static enum place place_of(const char *text)
{
	return strstr(text, " GONE") ? PLACE_GONE : strstr(text, " ON") ? PLACE_CLOSED : PLACE_OPEN;
}

/* Does what the module says, now, and looks whether it is right. */
static void go_on(bool waits)
{
	enum step next = position_step(&position, now, line);

	if (next == STEP_WAIT && waits) {
		now = position.try_at;
		next = position_step(&position, now, line);
		wrong += next != STEP_SEND;
	}
	if (world.sending) {
		wrong += next != STEP_REST;
		return;
	}
	/* Only what the server does not have already is sent, and of that only the newest. */
	wrong += (next == STEP_REST) != (world.is_known && world.server == world.contact);
	if (next == STEP_SEND) {
		world.sending = true;
		world.sent = place_of(line);
		wrong += world.sent != world.contact;
	}
}

static void end_attempt(enum attempt_outcome outcome, bool is_carried_out)
{
	go_on(true);
	if (!world.sending)
		return;
	world.sending = false;
	if (is_carried_out)
		world.server = world.sent;
	if (outcome == ACKNOWLEDGED || outcome == UNKNOWN)
		world.is_known = outcome == ACKNOWLEDGED;
	finish(outcome, outcome == ACKNOWLEDGED ? "OK" : outcome == REFUSED ? "ERR no" : "no");
}

static void move(bool is_closed, bool is_there)
{
	world.is_closed = is_closed;
	if (is_there)
		world.contact = is_closed ? PLACE_CLOSED : PLACE_OPEN;
	else if (has_gone)
		world.contact = PLACE_GONE;
	take(is_there ? world.contact : PLACE_GONE);
}

static void restart(bool is_carried_out)
{
	if (world.sending && is_carried_out)
		world.server = world.sent;
	world.sending = world.is_known = false;
	position_init(&position, lists);
	move(world.is_closed, true);
}

static void happen(enum happening happening)
{
	switch (happening) {
	case THROW:
		move(!world.is_closed, true);
		break;
	case DELIVERY:
		end_attempt(ACKNOWLEDGED, true);
		break;
	case FAILURE:
		end_attempt(REFUSED, false);
		break;
	case LOST:
	case CARRIED_OUT_AND_LOST:
		end_attempt(UNKNOWN, happening == CARRIED_OUT_AND_LOST);
		break;
	case LOSS_OF_HARDWARE:
		move(world.is_closed, false);
		break;
	case OUTAGE:
		end_attempt(UNREACHED, false);
		break;
	default:
		restart(happening == RESTART_AFTER_IT_ARRIVED);
	}
	go_on(false);
}

/* The server answers again: the attempt that runs, and one more. */
static void settle(void)
{
	end_attempt(ACKNOWLEDGED, true);
	go_on(true);
	end_attempt(ACKNOWLEDGED, true);
	go_on(true);
	wrong += world.sending || world.server != world.contact;
}

/* Where the orders that begin alike go apart. outcome, which is long, is only written. */
static struct fork {
	char position[offsetof(struct position, outcome)];
	struct world world;
	uint64_t now;
	enum happening next;
} forks[DEPTH + 1];

/* An order has come to its end here, and may go on from here. */
static void arrive(struct fork *fork)
{
	memcpy(fork->position, &position, sizeof fork->position);
	fork->world = world;
	fork->now = now;
	fork->next = THROW;
	settle();
	orders++;
}

static void try_orders(void)
{
	unsigned depth = 0;

	arrive(forks);
	while (forks->next < HAPPENINGS || depth > 0) {
		struct fork *fork = &forks[depth];

		if (depth == DEPTH || fork->next == HAPPENINGS) {
			depth--;
			continue;
		}
		memcpy(&position, fork->position, sizeof fork->position);
		world = fork->world;
		now = fork->now;
		happen(fork->next++);
		arrive(&forks[++depth]);
	}
}

static void try_from_start(const char *closed, const char *open, bool gone)
{
	begin(closed, open);
	has_gone = gone;
	wrong = orders = 0;
	world = (struct world){.contact = PLACE_OPEN};
	take(PLACE_OPEN);
	go_on(false);
	try_orders();
	CHECK(orders == 5380840); /* 9^0 + 9^1 + ... + 9^7 */
	CHECK(wrong == 0);
}

TEST("in every order of up to seven events, the server gets the newest, and nothing that it has")
{
	try_from_start("LED ON", "LED OFF", false);
}

TEST("and so it does with GONE")
{
	try_from_start("CONTACT door ON", "CONTACT door OFF", true);
}

TAP_MAIN
