/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/common/command.h"
#include "../../src/led-line/state-file.h"
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

static void is_kept(void)
{
	CHECK(load() == -ENOENT);
	CHECK(state_file_save("on\n") == 0 && load() == 1);
	CHECK(state_file_save("off\n") == 0 && load() == 0);
	CHECK(state_file_save("on\n") == 0 && load() == 1);
	unlink(state_file_path());
}

static void garbage_is_told(void)
{
	static const char *const BAD[] = {"", "o", "on", "onn\n", "on\n\n", "off", "maybe\n"};

	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		write_file(BAD[i]);
		CHECK(load() == -EBADMSG);
	}
	CHECK(state_file_save("on\n") == 0 && load() == 1);
	unlink(state_file_path());
}

static void a_line_for_each(void)
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

/* Waits for a result, and takes it. */
static int result(struct state_writer *writer)
{
	struct pollfd ready = {.fd = state_writer_fd(writer), .events = POLLIN};

	return poll(&ready, 1, 60000) == 1 ? state_writer_result(writer) : -ETIMEDOUT;
}

static void is_written_beside(void)
{
	struct state_writer *writer = state_writer_create("");

	CHECK(writer && state_writer_result(writer) == 0);
	state_writer_put(writer, "off\n");
	CHECK(result(writer) == 0 && load() == 0);
	state_writer_put(writer, "on\n");
	CHECK(result(writer) == 0 && load() == 1);
	/* The newest is in the file at the end, however many there were. */
	for (int i = 0; i < 1000; i++)
		state_writer_put(writer, i % 2 == 0 ? "on\n" : "off\n");
	CHECK(state_writer_destroy(writer) == 0 && load() == 0);

	/* What the file says already is not written. */
	unlink(state_file_path());
	writer = state_writer_create("on\n");
	CHECK(writer);
	state_writer_put(writer, "on\n");
	CHECK(state_writer_destroy(writer) == 0 && load() == -ENOENT);
}

static void is_tried_again(void)
{
	struct state_writer *writer = state_writer_create("");

	CHECK(writer && mkdir(state_file_path(), 0700) == 0);
	state_writer_put(writer, "on\n");
	CHECK(result(writer) == -EISDIR);
	rmdir(state_file_path());
	state_writer_put(writer, "on\n");
	CHECK(result(writer) == 0 && load() == 1);
	CHECK(state_writer_destroy(writer) == 0);
	unlink(state_file_path());
}

static void no_leftovers_of_a_failure(void)
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
	static const struct tap_test TESTS[] = {
		{"the state is kept", is_kept},
		{"a line for each LED", a_line_for_each},
		{"garbage is told from a state", garbage_is_told},
		{"a thread writes, and at its end the file has the newest state",
			is_written_beside},
		{"what could not be written is tried again at the next state", is_tried_again},
		{"a failure leaves nothing behind", no_leftovers_of_a_failure},
	};

	if (!mkdtemp(directory))
		return 1;
	setenv("STATE_DIRECTORY", directory, 1);
	return tap_run(TESTS, sizeof TESTS / sizeof *TESTS);
}
