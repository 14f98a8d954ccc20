/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <syslog.h>

#include "press-queue.h"
#include "tap.h"

#define MSEC 1000ULL
#define SEC (1000 * MSEC)
#define RETRY (10 * SEC)

static const char SILENCE[] = "the server closed the connection without an answer";
static const char TOO_LATE[] = "it had to wait for longer than --retry";

static struct command_list lists[OCCASIONS];
static struct press_queue queue;
static uint64_t now;
static char line[COMMAND_LINE_MAX];

static void add_command(enum occasion occasion, const char *text)
{
	CHECK(!command_list_add(&lists[occasion], text));
}

/* A queue whose presses send these commands in turn; b may be NULL. */
static void begin(uint64_t retry, const char *a, const char *b)
{
	memset(lists, 0, sizeof lists);
	add_command(ON_PRESS, a);
	if (b)
		add_command(ON_PRESS, b);
	press_queue_init(&queue, lists, retry);
	now = 1000 * SEC;
}

/* Adds presses. The key has the press's number. */
static void press(unsigned times)
{
	char key[COMMAND_KEY_MAX + 1];

	while (times-- > 0) {
		snprintf(key, sizeof key, "key%lu", queue.pressed + 1);
		press_queue_add(&queue, ON_PRESS, key, now);
	}
}

/* What it sends now, without the newline, or a word that is no command. */
static const char *step(void)
{
	switch (press_queue_step(&queue, now, line)) {
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

	attempt = (struct attempt){.outcome = outcome};
	snprintf(attempt.text, sizeof attempt.text, "%s", text);
	press_queue_finish(&queue, &attempt, now);
	return queue.outcome;
}

/* A press is sent and ends so. */
static void send_as(const char *wanted, enum attempt_outcome outcome, const char *text)
{
	CHECK_TEXT(step(), wanted);
	finish(outcome, text);
}

TEST("presses send the commands in turn, one after the other, each once")
{
	begin(RETRY, "LED ON", "LED OFF");
	CHECK_TEXT(step(), "rest");
	press(3);
	CHECK_TEXT(step(), "LED ON");
	CHECK_TEXT(step(), "rest");
	CHECK_TEXT(finish(ACKNOWLEDGED, "OK LED ON"), "press 1: LED ON: OK LED ON");
	CHECK(queue.level == LOG_INFO);
	send_as("LED OFF", ACKNOWLEDGED, "OK LED OFF");
	CHECK_TEXT(queue.outcome, "press 2: LED OFF: OK LED OFF");
	send_as("LED ON", ACKNOWLEDGED, "OK");
	CHECK_TEXT(step(), "rest");
	CHECK(queue.pressed == 3 && queue.delivered == 3 && queue.dropped == 0);
}

TEST("each occasion has a list of its own, and all are in order")
{
	static const enum occasion PRESSES[] = {ON_PRESS, ON_RELEASE, ON_LONG_PRESS, ON_PRESS,
		ON_LONG_PRESS, ON_RELEASE, ON_PRESS, ON_PRESS, ON_RELEASE};
	static const char *const WANTED[] = {"A", "R", "LONG", "B", "LONG",
		"LED kitchen PULSE 500 #k6", "LED TOGGLE #k7", "A", "R"};
	char key[] = "k0";

	begin(RETRY, "A", "B");
	add_command(ON_PRESS, "LED TOGGLE");
	add_command(ON_RELEASE, "R");
	add_command(ON_RELEASE, "LED kitchen PULSE 500");
	add_command(ON_LONG_PRESS, "LONG");
	for (size_t i = 0; i < sizeof PRESSES / sizeof *PRESSES; i++) {
		key[1]++;
		press_queue_add(&queue, PRESSES[i], key, now);
	}
	for (size_t i = 0; i < sizeof WANTED / sizeof *WANTED; i++)
		send_as(WANTED[i], ACKNOWLEDGED, "OK");
	CHECK(queue.waiting == 0);
}

TEST("the pause doubles from 50 ms to 1.6 s, and begins anew with the next press")
{
	static const uint64_t PAUSES[] = {50, 100, 200, 400, 800, 1600, 1600};

	begin(60 * SEC, "LED ON", "LED OFF");
	for (unsigned round = 0; round < 2; round++) {
		press(1);
		for (size_t i = 0; i < sizeof PAUSES / sizeof *PAUSES; i++) {
			send_as(round ? "LED OFF" : "LED ON", UNREACHED, "No route to host");
			CHECK(queue.level == LOG_DEBUG);
			CHECK(strstr(queue.outcome, ": trying again: No route to host"));
			now += PAUSES[i] * MSEC - 1;
			CHECK_TEXT(step(), "wait");
			CHECK(queue.try_at == ++now);
		}
		CHECK_TEXT(step(), round ? "LED OFF" : "LED ON");
		finish(ACKNOWLEDGED, "OK");
	}
}

TEST("the last attempt is when the press has its age, and then it is dropped")
{
	begin(120 * MSEC, "LED ON", "LED OFF");
	press(1);
	send_as("LED ON", UNREACHED, "a");
	now = queue.try_at;
	send_as("LED ON", UNREACHED, "b");
	CHECK(queue.try_at == now + 70 * MSEC);
	now = queue.try_at;
	CHECK(!press_queue_drop_late(&queue, now));
	CHECK_TEXT(step(), "LED ON");
	CHECK_TEXT(finish(UNREACHED, "c"), "press 1: LED ON: dropped: c");
	CHECK(queue.level == LOG_WARNING);
	CHECK(queue.delivered == 0 && queue.dropped == 1 && queue.waiting == 0);

	/* The list has not advanced. */
	press(1);
	send_as("LED ON", ACKNOWLEDGED, "OK");
}

TEST("a press is tried again until just before its age, whatever has failed")
{
	for (enum attempt_outcome outcome = REFUSED; outcome <= UNKNOWN; outcome++) {
		begin(RETRY, "LED ON", NULL);
		queue.silence = SILENCE_IS_FAILURE;
		press(1);
		CHECK_TEXT(step(), "LED ON");
		now += RETRY - 1;
		CHECK_TEXT(finish(outcome, "x"), "press 1: LED ON: trying again: x");
		now = queue.try_at;
		CHECK_TEXT(step(), "LED ON");
		CHECK_TEXT(finish(outcome, "x"), "press 1: LED ON: dropped: x");
	}
}

TEST("with --retry=0, each press is tried once, and one that has to wait is dropped")
{
	begin(0, "LED ON", "LED OFF");
	press(3);
	CHECK(!press_queue_drop_late(&queue, now));
	send_as("LED ON", UNREACHED, "no");
	CHECK_TEXT(queue.outcome, "press 1: LED ON: dropped: no");
	CHECK(press_queue_drop_late(&queue, now));
	CHECK_TEXT(queue.outcome, "press 2: LED ON: dropped: no");
	CHECK(queue.level == LOG_WARNING);
	CHECK(press_queue_drop_late(&queue, now));
	CHECK_TEXT(queue.outcome, "press 3: LED ON: dropped: no");
	CHECK(!press_queue_drop_late(&queue, now));
	CHECK(queue.dropped == 3);

	now += SEC;
	press(1);
	CHECK(!press_queue_drop_late(&queue, now + SEC));
	press(1);
	CHECK(!press_queue_drop_late(&queue, now + SEC));
	send_as("LED ON", ACKNOWLEDGED, "OK");
	CHECK(press_queue_drop_late(&queue, now));
	snprintf(line, sizeof line, "press 5: LED OFF: dropped: %s", TOO_LATE);
	CHECK_TEXT(queue.outcome, line);
}

TEST("a press that became too old while it waited is not sent; a younger one is")
{
	begin(RETRY, "LED ON", "LED OFF");
	press(1);
	now += 1;
	press(1);
	now += 1;
	press(1);
	CHECK_TEXT(step(), "LED ON");
	now += RETRY - 1;
	finish(ACKNOWLEDGED, "OK");
	CHECK(press_queue_drop_late(&queue, now));
	CHECK(strstr(queue.outcome, TOO_LATE));
	CHECK(!press_queue_drop_late(&queue, now));
	send_as("LED OFF", ACKNOWLEDGED, "OK");
	CHECK(queue.delivered == 2 && queue.dropped == 1);

	/* After a drop, the reason is that of the drop. */
	press(2);
	CHECK_TEXT(step(), "LED ON");
	now += RETRY;
	finish(UNREACHED, "Connection refused");
	CHECK(press_queue_drop_late(&queue, now));
	CHECK_TEXT(queue.outcome, "press 5: LED ON: dropped: Connection refused");
}

TEST("a key is the same for each attempt of a press, and the log does not show it")
{
	begin(RETRY, "LED TOGGLE", "LED door PULSE 500");
	press(2);
	for (enum attempt_outcome outcome = REFUSED; outcome <= UNKNOWN; outcome++) {
		queue.silence = SILENCE_IS_FAILURE;
		send_as("LED TOGGLE #key1", outcome, "x");
		CHECK_TEXT(queue.outcome, "press 1: LED TOGGLE: trying again: x");
		now = queue.try_at;
	}
	send_as("LED TOGGLE #key1", ACKNOWLEDGED, "OK LED ON");
	send_as("LED door PULSE 500 #key2", ACKNOWLEDGED, "OK LED door ON");
}

TEST("a server without keys gets the command without one, at once, and only once")
{
	static const char *const ANSWERS[] = {
		"ERR unknown command", "ERR unknown command: send LED ON or LED OFF"};

	for (enum attempt_outcome outcome = REFUSED; outcome <= UNKNOWN; outcome++) {
		begin(RETRY, "LED TOGGLE", NULL);
		press(1);
		send_as("LED TOGGLE #key1", REFUSED, ANSWERS[outcome % 2]);
		CHECK(queue.level == LOG_DEBUG);
		CHECK_TEXT(step(), "LED TOGGLE");
		finish(outcome, "x");
		CHECK_TEXT(queue.outcome, outcome == UNREACHED
						  ? "press 1: LED TOGGLE: trying again: x"
						  : "press 1: LED TOGGLE: dropped: x");
	}
	/* The next press has its key again. */
	begin(RETRY, "LED TOGGLE", NULL);
	press(2);
	send_as("LED TOGGLE #key1", REFUSED, ANSWERS[0]);
	send_as("LED TOGGLE", ACKNOWLEDGED, "OK");
	send_as("LED TOGGLE #key2", REFUSED, ANSWERS[0]);
	/* The same answer to the command itself. */
	send_as("LED TOGGLE", REFUSED, ANSWERS[0]);
	CHECK_TEXT(queue.outcome, "press 2: LED TOGGLE: dropped: ERR unknown command");

	/* A command without a key is unknown for another reason. */
	begin(RETRY, "PRESS kitchen", NULL);
	press(1);
	send_as("PRESS kitchen", REFUSED, ANSWERS[0]);
	CHECK_TEXT(queue.outcome, "press 1: PRESS kitchen: trying again: ERR unknown command");
	CHECK_TEXT(step(), "wait");

	/* Another reason is no word about keys. */
	begin(RETRY, "LED TOGGLE", NULL);
	press(1);
	send_as("LED TOGGLE #key1", REFUSED, "ERR too late");
	now = queue.try_at;
	send_as("LED TOGGLE #key1", UNKNOWN, "ERR unknown command");
	now = queue.try_at;
	send_as("LED TOGGLE #key1", ACKNOWLEDGED, "OK");
}

TEST("without a random key, a TOGGLE that may have been carried out is not repeated")
{
	for (enum attempt_outcome outcome = REFUSED; outcome <= UNKNOWN; outcome++) {
		begin(RETRY, "LED TOGGLE", "LED ON");
		queue.silence = SILENCE_IS_FAILURE;
		press_queue_add(&queue, ON_PRESS, "", now);
		CHECK_TEXT(step(), "LED TOGGLE");
		finish(outcome, "x");
		CHECK(queue.waiting == (outcome == UNREACHED));
	}
}

TEST("a configured key and a command for another server are repeated as they are")
{
	static const char *const COMMANDS[] = {"LED TOGGLE #mine", "PRESS kitchen", "LED ON"};

	for (size_t i = 0; i < 3; i++) {
		begin(RETRY, COMMANDS[i], NULL);
		press(1);
		send_as(COMMANDS[i], UNKNOWN, "x");
		now = queue.try_at;
		send_as(COMMANDS[i], ACKNOWLEDGED, "OK");
		CHECK(queue.delivered == 1);
	}
}

TEST("a server that has not said a line is asked after its silence, before the press goes on")
{
	begin(RETRY, "LED TOGGLE", "LED ON");
	press(2);
	send_as("LED TOGGLE #key1", SILENT, SILENCE);
	CHECK(queue.level == LOG_DEBUG);
	CHECK_TEXT(queue.outcome, "press 1: LED TOGGLE: asking for LED STATUS: the "
				  "server closed the connection without an answer");
	CHECK(queue.waiting == 2 && queue.delivered == 0);
	/* A line: the press was not acknowledged. */
	send_as("LED STATUS", ACKNOWLEDGED, "OK LED OFF");
	CHECK_TEXT(queue.outcome, "press 1: LED TOGGLE: trying again: the server closed the "
				  "connection without an answer");
	CHECK_TEXT(step(), "wait");
	now = queue.try_at;
	send_as("LED TOGGLE #key1", SILENT, SILENCE);
	CHECK(queue.waiting == 2);
	now = queue.try_at;
	send_as("LED TOGGLE #key1", ACKNOWLEDGED, "OK LED ON");
	/* It has said a line: silence is a failure for ever. */
	send_as("LED ON", SILENT, SILENCE);
	CHECK(queue.waiting == 1);
	now = queue.try_at;
	CHECK_TEXT(step(), "LED ON");
}

TEST("a server without words: one warning, and its silence counts from then on, until a line")
{
	begin(RETRY, "LED ON", "LED OFF");
	press(4);
	send_as("LED ON", SILENT, SILENCE);
	send_as("LED STATUS", SILENT, SILENCE);
	CHECK(queue.level == LOG_WARNING && queue.delivered == 1);
	CHECK_TEXT(queue.outcome,
		"press 1: LED ON: sent; the server closed the connection without an answer, "
		"after LED STATUS too: from now on that counts as OK");
	send_as("LED OFF", SILENT, SILENCE);
	CHECK(queue.level == LOG_INFO && queue.delivered == 2);
	CHECK_TEXT(queue.outcome, "press 2: LED OFF: sent; the server closed the connection "
				  "without an answer");
	send_as("LED ON", UNKNOWN, "reset");
	now = queue.try_at;
	send_as("LED ON", SILENT, SILENCE);
	CHECK(queue.delivered == 3);
	send_as("LED OFF", REFUSED, "ERR no");
	now = queue.try_at;
	send_as("LED OFF", SILENT, SILENCE);
	CHECK(queue.delivered == 3 && queue.waiting == 1);
}

TEST("a question without an answer: the press is tried again, and its next silence asks again")
{
	for (enum attempt_outcome outcome = UNREACHED; outcome <= UNKNOWN; outcome++) {
		begin(RETRY, "LED ON", NULL);
		press(1);
		send_as("LED ON", SILENT, SILENCE);
		send_as("LED STATUS", outcome, "Connection reset by peer");
		CHECK_TEXT(queue.outcome, "press 1: LED ON: trying again: the server closed the "
					  "connection without an answer");
		CHECK_TEXT(step(), "wait");
		now = queue.try_at;
		send_as("LED ON", SILENT, SILENCE);
		send_as("LED STATUS", SILENT, SILENCE);
		CHECK(queue.delivered == 1);
	}
}

TEST("its age does not keep the question from being asked, and drops the press afterwards")
{
	for (enum attempt_outcome outcome = ACKNOWLEDGED; outcome <= UNKNOWN; outcome++) {
		begin(RETRY, "LED ON", NULL);
		press(1);
		CHECK_TEXT(step(), "LED ON");
		now += RETRY;
		finish(SILENT, SILENCE);
		CHECK(!press_queue_drop_late(&queue, now));
		CHECK_TEXT(step(), "LED STATUS");
		now += SEC;
		finish(outcome, "x");
		CHECK(queue.waiting == 0);
		CHECK(queue.delivered == (outcome == SILENT));
		CHECK(queue.dropped == (outcome != SILENT));
		if (outcome != SILENT)
			CHECK_TEXT(queue.outcome, "press 1: LED ON: dropped: the server closed the "
						  "connection without an answer");
	}
}

TEST("a TOGGLE without a key that was sent into silence is not repeated")
{
	for (enum attempt_outcome outcome = ACKNOWLEDGED; outcome <= UNKNOWN; outcome++) {
		begin(RETRY, "LED TOGGLE", NULL);
		press_queue_add(&queue, ON_PRESS, "", now);
		send_as("LED TOGGLE", SILENT, SILENCE);
		send_as("LED STATUS", outcome, "x");
		CHECK(queue.waiting == 0 && queue.delivered == (outcome == SILENT));
	}
}

TEST("the queue holds 16 presses, and what does not fit is in one line when there is room")
{
	char text[PRESS_TEXT_MAX];

	begin(RETRY, "LED ON", "LED OFF");
	press(16);
	CHECK(!press_queue_overflowed(&queue, text));
	CHECK(queue.dropped == 0 && !*queue.outcome);
	press(1);
	CHECK_TEXT(queue.outcome, "press 17: dropped: 16 presses were waiting");
	CHECK(!press_queue_overflowed(&queue, text));
	send_as("LED ON", ACKNOWLEDGED, "OK");
	CHECK(press_queue_overflowed(&queue, text));
	CHECK_TEXT(text, "press 17: dropped: 16 presses were waiting");
	CHECK(!press_queue_overflowed(&queue, text));

	press(24);
	CHECK(queue.waiting == 16 && queue.dropped == 24 && queue.pressed == 41);
	send_as("LED OFF", ACKNOWLEDGED, "OK");
	CHECK(press_queue_overflowed(&queue, text));
	CHECK_TEXT(text, "press 19 to 41: dropped: 16 presses were waiting");

	/* The ring is in order. */
	for (unsigned i = 3; i <= 16; i++)
		send_as(i % 2 ? "LED ON" : "LED OFF", ACKNOWLEDGED, "OK");
	CHECK_TEXT(step(), "LED ON");
	CHECK(queue.waiting == 1);
	CHECK_TEXT(finish(ACKNOWLEDGED, "OK"), "press 18: LED ON: OK");
}

TEST("of a long answer the log has the beginning")
{
	char answer[ANSWER_MAX];

	memset(answer, 'A', sizeof answer - 1);
	answer[sizeof answer - 1] = '\0';
	begin(RETRY, "LED ON", NULL);
	press(2);
	CHECK_TEXT(step(), "LED ON");
	finish(ACKNOWLEDGED, answer);
	CHECK(strncmp(queue.outcome, "press 1: LED ON: AAA", 20) == 0);
	CHECK(strlen(queue.outcome) < 300 && strstr(queue.outcome, "AAA..."));
	begin(0, "LED ON", NULL);
	press(1);
	CHECK_TEXT(step(), "LED ON");
	finish(REFUSED, answer);
	CHECK(strstr(queue.outcome, "dropped: AAA") && strstr(queue.outcome, "AAA..."));
	CHECK(strlen(queue.outcome) < 300);
}

TEST("what waits when the program stops is dropped, each with a line")
{
	char text[PRESS_TEXT_MAX];

	begin(RETRY, "LED ON", NULL);
	CHECK(!press_queue_stop(&queue));
	press(17);
	CHECK_TEXT(step(), "LED ON");
	CHECK(press_queue_stop(&queue));
	CHECK_TEXT(queue.outcome, "press 1: dropped: the button's program stops");
	CHECK(queue.level == LOG_WARNING);
	CHECK(press_queue_overflowed(&queue, text));
	for (unsigned i = 0; i < 15; i++)
		CHECK(press_queue_stop(&queue));
	CHECK_TEXT(queue.outcome, "press 16: dropped: the button's program stops");
	CHECK(!press_queue_stop(&queue));
	CHECK(queue.dropped == 17);
}

TEST("the status has the counts and the last outcome")
{
	static char answer[ANSWER_MAX];
	char text[PRESS_STATUS_MAX];

	begin(RETRY, "LED ON", NULL);
	CHECK_TEXT(press_queue_status(&queue, text), "no press yet");
	press(1);
	CHECK_TEXT(press_queue_status(&queue, text), "1 press, 0 delivered, 0 dropped, 1 waiting");
	send_as("LED ON", ACKNOWLEDGED, "OK LED ON");
	press(1);
	CHECK_TEXT(press_queue_status(&queue, text),
		"2 presses, 1 delivered, 0 dropped, 1 waiting; press 1: LED ON: OK LED ON");
	memset(answer, 'x', sizeof answer - 1);
	send_as("LED ON", REFUSED, answer);
	CHECK_TEXT(strstr(press_queue_status(&queue, text), "press 2"), queue.outcome);
}

/* Three presses, whose attempts end in the order that the digits of a number in base 5 say. */
static void try_order(unsigned order, const char *a, const char *b)
{
	unsigned long last = 0;
	char sent[8] = "";

	begin(300 * MSEC, a, b);
	press(3);
	for (unsigned attempt = 0; attempt < 7; attempt++, order /= 5) {
		unsigned long done = queue.delivered + queue.dropped;
		enum attempt_outcome outcome = ACKNOWLEDGED + order % 5;

		while (press_queue_drop_late(&queue, now))
			done++;
		if (queue.waiting == 0)
			break;
		CHECK(strcmp(step(), "rest") != 0);
		if (strcmp(line, "LED STATUS") != 0) {
			unsigned long number = done + 1;

			/* In order, the same key for each attempt, and the list by what is done. */
			CHECK(number >= last);
			CHECK(strncmp(line, queue.delivered % 2 ? b : a, 7) == 0);
			snprintf(sent, sizeof sent, "#key%lu", number);
			CHECK(!strchr(line, '#') || strstr(line, sent));
			last = number;
		}
		now += 20 * MSEC;
		finish(outcome, "x");
		CHECK(queue.delivered + queue.dropped + queue.waiting == 3);
		CHECK(queue.delivered + queue.dropped <= done + 1);
		if (queue.waiting > 0 && queue.try_at > now)
			now = queue.try_at;
	}
}

TEST("three presses, with every order of seven outcomes")
{
	for (unsigned order = 0; order < 5 * 5 * 5 * 5 * 5 * 5 * 5; order++)
		try_order(order, "LED TOGGLE", "LED ON");
}

TAP_MAIN
