/* SPDX-License-Identifier: MIT */
#ifndef MOUNTS_H
#define MOUNTS_H

/* Folders such as /dev as a test wants them, for its process alone: mount_namespaces(7). */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static inline bool mounts_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return written;
}

/* Gives the process mounts of its own, as a user who is root in there if need be. */
static inline bool mounts_begin(void)
{
	static bool begun;
	char uid[32], gid[32];

	if (begun)
		return true;
	snprintf(uid, sizeof uid, "0 %u 1", geteuid());
	snprintf(gid, sizeof gid, "0 %u 1", getegid());
	begun = unshare(CLONE_NEWNS) == 0 || (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
						     mounts_write("/proc/self/setgroups", "deny") &&
						     mounts_write("/proc/self/uid_map", uid) &&
						     mounts_write("/proc/self/gid_map", gid));
	begun = begun && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	return begun;
}

/* Puts an empty folder in place of this one. Returns NULL, or the reason why it cannot. */
static inline const char *mounts_hide(const char *folder)
{
	if (!mounts_begin())
		return "this user may have no mounts of its own";
	return mount("test", folder, "tmpfs", 0, NULL) == 0 ? NULL : strerror(errno);
}

#endif
