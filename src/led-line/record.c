/* SPDX-License-Identifier: MIT */

/* The keys of commands that were carried out, in the record of an LED. */

#include "record.h"

#include <string.h>

bool record_has_key(const struct record *record, const char key[COMMAND_KEY_MAX + 1])
{
	for (unsigned i = 0; *key && i < RECORD_KEYS; i++)
		if (memcmp(record->keys[i], key, COMMAND_KEY_MAX) == 0)
			return true;
	return false;
}

void record_add_key(struct record *record, const char key[COMMAND_KEY_MAX + 1])
{
	record->key_pending = *key;
	if (!*key)
		return;
	memcpy(record->keys[record->next_key], key, COMMAND_KEY_MAX);
	record->next_key = (record->next_key + 1) % RECORD_KEYS;
}

void record_forget_last_key(struct record *record)
{
	record->next_key = (record->next_key + RECORD_KEYS - 1) % RECORD_KEYS;
	memset(record->keys[record->next_key], 0, COMMAND_KEY_MAX);
}
