/* SPDX-License-Identifier: MIT */
#ifndef CLIENTS_H
#define CLIENTS_H

/*
 * The clients of a server: each is accepted, sends one command, gets one line as the answer, is
 * logged and closed, and none of this takes long.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "limit.h"
#include "peer.h"
#include "reader.h"

/* Clients served at once. For one more, another one is closed. */
#define CLIENTS_MAX 64

/* Listening sockets at the most. */
#define CLIENTS_SOCKETS 32

enum client_state {
	CLIENT_READS,    /* its command is not complete */
	CLIENT_WAITS,    /* client_wait() */
	CLIENT_ANSWERED, /* what it still sends is dropped */
};

struct client {
	void *userdata; /* of clients_create() */
	int fd;
	struct peer peer;
	struct peer origin;   /* the proxy's client, if the peer is a proxy */
	struct reader reader; /* its command; times are microseconds of CLOCK_MONOTONIC */
	bool logged_elsewhere;
	enum client_state state;

	/* The rest is for clients.c alone. */
	struct clients *clients;
	bool opened;   /* its first bytes have been read */
	char *outcome; /* what is logged when it is closed; or NULL */
	sd_event_source *io, *timer;
};

/* What a server does with its clients. Only the command is not optional. */
struct clients_events {
	/* The size of the server's own struct for a client, which begins with a struct client. */
	size_t size;
	/* May set its reader's deadline. Returns NULL, or the reason to refuse the client. */
	const char *(*connected)(struct client *client);
	/* Returns how many of a client's first bytes come before its command. */
	size_t (*first_bytes)(struct client *client, const char *bytes, size_t n);
	/*
	 * The command is complete, or can no longer become valid: client_answer() is to be called,
	 * client_wait() or client_close().
	 */
	void (*command)(struct client *client);
};

struct clients;

/*
 * Creates a server without sockets.
 *
 * limit: of the log; kept by the caller
 * Returns NULL when memory is short.
 */
struct clients *clients_create(
	sd_event *event, struct limit *limit, const struct clients_events *events, void *userdata);

/*
 * Serves a listening stream socket, which from then on is the server's to close.
 *
 * fd: made non-blocking and close-on-exec
 * Returns 0 or a negative errno; -E2BIG when there are too many.
 */
int clients_add_socket(struct clients *clients, int fd);

/* Returns client i, counted from 0, the oldest; or NULL after the last. */
struct client *clients_get(const struct clients *clients, unsigned i);

/*
 * Accepts no more clients. New connections wait in the socket's queue for the next process.
 *
 * idle: called when each client has its answer, which may be at once; or NULL
 */
void clients_stop(struct clients *clients, void (*idle)(void *userdata));

/* Closes every client and every socket. */
void clients_destroy(struct clients *clients);

/* What becomes of a client that has its answer. */
enum client_end {
	CLIENT_CLOSES, /* it is closed at once */
	/*
	 * What it is still sending is first read and dropped, for a second at most: to close with
	 * bytes unread would reset the connection, and the answer could be lost. A client whose
	 * stream has ended is closed at once.
	 */
	CLIENT_DRAINS,
};

/*
 * Sends the answer, closes the client, which may be gone afterwards, and logs the answer then.
 *
 * format: of the answer, without a newline
 */
void client_answer(struct client *client, enum client_end end, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Reads nothing more until the client is answered or closed: it stays even if it hangs up, and is
 * not closed for another one. It is closed at once if memory is short.
 *
 * usec: when to close it without an answer, in microseconds from now
 * outcome: what is logged then
 */
void client_wait(struct client *client, uint64_t usec, const char *outcome);

/*
 * Closes a client without an answer.
 *
 * outcome: what is logged, or NULL for nothing
 */
void client_close(struct client *client, const char *outcome);

#endif
