/* SPDX-License-Identifier: MIT */
#ifndef INPUT_H
#define INPUT_H

/* What a client sends to led-handler. Times are microseconds of clock_usec(). */

#include <stdbool.h>
#include <stdint.h>

#include "reader.h"

/* Waits until there is something to read. Returns false when the time comes first. */
bool input_wait(int fd, uint64_t until_usec);

/*
 * Reads until the command has ended, or there will be none. There has to be something to read.
 *
 * reader: with its deadline
 * Returns READING_COMPLETE or READING_REFUSED.
 */
enum reading input_read(int fd, struct reader *reader);

/* Whether the stream has ended before the client has sent anything. Reads nothing. */
bool input_has_ended(int fd);

/*
 * Reads and drops what a refused client is still sending, for COMMAND_DRAIN_MS at most. To close
 * a connection with unread bytes would reset it, and the client might lose the answer.
 */
void input_drain(int fd);

#endif
