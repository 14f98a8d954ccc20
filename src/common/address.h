/* SPDX-License-Identifier: MIT */
#ifndef ADDRESS_H
#define ADDRESS_H

/* ADDR on the command line: /path, HOST:PORT, [v6]:PORT, or PORT. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

struct addrinfo;

struct address {
	char path[sizeof((struct sockaddr_un){0}.sun_path)]; /* a UNIX socket, or "" */
	char host[256];                                      /* or "" where only a port is given */
	char port[sizeof "65535"];
};

/* Room for an address as address_text() writes it. */
#define ADDRESS_TEXT_MAX (sizeof(struct address) + sizeof "[]:")

/* Room for a peer as address_peer_text() writes it. */
#define ADDRESS_PEER_MAX 80

/*
 * Reads ADDR. Names are not looked up.
 *
 * Returns NULL, or the reason why text is not an address.
 */
const char *address_parse(const char *text, struct address *address);

/*
 * Writes an address as address_parse() reads it.
 *
 * Returns text.
 */
const char *address_text(const struct address *address, char text[ADDRESS_TEXT_MAX]);

/* What getaddrinfo(3) is asked for; the flags are the caller's to add to. */
extern const struct addrinfo ADDRESS_HINTS;

/* Writes the sockaddr of a path. Returns its size in bytes. */
socklen_t address_sockaddr_un(const struct address *address, struct sockaddr_un *sun);

/*
 * Writes the sockaddr of a path or of a numeric host. A PORT alone is 127.0.0.1.
 *
 * Returns its size in bytes, or 0 if the host is a name.
 */
socklen_t address_sockaddr(const struct address *address, struct sockaddr_storage *storage);

/*
 * Connects to a path or a numeric host, and waits for it.
 *
 * timeout_ms: for that, and at the most for each read and write on the connection afterwards
 * Returns a descriptor, or -1 with *why set to a constant reason.
 */
int address_connect(const struct address *address, int timeout_ms, const char **why);

/* The client at the other end of a connection. */
struct address_peer {
	int family; /* AF_INET, AF_INET6, AF_UNIX; AF_UNSPEC: its connection is gone already */
	union {
		struct in_addr in; /* that of an IPv4 address in IPv6, too */
		struct in6_addr in6;
		uid_t uid; /* ours where fd is no connection */
	};
	in_port_t port; /* in host byte order */
};

/*
 * Finds out who the client is. Never fails.
 *
 * from: its address where accept(2) gave it, or NULL to ask for it
 */
void address_get_peer(int fd, const struct sockaddr_storage *from, struct address_peer *peer);

/*
 * Writes it for people: "192.0.2.1:40000", "[fe80::1]:40000", "local user 1000".
 *
 * Returns text.
 */
const char *address_peer_text(const struct address_peer *peer, char text[ADDRESS_PEER_MAX]);

/* Whether it is on this machine: at a UNIX socket or a loopback address. */
bool address_peer_is_local(const struct address_peer *peer);

#endif
