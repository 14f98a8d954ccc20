/* SPDX-License-Identifier: MIT */

/*
 * Keeps a record in a small file in memory, which is mapped: a process that is killed leaves what
 * it has written so far. So there are two slots, and a word that says which of them counts. It
 * changes when the other slot is complete, and is always the first one again in the end, because
 * 0.2.0 to 0.4.1 know no other. What follows the slots counts only beside a record that is pending,
 * and 0.5.0 does not know it.
 */

#include "record-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Changes whenever the layout of struct record does. */
#define FORMAT 2

/* That the second slot counts. For an older version, its first byte ends the state's text. */
#define SECOND 0x01000000

struct record_content {
	char state[4];   /* "on\n" or "off\n", for other formats */
	uint32_t counts; /* 0: the first slot; or SECOND */
	uint32_t format; /* FORMAT, as soon as there is a record */
	uint32_t size;   /* of a record */
	struct record slots[2];
	struct reorder before; /* the record that is pending */
};

/* What 0.2.0 to 0.4.1 write ends here, and what 0.5.0 writes. */
#define FIRST_SLOT_END offsetof(struct record_content, slots[1])
#define SECOND_SLOT_END offsetof(struct record_content, before)

int record_file_create(struct record_file *file)
{
	int fd = memfd_create("led-state", MFD_CLOEXEC), r;

	*file = RECORD_FILE_NONE;
	if (fd < 0)
		return -errno;
	r = record_file_open(file, fd);
	if (r < 0)
		close(fd);
	return r;
}

int record_file_open(struct record_file *file, int fd)
{
	const int access = PROT_READ | PROT_WRITE;
	void *content;

	*file = RECORD_FILE_NONE;
	/* A page that is not there would be found missing in the middle of writing. */
	if (fallocate(fd, 0, 0, sizeof *file->content) < 0)
		return -errno;
	content = mmap(NULL, sizeof *file->content, access, MAP_SHARED, fd, 0);
	if (content == MAP_FAILED)
		return -errno;
	*file = (struct record_file){fd, content};
	return 0;
}

/* What comes before is written before what follows: no more is needed against a kill. */
static void in_order(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

static void write_state(struct record_content *content, bool lit)
{
	memcpy(content->state, lit ? "on\n" : "off\n", sizeof content->state);
}

/* Of another format, nothing but the state counts until all of ours is there. */
static void change_format(struct record_content *content, const struct record *record)
{
	content->format = 0;
	in_order();
	content->slots[0] = *record;
	content->counts = 0;
	content->size = sizeof *record;
	write_state(content, record->lit);
	in_order();
	content->format = FORMAT;
}

void record_file_write(struct record_file *file, const struct record *record)
{
	struct record_content *content = file->content;

	if (!content)
		return;
	if (content->format != FORMAT || content->size != sizeof *record) {
		change_format(content, record);
		return;
	}
	content->slots[1] = *record;
	in_order();
	content->counts = SECOND;
	in_order();
	write_state(content, record->lit);
	content->slots[0] = *record;
	in_order();
	content->counts = 0;
}

void record_file_write_pending(
	struct record_file *file, const struct record *record, const struct reorder *before)
{
	if (!file->content)
		return;
	file->content->before = *before;
	in_order();
	record_file_write(file, record);
}

const struct reorder *record_file_before(const struct record_file *file)
{
	return file->content ? &file->content->before : NULL;
}

int record_file_read(int fd, struct record *record)
{
	struct record_content content = {0};
	ssize_t n = pread(fd, &content, sizeof content, 0);
	uint8_t state;
	bool lit;

	if (n < 0)
		return -errno;
	lit = memcmp(content.state, "on\n", sizeof content.state) == 0;
	if (!lit && memcmp(content.state, "off\n", sizeof content.state) != 0)
		return -EBADMSG;
	*record = (struct record){.lit = lit};
	if (content.format != FORMAT || content.size != sizeof *record ||
		n < (ssize_t)(content.counts == SECOND ? SECOND_SLOT_END : FIRST_SLOT_END))
		return 0;
	if (content.counts == SECOND) {
		/* Damaged, it may be neither true nor false. */
		memcpy(&state, &content.slots[1].lit, sizeof state);
		lit = state != 0;
	}
	*record = content.slots[content.counts == SECOND];
	record->lit = lit;
	record->next_key %= RECORD_KEYS;
	return 0;
}

void record_file_close(struct record_file *file)
{
	if (file->fd < 0)
		return;
	munmap(file->content, sizeof *file->content);
	close(file->fd);
	*file = RECORD_FILE_NONE;
}
