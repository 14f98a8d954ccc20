/* SPDX-License-Identifier: MIT */
#ifndef INPUT_H
#define INPUT_H

/* What a client sends to led-handler. Times are milliseconds of CLOCK_MONOTONIC. */

#include <stdbool.h>
#include <stdint.h>

#include "command.h"

uint64_t input_now_ms(void);

/* Waits until there is something to read. Returns false when the deadline comes first. */
bool input_wait(int fd, uint64_t deadline_ms);

/*
 * Reads until the command has ended: at a terminator, at the end of the stream, or when the
 * client stays quiet. There has to be something to read.
 *
 * deadline_ms: for the first byte of the command; the rest has COMMAND_DEADLINE_MS
 * command: all zeros, to be filled in
 * ended: set to true when the client can send nothing more
 * Returns NULL, or the reason why there is no complete command.
 */
const char *input_read_command(int fd, uint64_t deadline_ms, struct command *command, bool *ended);

/* Whether the stream has ended before the client has sent anything. Reads nothing. */
bool input_has_ended(int fd);

/*
 * Reads and drops what a refused client is still sending, for COMMAND_DRAIN_MS at most. To close
 * a connection with unread bytes would reset it, and the client might lose the answer.
 */
void input_drain(int fd);

#endif
