/* SPDX-License-Identifier: MIT */

/*
 * What led-line finds in the descriptor store: src/led-line/record-file.h. The bytes are a whole
 * file, and then a change to a file that is right: its place, in two bytes, and what stands there.
 */

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "led-line/inherit.h"
#include "led-line/record-file.h"

static int fd = -1;

/* A led-line that goes on with this record keeps it right. */
static void use(struct record *record, const struct reorder *before,
	const char key[COMMAND_KEY_MAX + 1], bool lit)
{
	static const enum verb VERBS[] = {VERB_ON, VERB_TOGGLE, VERB_PULSE, VERB_OFF};
	uint64_t at = record->reorder.newest;

	inherit_complete(record, before, START_ADOPTED, lit, 0, 1, at);
	MUST(record->lit == lit && !record->key_pending && !record->pending);
	MUST(lit || record->off_at == 0);
	for (unsigned i = 0; i < sizeof VERBS / sizeof *VERBS; i++)
		if (reorder_apply(&record->reorder, VERBS[i], at + i, &record->lit))
			reorder_pulses(&record->reorder, at + i);
	record_add_key(record, key);
	MUST(record_has_key(record, key) == !!*key);
	MUST(record->next_key < RECORD_KEYS);
}

static const struct record RIGHT = {
	.lit = true,
	.off_at = 5,
	.reorder = {.set_at = 90000, .toggled_at = 90001, .newest = 90002},
	.keys = {"k1", "0123456789abcdef"},
	.next_key = 2,
	.key_pending = true,
	.pending = true,
};

/* The start of a right file: a state of eight bytes, and what says whether a record follows. */
static char right_start[16];

static void check_is_kept(const struct record *record)
{
	struct record_file file;
	struct record same;
	int copy = dup(fd);

	MUST(copy >= 0 && record_file_open(&file, copy) == 0);
	record_file_write(&file, record);
	record_file_close(&file);
	MUST(record_file_read(fd, &same) == 0 && memcmp(record, &same, sizeof same) == 0);
}

/* Which slot counts in a whole file of ours; -1: none. */
static int slot_of(const char *start, off_t size)
{
	static const char SECOND[4] = {0, 0, 0, 1};

	if (memcmp(start + 8, right_start + 8, sizeof right_start - 8) != 0)
		return -1;
	if (memcmp(start + 4, SECOND, sizeof SECOND) == 0)
		return size >= (off_t)(sizeof right_start + 2 * sizeof RIGHT) ? 1 : -1;
	return size >= (off_t)(sizeof right_start + sizeof RIGHT) ? 0 : -1;
}

static void check_file(void)
{
	char start[sizeof right_start] = "", key[COMMAND_KEY_MAX + 1] = "";
	struct record record, wanted = {0};
	struct record_file file;
	int r = record_file_read(fd, &record), slot;
	struct stat st;

	MUST(pread(fd, start, sizeof start, 0) >= 0 && fstat(fd, &st) == 0);
	if (memcmp(start, "on\n", 4) != 0 && memcmp(start, "off\n", 4) != 0) {
		MUST(r == -EBADMSG);
		return;
	}
	MUST(r == 0);
	/* From a file of another version, or half a file, the state alone is taken. */
	slot = slot_of(start, st.st_size);
	if (slot >= 0)
		MUST(pread(fd, &wanted, sizeof wanted,
			     (off_t)(sizeof start + (size_t)slot * sizeof wanted)) ==
			sizeof wanted);
	wanted.next_key %= RECORD_KEYS;
	MUST(slot == 1 || record.lit == (start[1] == 'n'));
	wanted.lit = record.lit;
	MUST(memcmp(&record, &wanted, sizeof record) == 0);
	check_is_kept(&record);

	memcpy(key, record.keys[record.next_key], COMMAND_KEY_MAX);
	MUST(record_file_open(&file, dup(fd)) == 0);
	use(&record, record_file_before(&file), key, record.key_pending);
	record_file_close(&file);
	check_is_kept(&record);
}

static void write_at(off_t place, const uint8_t *data, size_t size)
{
	MUST(pwrite(fd, data, size, place) == (ssize_t)size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stat st;

	if (fd < 0) {
		fd = memfd_create("record", MFD_CLOEXEC);
		MUST(fd >= 0);
		check_is_kept(&RIGHT);
		MUST(pread(fd, right_start, sizeof right_start, 0) == sizeof right_start);
	}
	MUST(ftruncate(fd, 0) == 0);
	write_at(0, data, size);
	check_file();

	MUST(ftruncate(fd, 0) == 0);
	check_is_kept(&RIGHT);
	MUST(fstat(fd, &st) == 0 && st.st_size == (off_t)(sizeof right_start + 2 * sizeof RIGHT +
							  sizeof RIGHT.reorder));
	if (size >= 2)
		write_at((data[0] << 8 | data[1]) % st.st_size, data + 2, size - 2);
	check_file();
	return 0;
}
