/* SPDX-License-Identifier: MIT */

/*
 * A disk that a test can stop: preloaded into a program, it writes each fsync() and rename() to
 * $DISK/calls, and fsync() does not return while $DISK/hang exists and has the file's path or is
 * empty.
 */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_in_disk(const char *name, int flags)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", getenv("DISK"), name);
	return open(path, flags | O_CLOEXEC, 0644);
}

static void record(const char *call, const char *path)
{
	char line[PATH_MAX + 16];
	int fd = open_in_disk("calls", O_WRONLY | O_CREAT | O_APPEND);
	int n = snprintf(line, sizeof line, "%s %s\n", call, path);

	if (write(fd, line, (size_t)n) != n)
		abort();
	close(fd);
}

static int hangs(const char *path)
{
	char text[PATH_MAX] = "";
	int fd = open_in_disk("hang", O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	return n == 0 || strcmp(text, path) == 0;
}

int fsync(int fd)
{
	char link[32], path[PATH_MAX] = "";

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	if (readlink(link, path, sizeof path - 1) < 0)
		abort();
	record("fsync", path);
	while (hangs(path))
		usleep(1000);
	return (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
	record("rename", to);
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
