/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record-file.h"
#include "tap.h"

static struct record record_of(bool lit, const char key[static COMMAND_KEY_MAX + 1])
{
	struct record record = {.lit = lit, .off_at = lit ? 1234 : 0};

	record_add_key(&record, key);
	reorder_apply(&record.reorder, lit ? VERB_ON : VERB_OFF, 99, &lit);
	return record;
}

static bool is_same(const struct record *a, const struct record *b)
{
	return a->lit == b->lit && a->off_at == b->off_at &&
	       memcmp(&a->reorder, &b->reorder, sizeof a->reorder) == 0 &&
	       memcmp(a->keys, b->keys, sizeof a->keys) == 0 && a->next_key == b->next_key &&
	       a->key_pending == b->key_pending && a->pending == b->pending;
}

static bool has(int fd, const struct record *record)
{
	struct record found;

	return record_file_read(fd, &found) == 0 && is_same(&found, record);
}

TEST("a record is read as it was written")
{
	struct record lit = record_of(true, "one\0\0\0\0\0\0\0\0\0\0\0\0\0");
	struct record out = record_of(false, "another\0\0\0\0\0\0\0\0\0"), found;
	struct record_file file;

	CHECK(record_file_create(&file) == 0);
	CHECK(record_file_read(file.fd, &found) == -EBADMSG);
	for (int i = 0; i < 3; i++) {
		record_file_write(&file, &lit);
		CHECK(has(file.fd, &lit));
		record_file_write(&file, &out);
		CHECK(has(file.fd, &out));
	}
	record_file_close(&file);
	CHECK(file.fd < 0);
	record_file_write(&file, &lit);
	record_file_close(&file);
}

/* What a child has of the file before each of its instructions: the first record, or the second. */
static void check_each_moment(int fd, pid_t child, const struct record *before,
	const struct record *after, unsigned *n_before, unsigned *n_after)
{
	int status;

	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status) &&
		WSTOPSIG(status) != SIGUSR1) {
		bool is_new = has(fd, after);

		CHECK(is_new || (*n_after == 0 && (before ? has(fd, before) : true)));
		++*(is_new ? n_after : n_before);
		ptrace(PTRACE_SINGLESTEP, child, 0, 0);
	}
	CHECK(WIFSTOPPED(status) && has(fd, after));
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
}

TEST("killed at any instruction, it leaves the old record or the new one")
{
	struct record lit = record_of(true, "one\0\0\0\0\0\0\0\0\0\0\0\0\0");
	struct record out = record_of(false, "another\0\0\0\0\0\0\0\0\0");
	struct record_file file;

	CHECK(record_file_create(&file) == 0);
	record_file_write(&file, &lit);
	for (int i = 0; i < 2; i++) {
		const struct record *before = i == 0 ? &lit : &out, *after = i == 0 ? &out : &lit;
		unsigned n_before = 0, n_after = 0;
		pid_t child = fork();

		if (child == 0) {
			ptrace(PTRACE_TRACEME, 0, 0, 0);
			raise(SIGSTOP);
			record_file_write(&file, after);
			raise(SIGUSR1);
			_exit(0);
		}
		check_each_moment(file.fd, child, before, after, &n_before, &n_after);
		CHECK(n_before > 20 && n_after > 20);
	}
	record_file_close(&file);
}

TEST("the times before a pending record are whole whenever it counts")
{
	struct record lit = record_of(true, "one\0\0\0\0\0\0\0\0\0\0\0\0\0");
	struct record out = record_of(false, "another\0\0\0\0\0\0\0\0\0");
	struct reorder before = {.set_at = 3, .toggled_at = 4, .newest = 5, .toggled = {6}};
	struct record_file file;
	unsigned n_pending = 0;
	int status;
	pid_t child;

	CHECK(record_file_create(&file) == 0);
	record_file_write(&file, &lit);
	out.pending = true;
	child = fork();
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		record_file_write_pending(&file, &out, &before);
		record_file_write(&file, &lit);
		raise(SIGUSR1);
		_exit(0);
	}
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status) &&
		WSTOPSIG(status) != SIGUSR1) {
		bool is_pending = has(file.fd, &out);

		CHECK(is_pending || has(file.fd, &lit));
		n_pending += is_pending;
		if (is_pending)
			CHECK(memcmp(record_file_before(&file), &before, sizeof before) == 0);
		ptrace(PTRACE_SINGLESTEP, child, 0, 0);
	}
	CHECK(WIFSTOPPED(status) && n_pending > 20 && has(file.fd, &lit));
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	record_file_close(&file);
	CHECK(!record_file_before(&file));
	record_file_write_pending(&file, &out, &before);
}

/* What 0.2.0 to 0.4.1 write. */
struct old {
	char state[8];
	unsigned format, size;
	struct record record;
};

static int old_file(const void *content, size_t size)
{
	struct record_file file;
	int fd;

	CHECK(record_file_create(&file) == 0);
	fd = dup(file.fd);
	record_file_close(&file);
	CHECK(ftruncate(fd, 0) == 0 && write(fd, content, size) == (ssize_t)size);
	return fd;
}

TEST("what 0.2.0 to 0.4.1 have written is read, and they read what is written over it")
{
	struct record lit = record_of(true, "one\0\0\0\0\0\0\0\0\0\0\0\0\0");
	struct record out = record_of(false, "another\0\0\0\0\0\0\0\0\0");
	struct old old = {.state = "on\n", .format = 2, .size = sizeof lit, .record = lit}, found;
	int fd = old_file(&old, sizeof old);
	struct record_file file;

	CHECK(has(fd, &lit));
	CHECK(record_file_open(&file, fd) == 0 && has(fd, &lit));
	record_file_write(&file, &out);
	CHECK(pread(fd, &found, sizeof found, 0) == sizeof found);
	CHECK(memcmp(found.state, "off\n\0\0\0", sizeof found.state) == 0);
	CHECK(found.format == 2 && found.size == sizeof out);
	CHECK(is_same(&found.record, &out));
	/* Over ours, they write only the beginning. */
	CHECK(pwrite(fd, &old, sizeof old, 0) == sizeof old && has(fd, &lit));
	record_file_close(&file);
}

/* A record of 0.2.0 to 0.5.0. */
struct old_record {
	bool lit;
	uint64_t off_at;
	struct reorder reorder;
	char keys[RECORD_KEYS][COMMAND_KEY_MAX];
	unsigned next_key;
	uint8_t key_pending;
};

/* What 0.5.0 writes: the word after the state says which slot counts. */
struct old_pair {
	char state[4];
	unsigned counts, format, size;
	struct record slots[2];
};

TEST("what 0.5.0 has written is read, whichever slot counts, and it reads what is written over it")
{
	struct record lit = record_of(true, "one\0\0\0\0\0\0\0\0\0\0\0\0\0");
	struct record out = record_of(false, "another\0\0\0\0\0\0\0\0\0");
	struct old_pair old = {.state = "on\n", .format = 2, .size = sizeof lit}, found;
	static const struct reorder NONE, BEFORE = {.set_at = 3};
	struct record_file file;

	old.slots[0] = lit;
	old.slots[1] = out;
	for (unsigned second = 0; second < 2; second++) {
		int fd;

		old.counts = second ? 0x01000000 : 0;
		fd = old_file(&old, sizeof old);
		CHECK(has(fd, second ? &out : &lit));
		CHECK(record_file_open(&file, fd) == 0 && has(fd, second ? &out : &lit));
		CHECK(memcmp(record_file_before(&file), &NONE, sizeof NONE) == 0);
		out.pending = true;
		record_file_write_pending(&file, &out, &BEFORE);
		CHECK(pread(fd, &found, sizeof found, 0) == sizeof found);
		CHECK(memcmp(&found, "off\n\0\0\0", 8) == 0 && found.format == 2);
		CHECK(found.size == sizeof out && is_same(&found.slots[0], &out));
		/* Over ours, it writes both slots, and what is after them stays. */
		CHECK(pwrite(fd, &old, sizeof old, 0) == sizeof old);
		out.pending = false;
		CHECK(has(fd, second ? &out : &lit));
		record_file_close(&file);
	}
	/* A record has the size that it had. */
	CHECK(sizeof(struct record) == sizeof(struct old_record));
	CHECK(offsetof(struct record, pending) > offsetof(struct old_record, key_pending));
}

TEST("another format's record has the state, and becomes ours at the first write")
{
	static const struct {
		const char *text;
		int result;
		bool lit;
	} FILES[] = {{"on\n", 0, true}, {"off\n", 0, false}, {"", -EBADMSG, false},
		{"o", -EBADMSG, false}, {"onn\n", -EBADMSG, false}};
	struct record lit = record_of(true, "one\0\0\0\0\0\0\0\0\0\0\0\0\0"), record;

	for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
		int fd = old_file(FILES[i].text, strlen(FILES[i].text));
		struct record_file file;
		char text[5];

		CHECK(record_file_read(fd, &record) == FILES[i].result);
		CHECK(FILES[i].result < 0 || record.lit == FILES[i].lit);
		CHECK(record_file_open(&file, fd) == 0);
		record_file_write(&file, &lit);
		CHECK(has(fd, &lit));
		/* And what 0.1.0 reads of ours: a text of at most five bytes. */
		CHECK(pread(fd, text, sizeof text, 0) == sizeof text);
		CHECK_TEXT(text, "on\n");
		record_file_close(&file);
	}
}

TEST("of a record of a newer format, or of another size, the state counts")
{
	struct record lit = record_of(true, "one\0\0\0\0\0\0\0\0\0\0\0\0\0"), found;
	struct old old = {.state = "off\n", .format = 3, .size = sizeof lit, .record = lit};
	const struct record out = {0};
	int fd = old_file(&old, sizeof old);

	CHECK(has(fd, &out));
	old.format = 2;
	old.size--;
	CHECK(pwrite(fd, &old, sizeof old, 0) == sizeof old && has(fd, &out));
	old.size++;
	strcpy(old.state, "on\n");
	CHECK(pwrite(fd, &old, sizeof old, 0) == sizeof old && has(fd, &lit));
	strcpy(old.state, "off\n");
	CHECK(pwrite(fd, &old, sizeof old, 0) == sizeof old);
	/* Cut off. */
	CHECK(ftruncate(fd, sizeof old - 1) == 0 && has(fd, &out));
	/* A ring's end that is none. */
	old.record.next_key = RECORD_KEYS + 3;
	CHECK(pwrite(fd, &old, sizeof old, 0) == sizeof old);
	CHECK(record_file_read(fd, &found) == 0 && found.next_key == 3);
	close(fd);
}

TEST("over another format or size, the whole record is written")
{
	struct record lit = record_of(true, "one\0\0\0\0\0\0\0\0\0\0\0\0\0"), found;
	struct record out = record_of(false, "another\0\0\0\0\0\0\0\0\0");

	for (unsigned i = 0; i < 4; i++) {
		struct old old = {.state = "on\n", .format = 2, .size = sizeof lit, .record = lit};
		struct record_file file;
		int fd;

		old.format += i & 1;
		old.size += i >> 1;
		/* In ours, it says that the second slot counts. */
		old.state[7] = i > 0 ? '\1' : '\0';
		fd = old_file(&old, sizeof old);
		CHECK(record_file_read(fd, &found) == 0 && found.lit);
		CHECK(record_file_open(&file, fd) == 0);
		record_file_write(&file, &out);
		CHECK(has(fd, &out));
		record_file_write(&file, &lit);
		CHECK(has(fd, &lit));
		record_file_close(&file);
	}
}

TEST("what is no file in memory is refused")
{
	int ends[2];
	struct record record;
	struct record_file file;

	CHECK(pipe(ends) == 0);
	CHECK(record_file_read(ends[0], &record) == -ESPIPE);
	CHECK(record_file_open(&file, ends[0]) < 0 && file.fd < 0);
	CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

TAP_MAIN
