/* SPDX-License-Identifier: MIT */
#ifndef CONNECTION_H
#define CONNECTION_H

/* led's connection to a server: it waits, for a bounded time. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "command.h"

/* How long to connect to one address: another one may answer. */
#define CONNECTION_OPEN_USEC 2000000

/* Longer than led-handler takes to say that led-line is out of reach. */
#define CONNECTION_ANSWER_USEC 5500000

/* Without an end. */
#define CONNECTION_FOREVER UINT64_MAX

/* Begins with connection_init(). */
struct connection {
	int fd; /* or -1 */
	char buffer[ANSWER_MAX];
	size_t length; /* of what was read */
	size_t taken;  /* so much of that */
};

void connection_init(struct connection *connection);

/*
 * Connects to the first address of a server that takes it, and keeps the connection alive.
 *
 * Returns NULL, or the reason why there is no connection.
 */
const char *connection_open(struct connection *connection, const struct address *server);

/* Sends a command, with its newline. Returns NULL, or the reason why nothing was sent. */
const char *connection_send(struct connection *connection, const char *command);

/*
 * Waits for a line.
 *
 * line: set to the line without its newline; overwritten by the next one
 * until: microseconds of clock_usec(), or CONNECTION_FOREVER
 * Returns NULL, or the reason why there is none.
 */
const char *connection_read(struct connection *connection, char **line, uint64_t until);

/*
 * Closes the connection. If there was no answer, the kernel would go on sending the command for
 * minutes: a reset ends that.
 */
void connection_close(struct connection *connection, bool answered);

#endif
