/* SPDX-License-Identifier: MIT */
#ifndef CLEANUP_H
#define CLEANUP_H

/*
 * Variables that give back what they own when they go out of scope:
 *
 *	CLEANUP(cleanup_fd) int fd = open(...);
 *
 * Each function takes the address of its variable, and does nothing where it owns nothing.
 */

#include <unistd.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

/* Closes a descriptor; -1 is none. */
static inline void cleanup_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Returns a descriptor that is somebody else's to close from now on. */
static inline int cleanup_keep_fd(int *fd)
{
	int kept = *fd;

	*fd = -1;
	return kept;
}

#endif
