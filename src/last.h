/* SPDX-License-Identifier: MIT */
#ifndef LAST_H
#define LAST_H

/* The state that the last command left, in a file that a reboot does not lose. */

#include <stdbool.h>

/*
 * The file's path: "last" in the state directory that the service manager names in
 * $STATE_DIRECTORY (systemd.exec(5)), else in /var/lib/led. A constant buffer.
 */
const char *last_path(void);

/*
 * Reads the state.
 *
 * Returns 1 or 0, or a negative errno: -ENOENT where there never was one, -EBADMSG
 * for a file that says something else.
 */
int last_load(void);

/*
 * Writes the state: the file is the old one or the new one whole, whatever happens.
 *
 * Returns 0 or a negative errno.
 */
int last_save(bool lit);

/* The same content in a descriptor, for the service manager's store. */
int last_read(int fd);
int last_write(int fd, bool lit);

#endif
