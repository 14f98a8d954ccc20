/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "state-file.h"
#include "tap.h"

static char directory[] = "/tmp/test-state-file-XXXXXX";

static void write_file(const char *text)
{
	int fd = open(state_file_path(), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* The state of the LED without a name, or a negative errno. */
static int load(void)
{
	char text[STATE_FILE_MAX];
	int r = state_file_load(text);

	return r < 0 ? r : state_text_find(text, "");
}

TEST("the state is kept")
{
	CHECK(load() == -ENOENT);
	CHECK(state_file_save("on\n") == 0 && load() == 1);
	CHECK(state_file_save("off\n") == 0 && load() == 0);
	CHECK(state_file_save("on\n") == 0 && load() == 1);
	unlink(state_file_path());
}

TEST("garbage is not taken for a state")
{
	static const char *const BAD[] = {"", "o", "on", "onn\n", "on\n\n", "off", "maybe\n"};

	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		write_file(BAD[i]);
		CHECK(load() == -EBADMSG);
	}
	CHECK(state_file_save("on\n") == 0 && load() == 1);
	unlink(state_file_path());
}

TEST("a line for each LED")
{
	char text[STATE_FILE_MAX] = "", name[] = "a123456789abcde0";

	state_text_add(text, "", true);
	state_text_add(text, "kitchen", false);
	state_text_add(text, "kit", true);
	CHECK_TEXT(text, "on\nkitchen off\nkit on\n");
	CHECK(state_text_find(text, "") == 1);
	CHECK(state_text_find(text, "kitchen") == 0);
	CHECK(state_text_find(text, "kit") == 1);
	CHECK(state_text_find(text, "kitchens") == -ENOENT);
	CHECK(state_text_find("kitchen off\n", "") == -ENOENT);
	CHECK(state_text_find("kitchen maybe\n", "kitchen") == -EBADMSG);
	CHECK(state_text_find("kitchen on\nkitchen off\n", "kitchen") == -EBADMSG);
	CHECK(state_text_find("kitchen on", "kitchen") == -EBADMSG);
	CHECK(state_text_find("kitchen on\nlamp", "kitchen") == -EBADMSG);

	/* There is room for as many as there can be. */
	*text = '\0';
	for (char c = 'A'; c < 'A' + LEDS_MAX; c++) {
		name[15] = c;
		state_text_add(text, name, false);
	}
	CHECK(state_file_save(text) == 0 && load() == -ENOENT);
	for (char c = 'A'; c < 'A' + LEDS_MAX; c++) {
		name[15] = c;
		CHECK(state_text_find(text, name) == 0);
	}
	unlink(state_file_path());
}

/* A text, and the lines that it keeps of another one. */
static const char *keep(const char *own, const char *other)
{
	static char text[STATE_FILE_MAX];

	strcpy(text, own);
	state_text_keep(text, other);
	return text;
}

TEST("lines of other LEDs are kept")
{
	char other[STATE_FILE_MAX] = "", name[] = "a-long-name-no0?";
	size_t length;

	CHECK_TEXT(keep("", ""), "");
	CHECK_TEXT(keep("", "on\nkitchen off\n"), "on\nkitchen off\n");
	CHECK_TEXT(keep("off\n", "on\nkitchen off\n"), "off\nkitchen off\n");
	CHECK_TEXT(keep("kitchen on\n", "on\nkitchen off\n"), "kitchen on\non\n");
	CHECK_TEXT(keep("kit on\n", "kitchen off\n"), "kit on\nkitchen off\n");
	/* What is wrong in there, or cut off, or there twice, is not. */
	CHECK_TEXT(
		keep("a on\n", "b maybe\n\nc \n d\n on\ne f on\ng on\ng off\nh o"), "a on\ng on\n");
	for (unsigned i = 0; i < 48; i++) {
		name[15] = (char)('A' + i);
		state_text_add(other, name, false);
	}
	other[STATE_FILE_MAX - 1] = '\0';
	length = strlen(keep("a on\n", other));
	CHECK(length < STATE_FILE_MAX && length > STATE_FILE_MAX - 2 * (sizeof name + 4));
	CHECK(keep("a on\n", other)[length - 1] == '\n');
}

TEST("a failure leaves no other file")
{
	char inside[200];

	/* A directory in the file's place cannot be renamed over. */
	CHECK(mkdir(state_file_path(), 0700) == 0);
	snprintf(inside, sizeof inside, "%s/x", state_file_path());
	CHECK(mkdir(inside, 0700) == 0);
	CHECK(state_file_save("on\n") < 0);
	CHECK(load() < 0);
	rmdir(inside);
	rmdir(state_file_path());
	CHECK(rmdir(directory) == 0);
	CHECK(state_file_save("on\n") == -ENOENT);
}

int main(void)
{
	if (!mkdtemp(directory))
		return 1;
	setenv("STATE_DIRECTORY", directory, 1);
	return tap_run();
}
