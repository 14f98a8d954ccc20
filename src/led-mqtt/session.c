/* SPDX-License-Identifier: MIT */

/* Connections to a broker: the version of MQTT, and the pauses. */

#include "session.h"

/* The library counts whole seconds, which its caller must not anticipate. */
#define ROUNDING_USEC 100000ULL

void session_start(struct session *session)
{
	*session =
		(struct session){.pause = {SESSION_PAUSE_FIRST_USEC, SESSION_PAUSE_LAST_USEC, 0}};
}

void session_up(struct session *session, uint64_t now)
{
	session->up_since = now;
}

uint64_t session_end(struct session *session, enum session_end end, uint64_t now, uint32_t random)
{
	bool was_good = session->up_since && now - session->up_since >= SESSION_GOOD_USEC;
	bool asks_old =
		session->version == SESSION_V5 && (end == SESSION_OLD || end == SESSION_CLOSED);

	if (end == SESSION_LOST && session->up_since &&
		now - session->up_since < SESSION_TAKEN_USEC)
		session->lost++;
	else if (end == SESSION_LOST || end == SESSION_UNREACHED || end == SESSION_SILENT)
		session->lost = 0;
	session->up_since = 0;
	if (was_good && end != SESSION_SILENT)
		pause_reset(&session->pause);
	/* Whatever comes of 3.1.1, the connection after it begins with 5 again. */
	if (end != SESSION_UNREACHED)
		session->version = asks_old ? SESSION_V311 : SESSION_V5;
	if (asks_old && end == SESSION_OLD)
		return 0;
	return pause_spread(pause_next(&session->pause), random);
}

bool session_is_taken(const struct session *session)
{
	return session->lost >= SESSION_TAKEN;
}

uint64_t session_silence_usec(unsigned keepalive)
{
	return keepalive * 1000000ULL + ROUNDING_USEC;
}
