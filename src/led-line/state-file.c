/* SPDX-License-Identifier: MIT */

/* The state file: its text, and how it is read and written. */

#include "state-file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *state_file_path(void)
{
	static char path[PATH_MAX];
	const char *directory = getenv("STATE_DIRECTORY");

	if (!*path)
		snprintf(path, sizeof path, "%s/last",
			directory && *directory ? directory : "/var/lib/led");
	return path;
}

int state_file_load(char text[STATE_FILE_MAX])
{
	int fd = open(state_file_path(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), r = 0;
	ssize_t n;

	*text = '\0';
	if (fd < 0)
		return -errno;
	n = read(fd, text, STATE_FILE_MAX - 1);
	if (n < 0)
		r = -errno;
	text[n < 0 ? 0 : n] = '\0';
	close(fd);
	return r;
}

/* If a line is about this LED, returns what it says; else NULL. */
static const char *state_of(const char *line, size_t length, const char *name)
{
	size_t its_name = strlen(name);

	if (its_name == 0)
		return memchr(line, ' ', length) ? NULL : line;
	if (its_name >= length || memcmp(line, name, its_name) != 0 || line[its_name] != ' ')
		return NULL;
	return line + its_name + 1;
}

int state_text_find(const char *text, const char *name)
{
	int found = *text ? -ENOENT : -EBADMSG;

	while (*text) {
		size_t length = strcspn(text, "\n");
		const char *state = state_of(text, length, name);
		size_t rest = state ? length - (size_t)(state - text) : 0;

		if (!text[length])
			return -EBADMSG; /* cut off */
		if (state && found != -ENOENT)
			return -EBADMSG;
		if (state && rest == 2 && memcmp(state, "on", rest) == 0)
			found = 1;
		else if (state && rest == 3 && memcmp(state, "off", rest) == 0)
			found = 0;
		else if (state)
			return -EBADMSG;
		text += length + 1;
	}
	return found;
}

void state_text_add(char text[STATE_FILE_MAX], const char *name, bool lit)
{
	size_t length = strlen(text);

	snprintf(text + length, STATE_FILE_MAX - length, "%s%s%s\n", name, *name ? " " : "",
		lit ? "on" : "off");
}

void state_text_keep(char text[STATE_FILE_MAX], const char *other)
{
	char line[STATE_FILE_MAX], name[STATE_FILE_MAX];

	while (other[strcspn(other, "\n")]) {
		int length = (int)strcspn(other, "\n") + 1, r;
		size_t its_name;

		snprintf(line, sizeof line, "%.*s", length, other);
		its_name = strcspn(line, " ");
		snprintf(name, sizeof name, "%.*s", line[its_name] ? (int)its_name : 0, line);
		r = state_text_find(line, name);
		if (r >= 0 && state_text_find(text, name) < 0 &&
			strlen(text) + strlen(line) < STATE_FILE_MAX)
			strcat(text, line);
		other += length;
	}
}

/* Writes a new file and waits until the disk has it. Returns 0 or a negative errno. */
static int write_new(const char *path, const char *text)
{
	ssize_t length = (ssize_t)strlen(text), n;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644), r = 0;

	if (fd < 0)
		return -errno;
	n = write(fd, text, (size_t)length);
	/* Without fsync() the rename may reach the disk before the content. */
	if (n < 0 || (n == length && fsync(fd) < 0))
		r = -errno;
	else if (n < length)
		r = -ENOSPC;
	close(fd);
	return r;
}

/* Waits until the disk has what was renamed in the file's folder. */
static int sync_folder(void)
{
	char folder[PATH_MAX];
	int fd, r = 0;

	strcpy(folder, state_file_path());
	*strrchr(folder, '/') = '\0';
	fd = open(*folder ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* EINVAL: this file system has nothing to wait for. */
	if (fsync(fd) < 0 && errno != EINVAL)
		r = -errno;
	close(fd);
	return r;
}

int state_file_save(const char *text)
{
	char temporary[PATH_MAX + sizeof ".new"];
	int r;

	snprintf(temporary, sizeof temporary, "%s.new", state_file_path());
	r = write_new(temporary, text);
	if (r >= 0 && rename(temporary, state_file_path()) < 0)
		r = -errno;
	if (r < 0) {
		unlink(temporary);
		return r;
	}
	return sync_folder();
}
