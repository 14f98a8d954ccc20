/* SPDX-License-Identifier: MIT */
#ifndef SERVER_H
#define SERVER_H

/*
 * led-line's connections: who may send what, and what is answered. clients.h accepts, reads and
 * closes them; reception.h says what a command is worth.
 */

#include <systemd/sd-event.h>

#include "arrival.h"
#include "leds.h"
#include "watchers.h"

struct server;

/*
 * Creates a server without sockets.
 *
 * clock: tells when a command came; kept by the caller
 * allow: who may connect, as allow_peer() reads it; kept by the caller. NULL: that setting is
 *     wrong, and nobody may over the network
 * leds, watchers: carry out the commands; kept by the caller
 * Returns NULL when memory is short.
 */
struct server *server_create(sd_event *event, const struct arrival_clock *clock, const char *allow,
	struct leds *leds, struct watchers *watchers);

/*
 * Serves a listening stream socket, which from then on is the server's to close.
 *
 * fd: made non-blocking and close-on-exec
 * Returns 0 or a negative errno; -E2BIG when there are too many.
 */
int server_add_socket(struct server *server, int fd);

/*
 * Accepts no more clients. New connections wait in the socket's queue for the next process.
 *
 * stopped: called when those that are connected have been answered: after half a second at the
 *     latest
 */
void server_stop(struct server *server, void (*stopped)(void *userdata), void *userdata);

/* Closes every client and every socket. */
void server_destroy(struct server *server);

#endif
