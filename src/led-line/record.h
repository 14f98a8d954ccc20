/* SPDX-License-Identifier: MIT */
#ifndef RECORD_H
#define RECORD_H

/*
 * What the next led-line has to know: the LED's state, the times of recent commands, and the keys
 * of commands that were carried out. It is a small file in memory, which the service manager keeps
 * over a crash and a restart: store.h.
 */

#include "command.h"
#include "reorder.h"

/* Keys that are remembered; the next one takes the place of the oldest. */
#define RECORD_KEYS 64

/* Begins as all zeros. */
struct record {
	bool lit;
	uint64_t off_at; /* when the LED goes out by itself, in microseconds of CLOCK_BOOTTIME, or 0
			  */
	struct reorder reorder;
	char keys[RECORD_KEYS][COMMAND_KEY_MAX]; /* padded with NULs; a ring */
	unsigned next_key;
	bool key_pending; /* the command of the last key is being carried out */
};

/* Whether a command with this key was carried out. key: padded with NULs; "" is none */
bool record_has_key(const struct record *record, const char key[COMMAND_KEY_MAX + 1]);

/* Remembers a key, unless it is "". Its command is pending from then on. */
void record_add_key(struct record *record, const char key[COMMAND_KEY_MAX + 1]);

/*
 * Compares the record with the LED's real state. If they differ, led-line ended before it carried
 * out the pending command: its key and the times of all commands are forgotten. An LED that is off
 * has no time to go out.
 */
void record_settle(struct record *record, bool lit);

/* Creates the file, without a record in it. Returns a descriptor or a negative errno. */
int record_create(void);

/*
 * Writes the record. Whenever the process is killed, the file has the old one or the new one.
 *
 * Returns 0 or a negative errno.
 */
int record_write(int fd, const struct record *record);

/*
 * Reads the record. From a file of another version, it takes only the state: "on" or "off" and a
 * newline, which is all that 0.1.0 writes.
 *
 * Returns 0, or a negative errno: -EBADMSG for any other file.
 */
int record_read(int fd, struct record *record);

#endif
