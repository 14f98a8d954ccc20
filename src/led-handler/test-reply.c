/* SPDX-License-Identifier: MIT */
#include "reply.h"

#include "tap.h"

static bool is_reply(struct served served, enum reply_end end, enum reply_log log)
{
	struct reply reply = reply_decide(&served);

	return reply.end == end && reply.log == log;
}

/* A command that led-line has answered. */
static const struct served ANSWERED = {.allowed = true, .begun = true, .has_room = true};

/* Something that is no command. */
static const struct served WRONG = {
	.allowed = true, .begun = true, .has_room = true, .why = "unknown command"};

TEST("a command's answer is sent and logged, and the connection closed")
{
	struct served served = ANSWERED;

	CHECK(is_reply(served, REPLY_CLOSES, REPLY_LOGS_COMMAND));
	served.ended = true;
	CHECK(is_reply(served, REPLY_CLOSES, REPLY_LOGS_COMMAND));
	served.has_room = false;
	CHECK(is_reply(served, REPLY_CLOSES, REPLY_UNLOGGED));
}

TEST("what led-line cannot be asked is an answer, and an error in the log")
{
	struct served served = ANSWERED;

	served.outcome = UPSTREAM_NOT_ASKED;
	CHECK(is_reply(served, REPLY_CLOSES, REPLY_LOGS_FAILURE));
	served.watches = true;
	CHECK(is_reply(served, REPLY_CLOSES, REPLY_LOGS_FAILURE));
}

TEST("a command with an unknown outcome has no answer: the connection is reset")
{
	struct served served = ANSWERED;

	served.outcome = UPSTREAM_UNKNOWN;
	for (int i = 0; i < 4; i++) {
		served.ended = i & 1;
		served.watches = i & 2;
		CHECK(is_reply(served, REPLY_RESETS, REPLY_LOGS_FAILURE));
	}
	served.has_room = false;
	CHECK(is_reply(served, REPLY_RESETS, REPLY_UNLOGGED));
}

TEST("who watches goes on doing so, after the end of its stream too")
{
	struct served served = ANSWERED;

	served.watches = true;
	CHECK(is_reply(served, REPLY_WATCHES, REPLY_LOGS_COMMAND));
	served.ended = true;
	CHECK(is_reply(served, REPLY_WATCHES, REPLY_LOGS_COMMAND));
}

TEST("a refusal reaches a client that is still sending")
{
	struct served served = WRONG;

	CHECK(is_reply(served, REPLY_DRAINS, REPLY_LOGS_COMMAND));
	served.ended = true;
	CHECK(is_reply(served, REPLY_CLOSES, REPLY_LOGS_COMMAND));
	served.has_room = false;
	CHECK(is_reply(served, REPLY_CLOSES, REPLY_UNLOGGED));
	/* What a command would have been does not matter. */
	served = WRONG;
	served.outcome = UPSTREAM_UNKNOWN;
	served.watches = true;
	CHECK(is_reply(served, REPLY_DRAINS, REPLY_LOGS_COMMAND));
}

TEST("silence is neither waited for nor logged")
{
	struct served served = WRONG;

	served.begun = false;
	CHECK(is_reply(served, REPLY_CLOSES, REPLY_UNLOGGED));
	served.ended = true;
	CHECK(is_reply(served, REPLY_CLOSES, REPLY_UNLOGGED));
}

TEST("a stranger is not read, and logged without what it sends")
{
	struct served served = {.has_room = true, .why = "not allowed"};

	CHECK(is_reply(served, REPLY_DRAINS, REPLY_LOGS_CLIENT));
	served.has_room = false;
	CHECK(is_reply(served, REPLY_DRAINS, REPLY_UNLOGGED));
}

TAP_MAIN
