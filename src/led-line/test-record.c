/* SPDX-License-Identifier: MIT */
#include "record.h"
#include "tap.h"

static const char *key_of(unsigned n)
{
	static char key[COMMAND_KEY_MAX + 1];

	memset(key, 0, sizeof key);
	snprintf(key, sizeof key, "key%u", n);
	return key;
}

TEST("the last 64 keys are remembered")
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

TEST("keys have up to 16 bytes")
{
	struct record record = {0};

	record_add_key(&record, "0123456789abcdef");
	CHECK(record_has_key(&record, "0123456789abcdef"));
	CHECK(!record_has_key(&record, "0123456789abcdeF"));
	CHECK(!record_has_key(&record, "0123456789abcde\0"));
}

TEST("a key is pending until somebody says otherwise; none is not")
{
	struct record record = {0};

	record_add_key(&record, key_of(1));
	CHECK(record.key_pending);
	record_add_key(&record, (char[COMMAND_KEY_MAX + 1]){0});
	CHECK(!record.key_pending && record_has_key(&record, key_of(1)));
}

TEST("the key that was added last can be forgotten, from any place in the ring")
{
	struct record record = {0};

	for (unsigned i = 0; i < 2 * RECORD_KEYS + 1; i++) {
		record_add_key(&record, key_of(i));
		record_add_key(&record, key_of(1000 + i));
		record_forget_last_key(&record);
		CHECK(record_has_key(&record, key_of(i)));
		CHECK(!record_has_key(&record, key_of(1000 + i)));
	}
	CHECK(record_has_key(&record, key_of(RECORD_KEYS + 2)));
	CHECK(!record_has_key(&record, key_of(RECORD_KEYS)));
}

TAP_MAIN
