/* SPDX-License-Identifier: MIT */

/* How a connection ends, and what the log says of it. */

#include "reply.h"

static enum reply_end decide_end(const struct served *served)
{
	if (served->why) {
		/* One that has said nothing has nothing unread. A stranger was not read. */
		bool is_silent = served->allowed && !served->begun;

		return served->ended || is_silent ? REPLY_CLOSES : REPLY_DRAINS;
	}
	if (served->outcome == UPSTREAM_UNKNOWN)
		return REPLY_RESETS;
	return served->watches && served->outcome == UPSTREAM_ANSWERED ? REPLY_WATCHES
								       : REPLY_CLOSES;
}

/*
 * A connection that says nothing, such as a port scan, leaves no line. Debug level would not do:
 * LogLevelMax= has no effect on what journald reads after our end.
 */
static enum reply_log decide_log(const struct served *served)
{
	if (!served->has_room || (served->allowed && !served->begun))
		return REPLY_UNLOGGED;
	if (!served->allowed)
		return REPLY_LOGS_CLIENT;
	if (served->why || served->outcome == UPSTREAM_ANSWERED)
		return REPLY_LOGS_COMMAND;
	return REPLY_LOGS_FAILURE;
}

struct reply reply_decide(const struct served *served)
{
	return (struct reply){decide_end(served), decide_log(served)};
}
