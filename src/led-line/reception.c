/* SPDX-License-Identifier: MIT */

/* When a command came, who logs it, and whether anybody still waits for its answer. */

#include "reception.h"

#include "command.h"

/*
 * A client that sends its command and leaves at once is served: unless led-line stood still, it has
 * not waited. A led-handler ends its stream only when it has given up waiting.
 */
static bool is_given_up(const struct sender *sender, uint64_t said_at)
{
	return (said_at > 0 && sender->has_ended) ||
	       (sender->may_be_late && sender->at_unix && sender->has_left);
}

struct reception reception_judge(
	const struct sender *sender, uint64_t said_at, uint64_t arrived, uint64_t now)
{
	/* Another machine's clock means nothing here. */
	bool from_handler = said_at > 0 && sender->is_local && !sender->is_proxy;
	bool logged_elsewhere = from_handler && sender->has_own_account;
	uint64_t at = from_handler && said_at < arrived ? said_at : arrived;

	return (struct reception){
		.is_given_up = is_given_up(sender, said_at),
		.at = at,
		.late = now > at + COMMAND_LATE_MS,
		.from_handler = from_handler,
		.logged_elsewhere = logged_elsewhere,
		/* To log it before led-handler has gone would delay led-handler's answer. */
		.drains = from_handler && !logged_elsewhere,
		.origin = said_at == 0 && sender->at_unix && !sender->is_proxy ? WATCHERS_LOCAL
									       : WATCHERS_NETWORK,
	};
}
