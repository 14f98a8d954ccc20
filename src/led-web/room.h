/* SPDX-License-Identifier: MIT */
#ifndef ROOM_H
#define ROOM_H

/* How many connections there may be, in all and from one address. No I/O. */

#include <stdbool.h>

#include "peer.h"

#define ROOM_MAX 64
#define ROOM_PER_ADDRESS 32

/* Begins as all zeros. */
struct room {
	struct peer peers[ROOM_MAX]; /* who is in it */
	unsigned n;
};

/*
 * Whether a client may come in. One that has no address of the network, such as one on this
 * machine's UNIX socket, shares with nobody.
 */
bool room_has_place(const struct room *room, const struct peer *peer);

/* A client for whom there is a place comes in. */
void room_enter(struct room *room, const struct peer *peer);

/* It leaves. */
void room_leave(struct room *room, const struct peer *peer);

#endif
