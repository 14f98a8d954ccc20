/* SPDX-License-Identifier: MIT */
#ifndef PROXY_H
#define PROXY_H

/*
 * The PROXY protocol, version 1: a proxy such as stunnel says in a line of its own who its client
 * is, before it passes on what the client sends: "PROXY TCP4 192.0.2.7 192.0.2.1 40112 5556\r\n".
 */

#include <stddef.h>

#include "peer.h"

/*
 * Reads that line.
 *
 * bytes, n: the first bytes of a connection; a proxy sends the line in one piece
 * client: set to the proxy's client, if the line is there
 * Returns the line's size in bytes, or 0 if it is not there.
 */
size_t proxy_read(const char *bytes, size_t n, struct peer *client);

#endif
