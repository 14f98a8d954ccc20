/* SPDX-License-Identifier: MIT */

/*
 * LEDs of the kernel's class that fail by plan, for a program that this is preloaded into. A file
 * of an LED that is read or written fails with the errno that the file "fails" beside it has; one
 * that is written takes as many microseconds before and after it as the file "slow" has. Where the
 * LED has been moved or removed, its open files fail as the kernel's do: ENODEV.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CLASS "/sys/class/"

/* Finds the path of an LED's file. Returns whether it is one. */
static bool is_led(int fd, char path[PATH_MAX])
{
	char link[32];
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	path[n < 0 ? 0 : n] = '\0';
	return strncmp(path, CLASS, strlen(CLASS)) == 0;
}

/* Returns the number in a file beside an LED's, or 0. */
static int plan(char path[PATH_MAX], const char *name)
{
	char text[16] = "";
	int file;

	strcpy(strrchr(path, '/') + 1, name);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return 0;
	if (read(file, text, sizeof text - 1) < 0)
		abort();
	close(file);
	return atoi(text);
}

/* Returns the errno that a descriptor has to fail with, or 0. */
static int error_of(int fd)
{
	char path[PATH_MAX];

	if (!is_led(fd, path))
		return 0;
	if (strncmp(path, CLASS "leds/", strlen(CLASS "leds/")) != 0 || strstr(path, " (deleted)"))
		return ENODEV;
	return plan(path, "fails");
}

/* Takes as long as it has to. */
static void be_slow(int fd)
{
	char path[PATH_MAX];

	if (is_led(fd, path))
		usleep((useconds_t)plan(path, "slow"));
}

ssize_t pread64(int fd, void *buffer, size_t size, off_t offset)
{
	errno = error_of(fd);
	return errno ? -1 : syscall(SYS_pread64, fd, buffer, size, offset);
}

ssize_t pwrite64(int fd, const void *buffer, size_t size, off_t offset)
{
	ssize_t n;
	int error;

	be_slow(fd);
	errno = error_of(fd);
	n = errno ? -1 : syscall(SYS_pwrite64, fd, buffer, size, offset);
	error = errno;
	be_slow(fd);
	errno = error;
	return n;
}

ssize_t pread(int fd, void *buffer, size_t size, off_t offset)
{
	return pread64(fd, buffer, size, offset);
}

ssize_t pwrite(int fd, const void *buffer, size_t size, off_t offset)
{
	return pwrite64(fd, buffer, size, offset);
}
