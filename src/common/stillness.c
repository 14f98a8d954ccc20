/* SPDX-License-Identifier: MIT */

/* Whether commands may have waited for too long, because a process stood still. */

#include "stillness.h"

#include "command.h"

static bool is_late(uint64_t usec)
{
	return usec > COMMAND_LATE_MS * 1000ULL;
}

bool stillness_sleep(struct stillness *stillness, uint64_t woken, uint64_t now)
{
	stillness->before = stillness->asleep ? stillness->asleep : now;
	stillness->asleep = now;
	return is_late(now - woken);
}

bool stillness_continue(const struct stillness *stillness, uint64_t now)
{
	return is_late(now - stillness->before);
}

bool stillness_connected(uint64_t usec)
{
	return is_late(usec);
}
