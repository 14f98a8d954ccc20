/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <unistd.h>

#include "../../src/led-line/record.h"
#include "tap.h"

static const char *key_of(unsigned n)
{
	static char key[COMMAND_KEY_MAX + 1];

	memset(key, 0, sizeof key);
	snprintf(key, sizeof key, "key%u", n);
	return key;
}

static void sixty_four_keys(void)
{
	struct record record = {0};

	for (unsigned i = 0; i < 100; i++) {
		CHECK(!record_has_key(&record, key_of(i)));
		record_add_key(&record, key_of(i));
		CHECK(record_has_key(&record, key_of(i)));
	}
	for (unsigned i = 0; i < 100; i++)
		CHECK(record_has_key(&record, key_of(i)) == (i >= 36));
	CHECK(!record_has_key(&record, (char[COMMAND_KEY_MAX + 1]){0}));
}

static void keys_of_sixteen_bytes(void)
{
	struct record record = {0};

	record_add_key(&record, "0123456789abcdef");
	CHECK(record_has_key(&record, "0123456789abcdef"));
	CHECK(!record_has_key(&record, "0123456789abcdeF"));
	CHECK(!record_has_key(&record, "0123456789abcde\0"));
}

static void what_was_not_carried_out(void)
{
	struct record record = {0};

	/* Killed before the LED was set: its key does not count. */
	record_add_key(&record, key_of(1));
	record.key_pending = false;
	record_add_key(&record, key_of(2));
	reorder_apply(&record.reorder, VERB_ON, 1000, &record.lit);
	record_settle(&record, false);
	CHECK(record_has_key(&record, key_of(1)) && !record_has_key(&record, key_of(2)));
	CHECK(reorder_apply(&record.reorder, VERB_ON, 999, &record.lit));
	/* Killed behind that: it does. */
	record_add_key(&record, key_of(3));
	record.lit = true;
	record_settle(&record, true);
	CHECK(record_has_key(&record, key_of(3)));
	/* A command without a key takes none with it. */
	record_add_key(&record, (char[COMMAND_KEY_MAX + 1]){0});
	record_settle(&record, false);
	CHECK(record_has_key(&record, key_of(3)));
}

static void is_read_as_written(void)
{
	struct record record = {.lit = true}, other;
	int fd = record_create();

	record_add_key(&record, key_of(7));
	reorder_apply(&record.reorder, VERB_ON, 1234, &record.lit);
	CHECK(fd >= 0 && record_read(fd, &other) == -EBADMSG);
	CHECK(record_write(fd, &record) == 0 && record_read(fd, &other) == 0);
	CHECK(memcmp(&record, &other, sizeof record) == 0);
	record.lit = false;
	CHECK(record_write(fd, &record) == 0 && record_read(fd, &other) == 0);
	CHECK(!other.lit && record_has_key(&other, key_of(7)));
	close(fd);
}

static void other_versions(void)
{
	static const struct {
		const char *text;
		int result;
		bool lit;
	} FILES[] = {{"on\n", 0, true}, {"off\n", 0, false}, {"", -EBADMSG, false},
		{"o", -EBADMSG, false}, {"onn\n", -EBADMSG, false}};
	struct record record;
	char text[5];

	for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
		int fd = record_create();
		size_t length = strlen(FILES[i].text);

		CHECK(write(fd, FILES[i].text, length) == (ssize_t)length);
		CHECK(record_read(fd, &record) == FILES[i].result);
		CHECK(FILES[i].result < 0 || record.lit == FILES[i].lit);
		/* And what 0.1.0 reads of ours: a text of at most five bytes. */
		record = (struct record){.lit = FILES[i].lit};
		CHECK(record_write(fd, &record) == 0);
		CHECK(pread(fd, text, sizeof text, 0) == sizeof text);
		CHECK_TEXT(text, FILES[i].lit ? "on\n" : "off\n");
		close(fd);
	}
}

TAP_MAIN({"the last 64 keys are remembered", sixty_four_keys},
	{"keys have up to 16 bytes", keys_of_sixteen_bytes},
	{"a command that was not carried out leaves no key", what_was_not_carried_out},
	{"a record is read as it was written", is_read_as_written},
	{"another version's record has the state", other_versions})
