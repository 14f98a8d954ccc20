/* SPDX-License-Identifier: MIT */
#include "../../src/led-mqtt/backoff.h"
#include "tap.h"

#define SECOND 1000000ULL

static void doubles(void)
{
	static const uint64_t SECONDS[] = {1, 2, 4, 8, 16, 30, 30};
	struct backoff least = {0}, most = {0};

	for (size_t i = 0; i < sizeof SECONDS / sizeof *SECONDS; i++) {
		CHECK(backoff_next(&least, 0) == SECONDS[i] * SECOND);
		CHECK(backoff_next(&most, UINT32_MAX) / 1000 ==
			(SECONDS[i] * SECOND * 2 - 1) / 1000);
	}
	for (int i = 0; i < 1000; i++)
		CHECK(backoff_next(&most, UINT32_MAX) <= BACKOFF_MAX_USEC);
}

static void begins_anew(void)
{
	struct backoff backoff = {0};

	for (int i = 0; i < 10; i++)
		backoff_next(&backoff, 0);
	backoff = (struct backoff){0};
	CHECK(backoff_next(&backoff, 0) == SECOND);
}

static void spreads(void)
{
	unsigned n[4] = {0};

	/* Of a thousand clients, each quarter of the random part has its share. */
	for (uint32_t i = 0; i < 1000; i++) {
		struct backoff backoff = {0};

		n[(backoff_next(&backoff, UINT32_MAX / 1000 * i) - SECOND) / (SECOND / 4)]++;
	}
	for (int i = 0; i < 4; i++)
		CHECK(n[i] > 200 && n[i] < 300);
}

TAP_MAIN({"the pause doubles up to 60 s", doubles}, {"all zeros begin anew", begins_anew},
	{"the random part spreads clients", spreads})
