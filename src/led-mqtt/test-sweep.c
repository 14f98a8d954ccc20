/* SPDX-License-Identifier: MIT */
#include "sweep.h"
#include "tap.h"

#define NOW 1000000000ULL
#define SECOND 1000000ULL

static struct sweep s;

/* Brings it to its first subscription. */
static void begin(void)
{
	s = (struct sweep){0};
	CHECK(sweep_next(&s, NOW) == SWEEP_WAIT && sweep_due(&s) == UINT64_MAX);
	sweep_up(&s, NOW);
	CHECK(sweep_next(&s, NOW) == SWEEP_MARK && sweep_next(&s, NOW) == SWEEP_WAIT);
	sweep_published(&s);
	sweep_acknowledged(&s, NULL, NOW);
	CHECK(sweep_next(&s, NOW) == SWEEP_SUBSCRIBE && sweep_next(&s, NOW) == SWEEP_WAIT);
}

/* It clears the marker, and that is the end. */
static void check_end(uint64_t now, const char *why)
{
	CHECK(sweep_due(&s) <= now);
	CHECK(sweep_next(&s, now) == SWEEP_UNMARK && sweep_next(&s, now) == SWEEP_WAIT);
	CHECK(!sweep_found(&s, false, now));
	sweep_published(&s);
	CHECK(sweep_next(&s, now) == SWEEP_WAIT);
	sweep_acknowledged(&s, NULL, now);
	CHECK(sweep_next(&s, now) == SWEEP_END && sweep_next(&s, now) == SWEEP_WAIT);
	if (why)
		CHECK_TEXT(s.why, why);
	else
		CHECK(!s.why);
}

/* One is found and cleared. */
static void find(uint64_t now)
{
	CHECK(sweep_found(&s, false, now));
	sweep_published(&s);
	sweep_acknowledged(&s, NULL, now);
}

TEST("nothing is retained: one round")
{
	begin();
	CHECK(!sweep_found(&s, true, NOW));
	CHECK(sweep_due(&s) == NOW + 2 * SECOND);
	CHECK(sweep_next(&s, NOW + 2 * SECOND - 1) == SWEEP_WAIT);
	check_end(NOW + 2 * SECOND, NULL);
}

TEST("what is found is cleared, and a round in which nothing is found follows")
{
	begin();
	find(NOW);
	CHECK(!sweep_found(&s, true, NOW));
	CHECK(sweep_next(&s, NOW + 2 * SECOND) == SWEEP_SUBSCRIBE);
	find(NOW + 2 * SECOND);
	sweep_found(&s, true, NOW + 2 * SECOND);
	CHECK(sweep_next(&s, NOW + 4 * SECOND) == SWEEP_SUBSCRIBE);
	sweep_found(&s, true, NOW + 4 * SECOND);
	check_end(NOW + 6 * SECOND, NULL);
}

TEST("a round goes on as long as something comes, and waits for what the broker has to acknowledge")
{
	begin();
	sweep_found(&s, true, NOW);
	CHECK(sweep_found(&s, false, NOW + SECOND / 4));
	CHECK(sweep_found(&s, false, NOW + SECOND / 2));
	sweep_published(&s);
	sweep_published(&s);
	CHECK(sweep_due(&s) == UINT64_MAX);
	CHECK(sweep_next(&s, NOW + 60 * SECOND) == SWEEP_WAIT);
	sweep_acknowledged(&s, NULL, NOW + 60 * SECOND);
	CHECK(sweep_next(&s, NOW + 60 * SECOND) == SWEEP_WAIT);
	sweep_acknowledged(&s, NULL, NOW + 60 * SECOND);
	CHECK(sweep_next(&s, NOW + 60 * SECOND) == SWEEP_SUBSCRIBE);
}

TEST("a broker that sends late is waited for: twice as long as it took once")
{
	begin();
	sweep_found(&s, true, NOW);
	find(NOW + 3 * SECOND);
	CHECK(sweep_due(&s) == NOW + 9 * SECOND);
	CHECK(sweep_next(&s, NOW + 9 * SECOND) == SWEEP_SUBSCRIBE);
	sweep_found(&s, true, NOW + 9 * SECOND);
	CHECK(sweep_due(&s) == NOW + 15 * SECOND);
	find(NOW + 11 * SECOND);
	CHECK(sweep_next(&s, NOW + 17 * SECOND) == SWEEP_SUBSCRIBE);
	/* The marker itself may be late. */
	begin();
	sweep_found(&s, true, NOW + 4 * SECOND);
	CHECK(sweep_due(&s) == NOW + 12 * SECOND);
}

TEST("a broker that does not send the marker: it cannot know")
{
	begin();
	CHECK(sweep_due(&s) == NOW + 10 * SECOND);
	CHECK(sweep_next(&s, NOW + 10 * SECOND - 1) == SWEEP_WAIT);
	check_end(
		NOW + 10 * SECOND, "the broker does not send what is retained: topics may be left");
	/* Not even if it sends others. */
	begin();
	find(NOW + SECOND);
	CHECK(sweep_due(&s) == NOW + 10 * SECOND);
	check_end(
		NOW + 10 * SECOND, "the broker does not send what is retained: topics may be left");
}

TEST("what is refused is not tried again, and is the reason")
{
	begin();
	sweep_found(&s, true, NOW);
	CHECK(sweep_found(&s, false, NOW));
	sweep_published(&s);
	sweep_acknowledged(&s, "Not authorized", NOW);
	check_end(NOW + 2 * SECOND, "Not authorized");
	/* The marker itself. */
	s = (struct sweep){0};
	sweep_up(&s, NOW);
	sweep_next(&s, NOW);
	sweep_published(&s);
	sweep_acknowledged(&s, "Not authorized", NOW);
	CHECK(sweep_next(&s, NOW) == SWEEP_SUBSCRIBE);
	check_end(NOW + 2 * SECOND, "Not authorized");
}

TEST("a second connection is tried, and it begins anew there; not a third")
{
	begin();
	CHECK(sweep_found(&s, false, NOW));
	sweep_published(&s);
	sweep_down(&s, "gone");
	CHECK(sweep_next(&s, NOW) == SWEEP_WAIT && sweep_due(&s) == UINT64_MAX);
	sweep_up(&s, NOW);
	CHECK(sweep_next(&s, NOW) == SWEEP_MARK);
	sweep_published(&s);
	sweep_acknowledged(&s, NULL, NOW);
	CHECK(sweep_next(&s, NOW) == SWEEP_SUBSCRIBE);
	sweep_down(&s, "gone");
	CHECK(sweep_next(&s, NOW) == SWEEP_END);
	CHECK_TEXT(s.why, "gone");
}

TEST("acknowledgements that nobody expects change nothing")
{
	s = (struct sweep){0};
	sweep_up(&s, NOW);
	sweep_acknowledged(&s, NULL, NOW);
	CHECK(sweep_next(&s, NOW) == SWEEP_MARK);
	begin();
	sweep_acknowledged(&s, NULL, NOW);
	CHECK(sweep_next(&s, NOW) == SWEEP_WAIT && s.unacknowledged == 0);
}

/*
 * A broker with three retained topics, which it sends in some order after each subscription, the
 * marker among them, each as late as the order says.
 */
TEST("every order and lateness of up to three messages: it ends with nothing left")
{
	bool good = true;

	for (unsigned order = 0; order < 4096; order++) {
		bool there[3] = {true, order & 1, order & 2};
		uint64_t now = NOW, sends[4] = {0};
		unsigned late = order >> 2;
		int rounds = 0;
		bool over = false;

		s = (struct sweep){0};
		sweep_up(&s, now);
		while (!over && now < NOW + 600 * SECOND) {
			switch (sweep_next(&s, now)) {
			case SWEEP_MARK:
			case SWEEP_UNMARK:
				sweep_published(&s);
				sweep_acknowledged(&s, NULL, now);
				continue;
			case SWEEP_SUBSCRIBE:
				rounds++;
				/* In steps of 0.6 s: at once to 1.8 s, the last one to 4.2 s. */
				for (int i = 0; i < 4; i++)
					sends[i] = now + (late >> (2 * i) & 3) * SECOND * 6 / 10;
				break;
			case SWEEP_END:
				over = true;
				break;
			case SWEEP_WAIT:
				break;
			}
			for (int i = 0; i < 4; i++) {
				if (!sends[i] || now < sends[i])
					continue;
				sends[i] = 0;
				if (i == 3) {
					sweep_found(&s, true, now);
				} else if (there[i] && sweep_found(&s, false, now)) {
					there[i] = false;
					sweep_published(&s);
					sweep_acknowledged(&s, NULL, now);
				}
			}
			now += SECOND / 10;
		}
		good &= over && !s.why && !there[0] && !there[1] && !there[2] && rounds >= 2;
	}
	CHECK(good);
}

TAP_MAIN
