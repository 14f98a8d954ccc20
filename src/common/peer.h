/* SPDX-License-Identifier: MIT */
#ifndef PEER_H
#define PEER_H

/* Who is at the other end of a connection. */

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

/* Room for a peer as peer_text() writes it. */
#define PEER_TEXT_MAX 80

/* The client at the other end of a connection. */
struct peer {
	/*
	 * AF_INET, AF_INET6 or AF_VSOCK; AF_UNIX: any other that is on this machine; AF_UNSPEC: its
	 * connection is gone already
	 */
	int family;
	union {
		struct in_addr in; /* that of an IPv4 address in IPv6, too */
		struct in6_addr in6;
		unsigned cid; /* of AF_VSOCK: vsock(7) */
		uid_t uid;    /* ours where fd is no connection */
	};
	in_port_t port; /* in host byte order */
};

/*
 * Finds out who the client is. Never fails.
 *
 * from: its address where accept(2) gave it, or NULL to ask for it
 */
void peer_get(int fd, const struct sockaddr_storage *from, struct peer *peer);

/*
 * Writes it for people: "192.0.2.1:40000", "[fe80::1]:40000", "local user 1000".
 *
 * Returns text.
 */
const char *peer_text(const struct peer *peer, char text[PEER_TEXT_MAX]);

/* Whether it is on this machine: at a UNIX socket or a loopback address. */
bool peer_is_local(const struct peer *peer);

#endif
