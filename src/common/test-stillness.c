/* SPDX-License-Identifier: MIT */
#include "command.h"
#include "stillness.h"
#include "tap.h"

#define LATE (COMMAND_LATE_MS * 1000ULL)

TEST("an event loop that was busy for more than 5 s stood still, one that waited did not")
{
	struct stillness stillness = {0};

	CHECK(!stillness_sleep(&stillness, 1000, 1000 + LATE));
	CHECK(!stillness_sleep(&stillness, 100 * LATE, 100 * LATE + 10));
	CHECK(stillness_sleep(&stillness, 200 * LATE, 201 * LATE + 1));
	CHECK(!stillness_sleep(&stillness, 300 * LATE, 300 * LATE));
}

TEST("stopped and continued: it stood still for as long as it seemed to wait")
{
	struct stillness stillness = {0};

	CHECK(!stillness_sleep(&stillness, 7000, 7000));
	CHECK(!stillness_continue(&stillness, 7000 + LATE));
	CHECK(stillness_continue(&stillness, 7001 + LATE));
	CHECK(!stillness_sleep(&stillness, 8000 + LATE, 8000 + LATE));
	CHECK(!stillness_sleep(&stillness, 8500 + LATE, 8500 + LATE));
	CHECK(!stillness_continue(&stillness, 9000 + LATE));
}

TEST("stopped as it woke, before it has looked at the clock: SIGCONT is read after one more wait")
{
	struct stillness stillness = {0};

	CHECK(!stillness_sleep(&stillness, 7000, 7000));
	CHECK(!stillness_sleep(&stillness, 7001 + LATE, 7001 + LATE));
	CHECK(stillness_continue(&stillness, 7001 + LATE));
	/* It was not stopped for long if it has waited for long in none of the last two waits. */
	CHECK(!stillness_sleep(&stillness, 7002 + LATE, 7002 + LATE));
	CHECK(!stillness_continue(&stillness, 7002 + LATE));
}

TEST("at the start, there was no wait before the first")
{
	struct stillness stillness = {0};

	CHECK(!stillness_sleep(&stillness, 100 * LATE, 100 * LATE));
	CHECK(!stillness_continue(&stillness, 100 * LATE + 1));
}

TEST("SIGCONT may end the wait before it is read: nothing has woken the event loop since")
{
	struct stillness stillness = {0};

	CHECK(!stillness_sleep(&stillness, 7000, 7000));
	CHECK(!stillness_sleep(&stillness, 7000, 7000 + LATE));
	CHECK(!stillness_continue(&stillness, 7000 + LATE));
	CHECK(stillness_sleep(&stillness, 7000, 7001 + LATE));
	CHECK(!stillness_continue(&stillness, 7002 + LATE));
}

TEST("at the start, the last connection says how long others may have waited")
{
	CHECK(!stillness_connected(LATE));
	CHECK(stillness_connected(LATE + 1));
}

TAP_MAIN
