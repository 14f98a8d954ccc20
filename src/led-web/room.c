/* SPDX-License-Identifier: MIT */

/* Places for connections. */

#include "room.h"

#include <string.h>

static bool has_address(const struct peer *peer)
{
	return peer->family == AF_INET || peer->family == AF_INET6;
}

/* Whether two clients take up each other's places. */
static bool is_same(const struct peer *a, const struct peer *b)
{
	if (a->family != b->family)
		return false;
	if (a->family == AF_INET)
		return a->in.s_addr == b->in.s_addr;
	return a->family != AF_INET6 || memcmp(&a->in6, &b->in6, sizeof a->in6) == 0;
}

bool room_has_place(const struct room *room, const struct peer *peer)
{
	unsigned from_there = 0;

	if (has_address(peer))
		for (unsigned i = 0; i < room->n; i++)
			from_there += is_same(&room->peers[i], peer);
	return room->n < ROOM_MAX && from_there < ROOM_PER_ADDRESS;
}

void room_enter(struct room *room, const struct peer *peer)
{
	room->peers[room->n++] = *peer;
}

void room_leave(struct room *room, const struct peer *peer)
{
	for (unsigned i = 0; i < room->n; i++) {
		if (is_same(&room->peers[i], peer)) {
			room->peers[i] = room->peers[--room->n];
			return;
		}
	}
}
