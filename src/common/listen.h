/* SPDX-License-Identifier: MIT */
#ifndef LISTEN_H
#define LISTEN_H

#include <stdbool.h>

#include "address.h"

/* The most sockets that one ADDR stands for: a name can have several addresses. */
#define LISTEN_MAX 8

/*
 * Opens the listening sockets of an ADDR, non-blocking. A PORT alone is every
 * address of this machine, IPv4 and IPv6. The path of a UNIX socket that nobody
 * listens on any more is taken over; one that is in use, or no socket, is not.
 *
 * A name stands for all its addresses: those that cannot be had are a warning if another one can.
 *
 * fds: set to the descriptors
 * Returns how many, or -1 with *why set to a constant reason.
 */
int listen_on(const struct address *address, int fds[LISTEN_MAX], const char **why);

/*
 * Whether accept4(2) has failed because this process or the machine has no descriptors or memory
 * left. The connection still waits then.
 */
bool listen_is_shortage(int error);

#endif
