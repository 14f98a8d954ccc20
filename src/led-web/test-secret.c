/* SPDX-License-Identifier: MIT */
#include "secret.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

static char folder[] = "/tmp/test-secret.XXXXXX";
static char path[128];
static char *text;

/* Writes the file, with permissions, and reads it. Returns what is wrong, or NULL. */
static const char *read_file(const char *content, size_t n, mode_t mode, bool is_secret)
{
	FILE *file = fopen(path, "w");

	CHECK(file && fwrite(content, 1, n, file) == n && fclose(file) == 0);
	CHECK(chmod(path, mode) == 0);
	secret_free(text);
	return secret_read(path, is_secret, &text);
}

static const char *try(const char *content, mode_t mode, bool is_secret)
{
	return read_file(content, strlen(content), mode, is_secret);
}

TEST("what is in a file that nobody else can read")
{
	char wanted[sizeof path + 32];

	CHECK(!try("anna:secret\n", 0600, true));
	CHECK_TEXT(text, "anna:secret\n");
	CHECK(!try("anna:secret\n", 0400, true));
	snprintf(wanted, sizeof wanted, "others can read it: chmod 600 %s", path);
	CHECK_TEXT(try("anna:secret\n", 0640, true), wanted);
	CHECK(!text);
	CHECK_TEXT(try("anna:secret\n", 0604, true), wanted);
	CHECK(!try("anna:secret\n", 0644, false) && text);
}

TEST("the command names the file only where a shell takes its path as it is")
{
	static const char *const NAMES[] = {"a b", "a;b", "a'b", "a$b", "a\tb", "a\nb", "a\xc3\xa4",
		"me:s3cret@x", "a*", "~", "=a"};
	char usual[sizeof path], wanted[sizeof path + 32];

	strcpy(usual, path);
	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, NAMES[i]);
		CHECK_TEXT(try("anna:secret\n", 0644, true), "others can read it: chmod 600 it");
		unlink(path);
	}
	/* A command that would be cut off names another file. */
	for (size_t length = 99; length <= 101; length++) {
		snprintf(path, sizeof path, "%s/%0*d", folder, (int)(length - strlen(folder) - 1),
			0);
		snprintf(wanted, sizeof wanted, "others can read it: chmod 600 %s",
			length <= 100 ? path : "it");
		CHECK_TEXT(try("anna:secret\n", 0644, true), wanted);
		unlink(path);
	}
	strcpy(path, usual);
	CHECK(chdir(folder) == 0);
	strcpy(path, "-R");
	CHECK_TEXT(try("anna:secret\n", 0644, true), "others can read it: chmod 600 it");
	unlink(path);
	strcpy(path, usual);
}

TEST("no file is wrong, and no name is none")
{
	secret_free(text);
	CHECK_TEXT(secret_read("/nonexistent/file", true, &text), "No such file or directory");
	CHECK(!text);
	CHECK(!secret_read("", true, &text) && !text);
	CHECK(secret_read("/tmp", true, &text) && !text);
}

TEST("an empty file is none, one with a NUL or too much in it is wrong")
{
	static char large[SECRET_MAX + 1];

	CHECK(!try("", 0600, true) && !text);
	CHECK(!try(" \n\n", 0600, true) && !text);
	CHECK_TEXT(read_file("a\0b", 3, 0600, true), "it has a NUL");
	CHECK(!text);
	memset(large, 'x', sizeof large);
	CHECK_TEXT(read_file(large, sizeof large, 0600, true), "it has more than 64 KiB");
	CHECK(!read_file(large, sizeof large - 1, 0600, true) && text);
}

TEST("a credential is a copy, and its own permissions do not count")
{
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	CHECK(!try("anna:secret\n", 0440, true) && text);
	unsetenv("CREDENTIALS_DIRECTORY");
	CHECK(try("anna:secret\n", 0440, true) && !text);
}

int main(void)
{
	int status;

	if (!mkdtemp(folder))
		return 1;
	/* A name that nothing in /etc/led has. */
	snprintf(path, sizeof path, "%s/test-secret", folder);
	status = tap_run();
	secret_free(text);
	unlink(path);
	rmdir(folder);
	return status;
}
