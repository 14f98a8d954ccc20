/* SPDX-License-Identifier: MIT */
#ifndef ALLOW_H
#define ALLOW_H

/* Who may connect: "private", "any", or prefixes such as 203.0.113.0/24, in any mixture. */

#include "peer.h"

/* The answer to a client that is not allowed. */
#define ALLOW_REFUSAL "not allowed from this address"

/*
 * Reads a list with blanks between its words, and looks a client up in it. A client of a
 * UNIX socket is always allowed, since the permissions of its socket decide; one whose address is
 * not known any more is not.
 *
 * peer: the client, or NULL to read the list only
 * allowed: set to whether the client may connect
 * Returns NULL, or the reason why the list is wrong, which stays until the next call.
 */
const char *allow_peer(const char *list, const struct peer *peer, bool *allowed);

#endif
