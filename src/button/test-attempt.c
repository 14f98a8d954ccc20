/* SPDX-License-Identifier: MIT */
#include "attempt.h"
#include "tap.h"

#define SENT 7
#define ACKED (SENT + 1) /* with the SYN */

static const char SILENCE[] = "the server closed the connection without an answer";
static const char EMPTY[] = "the server answered with an empty line";

static struct attempt attempt;

static void begin(bool tcp, size_t sent)
{
	attempt_begin(&attempt, tcp);
	attempt_wait(&attempt, 0);
	if (sent > 0)
		attempt_sent(&attempt, sent, 0);
}

/* The answer, or a part of it, comes in pieces of this size. */
static enum attempt_outcome receive(const char *bytes, size_t length, size_t piece)
{
	enum attempt_outcome outcome = UNDECIDED;

	for (size_t at = 0; at < length && outcome == UNDECIDED; at += piece) {
		size_t n = length - at < piece ? length - at : piece, size;
		char *room = attempt_room(&attempt, &size);

		if (n > size)
			n = size;
		memcpy(room, bytes + at, n);
		outcome = attempt_received(&attempt, n);
	}
	return outcome;
}

TEST("an answer that begins with the word OK acknowledges, another one does not")
{
	static const struct {
		const char *answer;
		enum attempt_outcome outcome;
		const char *text;
	} CASES[] = {
		{"OK\n", ACKNOWLEDGED, "OK"},
		{"OK \n", ACKNOWLEDGED, "OK "},
		{"OK LED ON\n", ACKNOWLEDGED, "OK LED ON"},
		{"OK LED ON\r\n", ACKNOWLEDGED, "OK LED ON"},
		{"OK\rERR\n", ACKNOWLEDGED, "OK"},
		{"OK\nERR no\n", ACKNOWLEDGED, "OK"},
		{"OKAY\n", REFUSED, "OKAY"},
		{"O\n", REFUSED, "O"},
		{"ok\n", REFUSED, "ok"},
		{" OK\n", REFUSED, " OK"},
		{"ERR no\n", REFUSED, "ERR no"},
		{"\x1b[2J\xff\x7f~ !\n", REFUSED, "?[2J??~ !"},
		{"\n", REFUSED, EMPTY},
		{"\r\n", REFUSED, EMPTY},
		{"   \n", REFUSED, EMPTY},
	};

	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		size_t length = strlen(CASES[i].answer);

		for (size_t piece = 1; piece <= length; piece++) {
			begin(piece % 2, SENT);
			CHECK(receive(CASES[i].answer, length, piece) == CASES[i].outcome);
			CHECK(attempt.outcome == CASES[i].outcome);
			CHECK_TEXT(attempt.text, CASES[i].text);
		}
	}
}

TEST("a command that was sent, and not acknowledged, is taken back with a reset")
{
	for (enum attempt_outcome outcome = ACKNOWLEDGED; outcome <= UNKNOWN; outcome++) {
		begin(true, SENT);
		attempt.outcome = outcome;
		CHECK(attempt_needs_reset(&attempt) ==
			(outcome != ACKNOWLEDGED && outcome != SILENT));
		attempt.sent = 0;
		CHECK(!attempt_needs_reset(&attempt));
	}
}

TEST("a NUL in an answer is shown")
{
	begin(true, SENT);
	CHECK(receive("\0OK\n", 4, 4) == REFUSED);
	CHECK_TEXT(attempt.text, "?OK");
}

TEST("an answer without a newline is complete when nothing follows it")
{
	for (int how = 0; how < 3; how++) {
		begin(true, SENT);
		CHECK(receive("OK LED ON", 9, 4) == UNDECIDED);
		CHECK(attempt.outcome == UNDECIDED);
		if (how == 0)
			CHECK(attempt_ended(&attempt, 0) == ACKNOWLEDGED);
		else
			CHECK(attempt_broken(&attempt, how == 1 ? "reset" : "late") ==
				ACKNOWLEDGED);
		CHECK_TEXT(attempt.text, "OK LED ON");
	}
	for (int how = 0; how < 2; how++) {
		begin(true, SENT);
		receive("E", 1, 1);
		CHECK((how ? attempt_broken(&attempt, "reset") : attempt_ended(&attempt, ACKED)) ==
			REFUSED);
		CHECK_TEXT(attempt.text, "E");
	}
}

TEST("an answer without end fills its room and ends there")
{
	static char endless[2 * ANSWER_MAX];

	memset(endless, 'x', sizeof endless);
	for (size_t piece = 1; piece < sizeof endless; piece = piece * 3 + 1) {
		begin(true, SENT);
		CHECK(receive(endless, sizeof endless, piece) == REFUSED);
		CHECK(strlen(attempt.text) == ANSWER_MAX - 1);
	}
}

TEST("an orderly end without a line: TCP knows whether the command has arrived")
{
	begin(true, SENT);
	CHECK(attempt_ended(&attempt, ACKED) == SILENT);
	CHECK_TEXT(attempt.text, SILENCE);

	/* The SYN alone, and all but the last byte. */
	for (uint64_t acked = 0; acked < ACKED; acked++) {
		begin(true, SENT);
		CHECK(attempt_ended(&attempt, acked) == UNREACHED);
		CHECK_TEXT(attempt.text, SILENCE);
	}

	begin(false, SENT);
	CHECK(attempt_ended(&attempt, 0) == UNKNOWN);
	CHECK_TEXT(attempt.text, SILENCE);
}

TEST("what fails before the command is sent has not reached the server")
{
	begin(true, 0);
	CHECK(attempt_broken(&attempt, "Connection refused") == UNREACHED);
	CHECK_TEXT(attempt.text, "Connection refused");
	CHECK(attempt.outcome == UNREACHED);
	for (size_t sent = 1; sent < 3; sent++) {
		begin(true, sent);
		CHECK(attempt_broken(&attempt, "Connection reset by peer") == UNKNOWN);
		CHECK_TEXT(attempt.text, "Connection reset by peer");
	}
}

TEST("two seconds to connect, each time, and five and a half for the answer")
{
	attempt_begin(&attempt, true);
	attempt_wait(&attempt, 10);
	CHECK(attempt.deadline == 2000010);
	attempt_wait(&attempt, 500000);
	CHECK(attempt.deadline == 2500000);
	attempt_sent(&attempt, SENT, 600000);
	CHECK(attempt.deadline == 6100000);
	receive("O", 1, 1);
	CHECK(attempt.deadline == 6100000);
}

TEST("the address that worked is tried first, and each is tried once")
{
	for (size_t n = 0; n < 6; n++) {
		for (size_t worked = 0; worked <= n; worked++) {
			unsigned times[6] = {0};
			size_t before = 0;

			for (size_t tried = 0; tried < n; tried++) {
				size_t address = attempt_next_address(n, worked, tried);

				CHECK(address < n);
				times[address]++;
				if (tried == 0)
					CHECK(address == (worked < n ? worked : 0));
				else if (tried > 1)
					CHECK(address > before);
				before = tried == 0 ? 0 : address;
			}
			for (size_t i = 0; i < n; i++)
				CHECK(times[i] == 1);
			CHECK(attempt_next_address(n, worked, n) == n);
		}
	}
}

TAP_MAIN
