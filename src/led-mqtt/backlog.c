/* SPDX-License-Identifier: MIT */

/* When the bytes that are read from a socket may have come. */

#include "backlog.h"

void backlog_start(struct backlog *backlog, uint64_t now)
{
	*backlog = (struct backlog){.since = now, .mark_at = now};
}

void backlog_still(struct backlog *backlog)
{
	backlog->still = true;
}

uint64_t backlog_read(
	struct backlog *backlog, size_t n, size_t unread, uint64_t newest, uint64_t now)
{
	bool still = backlog->still || now >= newest + BACKLOG_STILL_MS;
	uint64_t at = still && backlog->since < newest ? backlog->since : newest;

	/* What comes later has not come earlier. */
	if (at < backlog->last)
		at = backlog->last;
	backlog->last = at;
	if (n < backlog->mark) {
		backlog->mark -= n;
	} else {
		backlog->since = backlog->mark_at;
		backlog->mark_at = now;
		backlog->mark = unread;
	}
	if (unread == 0)
		backlog->since = now;
	backlog->still = still && unread > 0;
	return at;
}
