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

/*
 * Reads ADDR. Names are not looked up.
 *
 * Returns NULL, or the reason why text is not an address.
 */
const char *address_parse(const char *text, struct address *address);

/*
 * Reads where led-line is: an ADDR that needs no look-up.
 *
 * Returns NULL, or the reason why text is none.
 */
const char *address_parse_line(const char *text, struct address *address);

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

#endif
