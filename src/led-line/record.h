/* SPDX-License-Identifier: MIT */
#ifndef RECORD_H
#define RECORD_H

/*
 * What led-line knows of an LED, and the next led-line has to know: its state, the times of recent
 * commands, and the keys of commands that were carried out. record-file.h keeps it.
 */

#include "command.h"
#include "reorder.h"

/* Keys that are remembered; the next one takes the place of the oldest. */
#define RECORD_KEYS 64

/* Begins as all zeros. A change of the layout is a change of format: record-file.c. */
struct record {
	bool lit;
	uint64_t off_at; /* when the LED goes out by itself, in microseconds of CLOCK_BOOTTIME, or 0
			  */
	struct reorder reorder;
	char keys[RECORD_KEYS][COMMAND_KEY_MAX]; /* padded with NULs; a ring */
	unsigned next_key;
	uint8_t key_pending; /* if not 0, the command of the last key is being carried out */
	/* If not 0, a command is, and the record's file has the times of those before. Always 0 in
	 * what 0.2.0 to 0.5.0 have written: it was no member. */
	uint8_t pending;
};

/* Whether a command with this key was carried out. key: padded with NULs; "" is none */
bool record_has_key(const struct record *record, const char key[COMMAND_KEY_MAX + 1]);

/* Remembers a key, unless it is "". Its command is pending from then on. */
void record_add_key(struct record *record, const char key[COMMAND_KEY_MAX + 1]);

/* Forgets the key that was added last. */
void record_forget_last_key(struct record *record);

#endif
