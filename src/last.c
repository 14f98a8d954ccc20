/* SPDX-License-Identifier: MIT */
#include "last.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ON "on\n"
#define OFF "off\n"

const char *last_path(void)
{
	static char path[PATH_MAX];
	const char *directory = getenv("STATE_DIRECTORY");

	snprintf(
		path, sizeof path, "%s/last", directory && *directory ? directory : "/var/lib/led");
	return path;
}

int last_read(int fd)
{
	char text[sizeof OFF + 1] = "";

	if (pread(fd, text, sizeof text - 1, 0) < 0)
		return -errno;
	if (strcmp(text, ON) == 0)
		return 1;
	return strcmp(text, OFF) == 0 ? 0 : -EBADMSG;
}

int last_write(int fd, bool lit)
{
	const char *text = lit ? ON : OFF;
	ssize_t length = (ssize_t)strlen(text);

	if (pwrite(fd, text, (size_t)length, 0) != length || ftruncate(fd, length) < 0)
		return -EIO;
	return 0;
}

int last_load(void)
{
	int fd = open(last_path(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int r;

	if (fd < 0)
		return -errno;
	r = last_read(fd);
	close(fd);
	return r;
}

int last_save(bool lit)
{
	char temporary[PATH_MAX + sizeof ".new"];
	int fd, r;

	snprintf(temporary, sizeof temporary, "%s.new", last_path());
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	r = last_write(fd, lit);
	/* Else the rename may reach the disk before the content. */
	if (r >= 0 && fsync(fd) < 0)
		r = -errno;
	close(fd);
	if (r >= 0 && rename(temporary, last_path()) < 0)
		r = -errno;
	if (r < 0)
		unlink(temporary);
	return r;
}
