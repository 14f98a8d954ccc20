/* SPDX-License-Identifier: MIT */
#include "session.h"
#include "tap.h"

#define NOW 1000000000ULL
#define SECOND 1000000ULL

TEST("which version is asked next, and when")
{
	static const struct {
		enum session_version version;
		enum session_end end;
		enum session_version next;
		uint64_t pause;
	} CASES[] = {
		{SESSION_V5, SESSION_UNREACHED, SESSION_V5, SECOND},
		{SESSION_V5, SESSION_CLOSED, SESSION_V311, SECOND},
		{SESSION_V5, SESSION_OLD, SESSION_V311, 0},
		{SESSION_V5, SESSION_REFUSED, SESSION_V5, SECOND},
		{SESSION_V5, SESSION_SILENT, SESSION_V5, SECOND},
		{SESSION_V5, SESSION_LOST, SESSION_V5, SECOND},
		{SESSION_V311, SESSION_UNREACHED, SESSION_V311, SECOND},
		{SESSION_V311, SESSION_CLOSED, SESSION_V5, SECOND},
		{SESSION_V311, SESSION_OLD, SESSION_V5, SECOND},
		{SESSION_V311, SESSION_REFUSED, SESSION_V5, SECOND},
		{SESSION_V311, SESSION_SILENT, SESSION_V5, SECOND},
		{SESSION_V311, SESSION_LOST, SESSION_V5, SECOND},
	};

	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		struct session session;

		session_start(&session);
		session.version = CASES[i].version;
		CHECK(session_end(&session, CASES[i].end, NOW, 0) == CASES[i].pause);
		CHECK(session.version == CASES[i].next);
	}
}

TEST("the pauses begin anew after a good connection that the broker did not leave silent")
{
	for (int end = SESSION_SILENT; end <= SESSION_LOST; end++)
		for (uint64_t lasted = SESSION_GOOD_USEC - 1; lasted <= SESSION_GOOD_USEC;
			lasted++) {
			struct session session;
			bool anew = end == SESSION_LOST && lasted >= SESSION_GOOD_USEC;

			session_start(&session);
			session_end(&session, SESSION_UNREACHED, NOW, 0);
			session_end(&session, SESSION_UNREACHED, NOW, 0);
			session_up(&session, NOW);
			CHECK(session_end(&session, end, NOW + lasted, 0) ==
				(anew ? SECOND : 4 * SECOND));
			/* What was good once is not good for the next. */
			CHECK(session_end(&session, SESSION_LOST, NOW + 100 * SECOND, 0) ==
				(anew ? 2 * SECOND : 8 * SECOND));
		}
}

TEST("every order of six ends: never two connections without a pause, and no long row of old ones")
{
	bool good = true;

	for (unsigned order = 0; order < 46656 /* 6 to the 6th */; order++) {
		struct session session;
		unsigned rest = order;
		uint64_t last = SECOND;
		enum session_version before = SESSION_V5;

		session_start(&session);
		for (int i = 0; i < 6; i++, rest /= 6) {
			uint64_t pause = session_end(&session, rest % 6, NOW, UINT32_MAX);

			good &= pause > 0 || last > 0;
			good &= rest % 6 == SESSION_UNREACHED || before == SESSION_V5 ||
				session.version == SESSION_V5;
			last = pause;
			before = session.version;
		}
	}
	CHECK(good);
}

TEST("connections that end soon, one after the other: somebody else may have the same ID")
{
	struct session session;
	uint64_t now = NOW;

	session_start(&session);
	for (int i = 0; i < 4; i++) {
		session_up(&session, now);
		now += SESSION_TAKEN_USEC - 1;
		session_end(&session, SESSION_LOST, now, 0);
		CHECK(session_is_taken(&session) == (i >= 1));
		/* A broker without MQTT 5 refuses every other connection. */
		session_end(&session, SESSION_OLD, now, 0);
	}
	/* A broker that restarts was away. */
	session_end(&session, SESSION_UNREACHED, now, 0);
	CHECK(!session_is_taken(&session));
	/* One that ends them after a while does it for its own reasons. */
	for (int i = 0; i < 4; i++) {
		session_up(&session, now);
		now += SESSION_TAKEN_USEC;
		session_end(&session, SESSION_LOST, now, 0);
		CHECK(!session_is_taken(&session));
	}
}

TEST("silence: a broker that wants a short keepalive is asked in time")
{
	for (unsigned keepalive = 1; keepalive <= 65535; keepalive++) {
		uint64_t usec = session_silence_usec(keepalive);

		/* Later than the library's whole seconds, and before the broker loses patience. */
		if (usec <= keepalive * SECOND || usec + SECOND / 4 >= keepalive * SECOND * 3 / 2)
			CHECK(keepalive == 0);
	}
}

TAP_MAIN
