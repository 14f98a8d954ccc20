/* SPDX-License-Identifier: MIT */
#ifndef TRANSPORT_H
#define TRANSPORT_H

/* A connection to a broker, over TCP or TLS: bytes in and out. */

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "address.h"

/* How long it may take to connect, and for a TLS handshake. */
#define TRANSPORT_CONNECT_MS 10000

/* With several addresses, the next one is tried too after this time. */
#define TRANSPORT_NEXT_MS 250

/* Room for a reason. */
#define TRANSPORT_WHY_MAX 256

/* The reason where the other side has closed the connection. */
#define TRANSPORT_CLOSED "the broker has closed the connection"

struct broker_address {
	bool tls;
	char host[sizeof((struct address){0}.host)];
	int port;
};

struct transport_options {
	struct broker_address address;
	const char *ca_file, *cert, *key; /* for TLS, or NULL */
};

struct transport {
	int fd;   /* or -1 */
	SSL *ssl; /* or NULL: plain TCP */
};

/*
 * Loads what OpenSSL loads when it is first needed: its configuration, and the providers that this
 * names. May be called again.
 */
void transport_load(void);

/*
 * Looks the name up and connects to the address that answers first. Blocks, for as long as the
 * look-up and twice TRANSPORT_CONNECT_MS.
 *
 * why: set to the reason if it fails
 * Returns whether it has a connection.
 */
bool transport_open(struct transport *transport, const struct transport_options *options,
	char why[TRANSPORT_WHY_MAX]);

/*
 * Reads or writes what is possible at once.
 *
 * why: set to the reason, a constant, if the connection has ended
 * Returns the number of bytes; 0 if there are none, or no room; or -1 if the connection has ended.
 */
ssize_t transport_read(struct transport *transport, void *bytes, size_t n, const char **why);
ssize_t transport_write(struct transport *transport, const void *bytes, size_t n, const char **why);

/* How many bytes wait to be read. */
size_t transport_unread(const struct transport *transport);

/* Closes it, if it is open. */
void transport_close(struct transport *transport);

#endif
