/* SPDX-License-Identifier: MIT */
#ifndef EXCHANGE_H
#define EXCHANGE_H

/* A connection to led-line that waits for nothing: one command, and the lines that answer it. */

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "address.h"
#include "command.h"

/*
 * A line has come, with nothing in it but printable characters.
 *
 * Returns true if the next one is to be read, or false if the exchange has been closed.
 */
typedef bool (*exchange_taken)(void *userdata, char *line);

/*
 * The connection could not be made, or has ended by itself.
 *
 * why: the reason, for people
 * sent: whether led-line may have got the command
 */
typedef void (*exchange_ended)(void *userdata, const char *why, bool sent);

/* Begins as all zeros, but for the callbacks. */
struct exchange {
	exchange_taken taken;
	exchange_ended ended;
	void *userdata;
	sd_event_source *io;
	int fd;
	const char *command;
	bool sent;
	char buffer[ANSWER_MAX];
	size_t length;
};

/*
 * Connects and sends a command. ended() may be called at once.
 *
 * line: where led-line listens
 * command: with its newline; kept by the caller
 */
void exchange_open(struct exchange *exchange, sd_event *event, const struct address *line,
	const char *command);

/* Closes it, if it is open. */
void exchange_close(struct exchange *exchange);

#endif
