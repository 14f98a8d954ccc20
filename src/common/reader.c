/* SPDX-License-Identifier: MIT */

/* Reads one client's command: when it is complete, when to wait for more, when to give up. */

#include "reader.h"

static enum reading refuse(struct reader *reader, const char *why)
{
	reader->why = why;
	return READING_REFUSED;
}

enum reading reader_take(
	struct reader *reader, const char *bytes, size_t n, bool is_full, uint64_t now)
{
	struct command *command = &reader->command;
	bool begun_before = command->begun;
	size_t length = command->length;

	/* After a full buffer, what follows the terminator may still be unread. */
	if (command_feed(command, bytes, n) && (!is_full || command->too_long || command->trailing))
		return READING_COMPLETE;
	if (command->begun && !begun_before)
		reader->deadline_usec = now + COMMAND_DEADLINE_MS * 1000ULL;
	if (command->terminated)
		reader->quiet_usec = now;
	else if (command->length > length) /* not telnet's negotiation alone */
		reader->quiet_usec = now + COMMAND_QUIET_MS * 1000ULL;
	return READING_MORE;
}

enum reading reader_end(struct reader *reader, bool is_broken)
{
	reader->ended = true;
	if (is_broken && !reader->command.terminated)
		return refuse(reader, "the connection broke");
	return READING_COMPLETE;
}

/* Whether to be quiet for a while ends the command. Without a first byte it does not. */
static bool is_ended_by_quiet(const struct reader *reader)
{
	return reader->command.begun && reader->quiet_usec < reader->deadline_usec;
}

uint64_t reader_until(const struct reader *reader)
{
	return is_ended_by_quiet(reader) ? reader->quiet_usec : reader->deadline_usec;
}

enum reading reader_quiet(struct reader *reader)
{
	if (reader->command.terminated || is_ended_by_quiet(reader))
		return READING_COMPLETE;
	return refuse(reader, reader->command.begun ? COMMAND_INCOMPLETE : COMMAND_SILENT);
}
