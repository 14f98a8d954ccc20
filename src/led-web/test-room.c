/* SPDX-License-Identifier: MIT */
#include "room.h"

#include <arpa/inet.h>

#include "tap.h"

static struct room room;
static in_port_t port;

/* A client at an address, each time from another port; "" is one on this machine. */
static struct peer at(const char *address)
{
	struct peer peer = {.family = AF_UNIX, .uid = port++};

	if (strchr(address, ':')) {
		peer.family = AF_INET6;
		inet_pton(AF_INET6, address, &peer.in6);
	} else if (*address) {
		peer.family = AF_INET;
		inet_pton(AF_INET, address, &peer.in);
	}
	peer.port = port;
	return peer;
}

/* How many more come in from an address, before there is no place. */
static unsigned come(const char *address)
{
	unsigned n = 0;

	for (struct peer peer = at(address); room_has_place(&room, &peer); peer = at(address), n++)
		room_enter(&room, &peer);
	return n;
}

static void leave(const char *address)
{
	struct peer peer = at(address);

	room_leave(&room, &peer);
}

TEST("32 from an address, 64 in all")
{
	room = (struct room){0};
	CHECK(come("192.0.2.1") == 32);
	CHECK(come("192.0.2.1") == 0);
	CHECK(come("192.0.2.2") == 32);
	CHECK(come("192.0.2.3") == 0 && room.n == 64);
}

TEST("a place is free again when somebody from there leaves")
{
	room = (struct room){0};
	come("192.0.2.1");
	come("192.0.2.2");
	leave("192.0.2.2");
	CHECK(come("192.0.2.1") == 0 && come("192.0.2.2") == 1);
	leave("192.0.2.1");
	leave("192.0.2.2");
	CHECK(come("192.0.2.3") == 2 && come("192.0.2.3") == 0);
	for (unsigned i = 0; i < 2; i++)
		leave("192.0.2.3");
	CHECK(come("192.0.2.1") == 1 && come("192.0.2.2") == 1);
}

TEST("an address of IPv6 is the whole of it")
{
	room = (struct room){0};
	CHECK(come("2001:db8::1") == 32);
	CHECK(come("2001:db8::2") == 32);
	leave("2001:db8::2");
	CHECK(come("2001:db8::1") == 0 && come("2001:db8::2") == 1);
}

TEST("those on this machine's socket have no address, and share only what there is for all")
{
	room = (struct room){0};
	CHECK(come("192.0.2.1") == 32);
	CHECK(come("") == 32);
	leave("");
	CHECK(come("192.0.2.1") == 0 && come("") == 1);
}

TAP_MAIN
