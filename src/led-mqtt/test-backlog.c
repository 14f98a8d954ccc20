/* SPDX-License-Identifier: MIT */
#include "backlog.h"
#include "tap.h"

#define NOW 100000ULL

static struct backlog b;

TEST("a process that reads at once: all bytes are as new as the newest")
{
	backlog_start(&b, NOW);
	CHECK(backlog_read(&b, 10, 0, NOW + 5000, NOW + 5000) == NOW + 5000);
	CHECK(backlog_read(&b, 10, 500, NOW + 9000, NOW + 9999) == NOW + 9000);
	CHECK(backlog_read(&b, 500, 0, NOW + 9000, NOW + 9999) == NOW + 9000);
}

TEST("newest bytes that are old, or a standstill: the others may be as old as the last look")
{
	backlog_start(&b, NOW);
	CHECK(backlog_read(&b, 10, 0, NOW + 20000, NOW + 20999) == NOW + 20000);
	CHECK(backlog_read(&b, 10, 0, NOW + 40000, NOW + 41000) == NOW + 20999);
	CHECK(backlog_read(&b, 10, 0, NOW + 42000, NOW + 42000) == NOW + 42000);
	backlog_still(&b);
	CHECK(backlog_read(&b, 10, 0, NOW + 60000, NOW + 60000) == NOW + 42000);
	CHECK(backlog_read(&b, 10, 0, NOW + 70000, NOW + 70000) == NOW + 70000);
}

TEST("after a standstill, what is left is as old, until nothing is")
{
	backlog_start(&b, NOW);
	backlog_still(&b);
	CHECK(backlog_read(&b, 10, 20, NOW + 9000, NOW + 9000) == NOW);
	CHECK(backlog_read(&b, 19, 1, NOW + 9000, NOW + 9001) == NOW);
	CHECK(backlog_read(&b, 1, 0, NOW + 9000, NOW + 9002) == NOW);
	CHECK(backlog_read(&b, 10, 0, NOW + 9500, NOW + 9500) == NOW + 9500);
}

TEST("a flood that is read late: what came after a mark is not older than it")
{
	backlog_start(&b, NOW);
	backlog_still(&b);
	/* At 2000, 30 bytes are left; when they have been read, the rest is newer than 2000. */
	CHECK(backlog_read(&b, 10, 30, NOW + 2000, NOW + 2000) == NOW);
	CHECK(backlog_read(&b, 20, 50, NOW + 3000, NOW + 3000) == NOW);
	CHECK(backlog_read(&b, 10, 60, NOW + 4000, NOW + 4000) == NOW);
	CHECK(backlog_read(&b, 59, 60, NOW + 5000, NOW + 5000) == NOW + 2000);
	CHECK(backlog_read(&b, 1, 60, NOW + 6000, NOW + 6000) == NOW + 2000);
	CHECK(backlog_read(&b, 60, 60, NOW + 7000, NOW + 7000) == NOW + 4000);
	CHECK(backlog_read(&b, 10, 0, NOW + 8000, NOW + 8000) == NOW + 6000);
}

TEST("reading is put off: what is read then is not older than what was read before")
{
	backlog_start(&b, NOW);
	CHECK(backlog_read(&b, 10, 500, NOW + 5000, NOW + 5000) == NOW + 5000);
	backlog_still(&b);
	CHECK(backlog_read(&b, 500, 0, NOW + 5000, NOW + 5100) == NOW + 5000);
	CHECK(backlog_read(&b, 10, 0, NOW + 9000, NOW + 9000) == NOW + 9000);
}

TEST("never older than they are, never newer than the newest: bytes that come and are read in any "
     "order")
{
	bool good = true;

	/* Each step: a second passes, and 0 to 3 bytes come; then 0 to 3 are read. */
	for (unsigned order = 0; order < 1 << 20; order++) {
		uint64_t came[16], now = NOW;
		size_t written = 0, read = 0;

		backlog_start(&b, now);
		for (int i = 0; i < 5; i++) {
			unsigned step = order >> (4 * i) & 15;
			size_t n = step >> 2;

			now += 1000;
			for (unsigned j = 0; j < (step & 3); j++)
				came[written++] = now - 500;
			if (n > written - read)
				n = written - read;
			if (n == 0)
				continue;
			if (written - read > (step & 3))
				backlog_still(&b); /* something was left from before */
			uint64_t at =
				backlog_read(&b, n, written - read - n, came[written - 1], now);
			good &= at <= came[read] && at >= NOW;
			read += n;
		}
	}
	CHECK(good);
}

TAP_MAIN
