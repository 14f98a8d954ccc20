/* SPDX-License-Identifier: MIT */
#include "record.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Changes whenever the layout of struct record does. */
#define FORMAT 2

struct content {
	char state[8];   /* "on\n" or "off\n", padded with NULs, for 0.1.0 to read, too */
	unsigned format; /* FORMAT */
	unsigned size;   /* of record */
	struct record record;
};

/* One page is written as a whole: a process is killed before or after it. */
_Static_assert(sizeof(struct content) <= 4096, "the record fits into a page");

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

void record_settle(struct record *record, bool lit)
{
	/*
	 * The LED does not have the state that these commands left: they must not affect late
	 * commands.
	 */
	if (lit != record->lit)
		record->reorder = (struct reorder){0};
	if (record->key_pending && lit != record->lit) {
		record->next_key = (record->next_key + RECORD_KEYS - 1) % RECORD_KEYS;
		memset(record->keys[record->next_key], 0, COMMAND_KEY_MAX);
	}
	record->key_pending = false;
	record->lit = lit;
	if (!lit)
		record->off_at = 0;
}

int record_create(void)
{
	int fd = memfd_create("led-state", MFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int record_write(int fd, const struct record *record)
{
	struct content content = {.format = FORMAT, .size = sizeof *record, .record = *record};

	strcpy(content.state, record->lit ? "on\n" : "off\n");
	if (pwrite(fd, &content, sizeof content, 0) != (ssize_t)sizeof content)
		return -EIO;
	return 0;
}

int record_read(int fd, struct record *record)
{
	struct content content = {0};
	ssize_t n = pread(fd, &content, sizeof content, 0);
	bool lit;

	if (n < 0)
		return -errno;
	lit = strncmp(content.state, "on\n", sizeof content.state) == 0;
	if (!lit && strncmp(content.state, "off\n", sizeof content.state) != 0)
		return -EBADMSG;
	*record = (struct record){0};
	if (n == sizeof content && content.format == FORMAT && content.size == sizeof *record)
		*record = content.record;
	record->lit = lit;
	record->next_key %= RECORD_KEYS;
	return 0;
}
