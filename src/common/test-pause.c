/* SPDX-License-Identifier: MIT */
#include "pause.h"
#include "tap.h"

TEST("pauses double up to the longest, and begin anew after a success")
{
	static const uint64_t USEC[] = {3, 6, 12, 24, 25, 25};
	struct pause pause = {.first_usec = 3, .last_usec = 25};

	for (int turn = 0; turn < 2; turn++) {
		for (size_t i = 0; i < sizeof USEC / sizeof *USEC; i++)
			CHECK(pause_next(&pause) == USEC[i]);
		CHECK(pause.usec == 25);
		pause_reset(&pause);
		CHECK(pause.usec == 0);
	}
	pause = (struct pause){.first_usec = 7, .last_usec = 5};
	CHECK(pause_next(&pause) == 5);
}

TEST("the random part is at most as long again")
{
	CHECK(pause_spread(1000000, 0) == 1000000);
	CHECK(pause_spread(1000000, UINT32_MAX / 2 + 1) == 1500000);
	CHECK(pause_spread(1000000, UINT32_MAX) == 1999999);
	CHECK(pause_spread(30000000, UINT32_MAX) == 59999999);
	CHECK(pause_spread(0, UINT32_MAX) == 0);
}

TEST("the random part spreads clients")
{
	unsigned n[4] = {0};

	/* Of a thousand clients, each quarter of the random part has its share. */
	for (uint32_t i = 0; i < 1000; i++)
		n[(pause_spread(1000000, UINT32_MAX / 1000 * i) - 1000000) / 250000]++;
	for (int i = 0; i < 4; i++)
		CHECK(n[i] > 200 && n[i] < 300);
}

TAP_MAIN
