/* SPDX-License-Identifier: MIT */
#include "reader.h"

#include "tap.h"

#define SECOND 1000000ULL

/* A client that has just connected, and has until 30 s to send the first byte. */
static struct reader reader_at(uint64_t now)
{
	return (struct reader){.deadline_usec = now + 30 * SECOND};
}

static enum reading take(struct reader *reader, const char *bytes, uint64_t now)
{
	return reader_take(reader, bytes, strlen(bytes), false, now);
}

static bool is_command(const struct reader *reader, const char *wanted)
{
	char text[COMMAND_MAX + 1];
	struct request request;

	if (command_parse(&reader->command, &request))
		return false;
	command_write(&request, text);
	return strcmp(text, wanted) == 0;
}

TEST("a command is complete at its terminator, however it is cut into reads")
{
	static const char TEXT[] = "LED kitchen ON\r\n";
	size_t length = strlen(TEXT);

	/* Each bit is a cut after a byte. */
	for (unsigned cuts = 0; cuts < 1U << (length - 1); cuts++) {
		struct reader reader = reader_at(0);
		size_t start = 0;

		for (size_t end = 1; end <= length; end++) {
			enum reading reading;

			if (end < length && !(cuts & 1U << (end - 1)))
				continue;
			reading = reader_take(&reader, TEXT + start, end - start, false, 5);
			start = end;
			if (end < length)
				CHECK(reading == READING_MORE);
			else
				CHECK(reading == READING_COMPLETE);
		}
		CHECK(is_command(&reader, "LED kitchen ON"));
		CHECK(!reader.ended && !reader.why);
	}
}

TEST("silence has 30 s, or what the server says")
{
	struct reader reader = reader_at(7);

	CHECK(reader_until(&reader) == 7 + 30 * SECOND);
	CHECK(reader_quiet(&reader) == READING_REFUSED);
	CHECK_TEXT(reader.why, COMMAND_SILENT);

	reader = (struct reader){.deadline_usec = 12345};
	CHECK(reader_until(&reader) == 12345);
}

TEST("telnet's negotiation is silence, and does not make it longer")
{
	struct reader reader = reader_at(0);

	CHECK(take(&reader, "\xff\xfb\x1f\xff\xfb\x20", 9 * SECOND) == READING_MORE);
	CHECK(reader_until(&reader) == 30 * SECOND);
	CHECK(reader_quiet(&reader) == READING_REFUSED);
	CHECK_TEXT(reader.why, COMMAND_SILENT);
	CHECK(take(&reader, "LED ON\n", 10 * SECOND) == READING_COMPLETE);
	CHECK(is_command(&reader, "LED ON"));
}

TEST("after a command without a terminator, telnet's negotiation is quiet, too")
{
	struct reader reader = reader_at(0);

	CHECK(take(&reader, "LED ON", 2 * SECOND) == READING_MORE);
	CHECK(take(&reader, "\xff\xf1", 2 * SECOND + 5) == READING_MORE);
	CHECK(reader_until(&reader) == 3 * SECOND);
	CHECK(reader_quiet(&reader) == READING_COMPLETE);
	CHECK(is_command(&reader, "LED ON"));
}

TEST("a second of quiet ends a command without a terminator")
{
	struct reader reader = reader_at(0);

	CHECK(take(&reader, "LE", 20 * SECOND) == READING_MORE);
	CHECK(reader_until(&reader) == 21 * SECOND);
	CHECK(take(&reader, "D ON", 20 * SECOND + 999999) == READING_MORE);
	CHECK(reader_until(&reader) == 21 * SECOND + 999999);
	CHECK(reader_quiet(&reader) == READING_COMPLETE);
	CHECK(is_command(&reader, "LED ON"));
}

TEST("the rest of a command has 5 s, whatever keeps coming")
{
	struct reader reader = reader_at(0);
	uint64_t now = 29 * SECOND;

	for (int i = 0; i < 10; i++, now += SECOND / 2)
		CHECK(take(&reader, "L", now) == READING_MORE);
	/* The last came at 33.5 s: a second of quiet would be over after the deadline. */
	CHECK(reader_until(&reader) == 34 * SECOND);
	CHECK(reader_quiet(&reader) == READING_REFUSED);
	CHECK_TEXT(reader.why, COMMAND_INCOMPLETE);

	/* Just over, and just in time. */
	for (uint64_t last = 4 * SECOND - 1; last <= 4 * SECOND; last++) {
		reader = reader_at(0);
		CHECK(take(&reader, "LED", 0) == READING_MORE);
		CHECK(take(&reader, " ON", last) == READING_MORE);
		CHECK(reader_until(&reader) == last + SECOND);
		CHECK(reader_quiet(&reader) ==
			(last < 4 * SECOND ? READING_COMPLETE : READING_REFUSED));
	}
}

TEST("the end of the stream ends a command")
{
	struct reader reader = reader_at(0);

	CHECK(take(&reader, "LED OFF", 1) == READING_MORE);
	CHECK(reader_end(&reader, false) == READING_COMPLETE);
	CHECK(reader.ended && is_command(&reader, "LED OFF"));

	/* Nothing at all is the empty command. */
	reader = reader_at(0);
	CHECK(reader_end(&reader, false) == READING_COMPLETE);
	CHECK(reader.ended && !reader.command.begun);
}

TEST("a connection that breaks takes only what is complete with it")
{
	struct reader reader = reader_at(0);

	CHECK(reader_end(&reader, true) == READING_REFUSED);
	CHECK(reader.ended);
	CHECK_TEXT(reader.why, "the connection broke");

	reader = reader_at(0);
	CHECK(take(&reader, "LED OFF", 1) == READING_MORE);
	CHECK(reader_end(&reader, true) == READING_REFUSED);

	reader = reader_at(0);
	CHECK(reader_take(&reader, "LED OFF\n", 8, true, 1) == READING_MORE);
	CHECK(reader_end(&reader, true) == READING_COMPLETE);
	CHECK(is_command(&reader, "LED OFF"));
}

TEST("after a full buffer there may be more than the command")
{
	struct reader reader = reader_at(0);

	/* What is there already counts; it is not waited for. */
	CHECK(reader_take(&reader, "LED OFF\n", 8, true, 3) == READING_MORE);
	CHECK(reader_until(&reader) == 3);
	CHECK(reader_quiet(&reader) == READING_COMPLETE);
	CHECK(is_command(&reader, "LED OFF"));

	CHECK(reader_take(&reader, "\r\n  ", 4, true, 4) == READING_MORE);
	CHECK(reader_until(&reader) == 4);
	CHECK(take(&reader, "LED ON\n", 5) == READING_COMPLETE);
	CHECK(reader.command.trailing);

	/* What makes the command wrong needs nothing more. */
	reader = reader_at(0);
	CHECK(reader_take(&reader, "LED OFF\nx", 9, true, 3) == READING_COMPLETE);
	reader = reader_at(0);
	CHECK(reader_take(&reader, "LED OFF", 7, true, 3) == READING_MORE);
	CHECK(reader_until(&reader) == 3 + SECOND);
	for (int i = 0; i < 9; i++)
		CHECK(reader_take(&reader, "0123456", 7, true, 3) ==
			(i < 8 ? READING_MORE : READING_COMPLETE));
	CHECK(reader.command.too_long);
}

TAP_MAIN
