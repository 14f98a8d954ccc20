/* SPDX-License-Identifier: MIT */
#include "idle.h"
#include "tap.h"

#define START 5000000ULL

TEST("a minute after the start, the last request, the end of a stream")
{
	struct idle idle;

	idle_start(&idle, START);
	CHECK(idle_due(&idle) == START + IDLE_USEC);
	idle_opened(&idle);
	idle_opened(&idle);
	idle_used(&idle, true, START + 1);
	CHECK(idle_due(&idle) == UINT64_MAX);
	idle_closed(&idle);
	CHECK(idle_due(&idle) == UINT64_MAX);
	idle_closed(&idle);
	CHECK(idle_due(&idle) == START + 1 + IDLE_USEC);
}

TEST("a connection that stays open and says nothing puts nothing off once it is closed")
{
	struct idle idle;

	idle_start(&idle, START);
	idle_opened(&idle);
	idle_closed(&idle);
	CHECK(idle_due(&idle) == START + IDLE_USEC);
}

TEST("a request that is refused puts nothing off: strangers do not keep it running")
{
	struct idle idle;

	idle_start(&idle, START);
	idle_opened(&idle);
	idle_used(&idle, true, START + 1);
	idle_used(&idle, false, START + 2);
	idle_closed(&idle);
	CHECK(idle_due(&idle) == START + 1 + IDLE_USEC);
}

TEST("it is over a minute after the last one, whether or not a connection is open")
{
	struct idle idle;

	idle_start(&idle, START);
	idle_opened(&idle);
	idle_used(&idle, true, START + 1);
	CHECK(!idle_is_over(&idle, START + IDLE_USEC));
	CHECK(idle_is_over(&idle, START + 1 + IDLE_USEC));
	idle_used(&idle, false, START + 1 + IDLE_USEC);
	CHECK(idle_is_over(&idle, START + 1 + IDLE_USEC));
	idle_used(&idle, true, START + 1 + IDLE_USEC);
	CHECK(!idle_is_over(&idle, START + 1 + IDLE_USEC));
}

int main(void)
{
	return tap_run();
}
