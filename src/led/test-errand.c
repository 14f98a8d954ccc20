/* SPDX-License-Identifier: MIT */
#include "errand.h"

#include "tap.h"

#define START 1000000ULL

static struct errand errand;

static bool go_on(enum outcome outcome, enum status status, uint64_t now)
{
	return errand_go_on(&errand, outcome, status, now);
}

TEST("an answer ends it, whatever it says, with and without a key")
{
	for (int key = 0; key < 2; key++) {
		for (enum status status = STATUS_DONE; status <= STATUS_REFUSED; status++) {
			errand_begin(&errand, key, START);
			CHECK(!go_on(OUTCOME_ANSWERED, status, START));
			CHECK(errand.status == status && !errand.unknown);
		}
	}
}

TEST("a server that is not there ends it: nothing is waited for")
{
	for (int key = 0; key < 2; key++) {
		errand_begin(&errand, key, START);
		CHECK(!go_on(OUTCOME_UNREACHED, STATUS_DONE, START));
		CHECK(errand.status == STATUS_UNKNOWN && !errand.unknown);
	}
}

TEST("without a key, a command is not sent twice")
{
	errand_begin(&errand, false, START);
	CHECK(!go_on(OUTCOME_UNKNOWN, STATUS_DONE, START));
	CHECK(errand.status == STATUS_UNKNOWN && errand.unknown);
}

TEST("with a key, it is tried again after pauses, until 5 s after the first attempt")
{
	uint64_t now = START, last = 0;
	unsigned n = 0;

	errand_begin(&errand, true, START);
	while (go_on(OUTCOME_UNKNOWN, STATUS_DONE, now)) {
		CHECK(errand.try_at - now >= ERRAND_PAUSE_FIRST_USEC);
		CHECK(errand.try_at - now <= ERRAND_PAUSE_LAST_USEC);
		CHECK(errand.try_at - now >= last);
		last = errand.try_at - now;
		now = errand.try_at;
		n++;
	}
	CHECK(errand.status == STATUS_UNKNOWN && errand.unknown);
	CHECK(n >= 5);
	CHECK(now <= START + ERRAND_RETRY_USEC);
	CHECK(now + ERRAND_PAUSE_LAST_USEC > START + ERRAND_RETRY_USEC);
}

TEST("an attempt that took too long is the last one")
{
	errand_begin(&errand, true, START);
	CHECK(!go_on(OUTCOME_UNKNOWN, STATUS_DONE, START + 5500000));
	CHECK(errand.status == STATUS_UNKNOWN);
}

TEST("an OK ends it at any attempt")
{
	static const enum outcome BETWEEN[] = {
		OUTCOME_UNKNOWN, OUTCOME_UNREACHED, OUTCOME_ANSWERED};

	for (size_t i = 0; i < sizeof BETWEEN / sizeof *BETWEEN; i++) {
		errand_begin(&errand, true, START);
		CHECK(go_on(OUTCOME_UNKNOWN, STATUS_DONE, START));
		CHECK(go_on(BETWEEN[i], STATUS_REFUSED, errand.try_at));
		CHECK(!go_on(OUTCOME_ANSWERED, STATUS_DONE, errand.try_at));
		CHECK(errand.status == STATUS_DONE);
	}
}

TEST("once it may have been carried out, an ERR and nobody there leave that open")
{
	static const enum outcome LAST[] = {OUTCOME_UNREACHED, OUTCOME_ANSWERED};

	for (size_t i = 0; i < sizeof LAST / sizeof *LAST; i++) {
		errand_begin(&errand, true, START);
		CHECK(go_on(OUTCOME_UNKNOWN, STATUS_DONE, START));
		CHECK(!go_on(LAST[i], STATUS_REFUSED, START + ERRAND_RETRY_USEC));
		CHECK(errand.status == STATUS_UNKNOWN && errand.unknown);
	}
}

TEST("another server's words are no answer")
{
	errand_begin(&errand, false, START);
	CHECK(!go_on(OUTCOME_ANSWERED, STATUS_UNKNOWN, START));
	CHECK(errand.status == STATUS_UNKNOWN && errand.unknown);
	errand_begin(&errand, true, START);
	CHECK(go_on(OUTCOME_ANSWERED, STATUS_UNKNOWN, START));
}

TAP_MAIN
