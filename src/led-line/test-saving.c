/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "saving.h"
#include "tap.h"

static struct saving saving;

static void begin(const char *saved)
{
	saving = (struct saving){0};
	strcpy(saving.saved, saved);
}

/* What is to be written now, or "". */
static const char *next(void)
{
	return saving_begin(&saving) ? saving.writing : "";
}

TEST("before the first text there is nothing to write")
{
	begin("");
	CHECK_TEXT(next(), "");
	saving_retry(&saving);
	CHECK_TEXT(next(), "");
	saving_flush(&saving);
	CHECK(saving_is_flushed(&saving));
	CHECK_TEXT(next(), "");
}

TEST("what the file says already is not written")
{
	begin("on\n");
	saving_put(&saving, "on\n");
	CHECK_TEXT(next(), "");
	saving_put(&saving, "off\n");
	CHECK_TEXT(next(), "off\n");
	saving_end(&saving, 0);
	saving_put(&saving, "off\n");
	CHECK_TEXT(next(), "");
	saving_put(&saving, "on\n");
	CHECK_TEXT(next(), "on\n");
}

TEST("one write at a time, then the newest text")
{
	begin("");
	saving_put(&saving, "1\n");
	CHECK_TEXT(next(), "1\n");
	saving_put(&saving, "2\n");
	CHECK_TEXT(next(), "");
	saving_put(&saving, "3\n");
	CHECK_TEXT(next(), "");
	CHECK_TEXT(saving.writing, "1\n");
	saving_end(&saving, 0);
	CHECK_TEXT(next(), "3\n");
	saving_end(&saving, 0);
	CHECK_TEXT(next(), "");
	/* One that is taken back before its turn. */
	saving_put(&saving, "4\n");
	CHECK_TEXT(next(), "4\n");
	saving_put(&saving, "5\n");
	saving_put(&saving, "4\n");
	saving_end(&saving, 0);
	CHECK_TEXT(next(), "");
}

TEST("a failure is tried again when somebody says so, or at the next text")
{
	begin("on\n");
	saving_put(&saving, "off\n");
	CHECK_TEXT(next(), "off\n");
	saving_end(&saving, -EIO);
	CHECK_TEXT(next(), "");
	saving_retry(&saving);
	CHECK_TEXT(next(), "off\n");
	saving_end(&saving, -EIO);
	/* What the file says is not known now. */
	saving_put(&saving, "on\n");
	CHECK_TEXT(next(), "on\n");
	saving_end(&saving, 0);
	CHECK_TEXT(next(), "");
}

/* What comes after a flush, while clients are served as ever. */
static void step(unsigned event)
{
	if (event < 2)
		saving_put(&saving, event ? "on\n" : "off\n");
	else if (saving.busy)
		saving_end(&saving, event == 2 ? 0 : -EIO);
}

TEST("a flush ends, whatever comes meanwhile: every order of six events")
{
	for (unsigned order = 0; order < 4096; order++)
		for (int writing = 0; writing < 2; writing++) {
			begin("off\n");
			saving_put(&saving, "on\n");
			if (writing)
				next();
			saving_put(&saving, writing ? "off\n" : "on\n");
			saving_flush(&saving);
			next();
			for (unsigned i = 0, rest = order; i < 6; i++, rest /= 4) {
				step(rest % 4);
				next();
			}
			while (saving.busy) {
				saving_end(&saving, 0);
				next();
			}
			CHECK(saving_is_flushed(&saving) && saving_is_done(&saving));
		}
}

TEST("a flush waits for what is wanted then, and for nothing that comes later")
{
	static const struct {
		const char *saved, *writing, *wanted; /* "" for none */
		unsigned writes;
	} ROWS[] = {
		{"on\n", "", "on\n", 0},
		{"", "", "on\n", 1},
		{"off\n", "", "on\n", 1},
		{"off\n", "on\n", "on\n", 1},
		{"on\n", "off\n", "on\n", 2},
	};

	for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
		for (int result = 0; result >= -EIO; result -= EIO) {
			unsigned writes = 0;

			begin(ROWS[i].saved);
			if (*ROWS[i].writing) {
				saving_put(&saving, ROWS[i].writing);
				CHECK_TEXT(next(), ROWS[i].writing);
			}
			saving_put(&saving, ROWS[i].wanted);
			saving_flush(&saving);
			while (!saving_is_flushed(&saving) && writes < 5) {
				next();
				CHECK(saving.busy);
				saving_put(&saving, writes % 2 ? "x\n" : ROWS[i].wanted);
				saving_end(&saving, result);
				writes++;
			}
			CHECK(writes == ROWS[i].writes);
		}
}

TEST("a flush after a failure tries once more")
{
	begin("");
	saving_put(&saving, "on\n");
	CHECK_TEXT(next(), "on\n");
	saving_end(&saving, -EIO);
	saving_flush(&saving);
	CHECK(!saving_is_flushed(&saving));
	CHECK_TEXT(next(), "on\n");
	saving_end(&saving, -EIO);
	CHECK(saving_is_flushed(&saving));
}

TAP_MAIN
