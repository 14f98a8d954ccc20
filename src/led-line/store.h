/* SPDX-License-Identifier: MIT */
#ifndef STORE_H
#define STORE_H

/*
 * The service manager's file descriptor store: sd_pid_notify_with_fds(3). It keeps copies of our
 * descriptors while led-line is killed or restarted, so that the LED keeps its state, and passes
 * them to the next led-line. Without a service manager, nothing is stored.
 */

#include "store-name.h"

/*
 * Stores a descriptor, in place of all those that have its name.
 *
 * spec: the LED's SPEC, which is part of the name
 * fd: stays the caller's; negative to store nothing in their place
 */
void store_put(enum store_item item, const char *spec, int fd);

/*
 * Removes all descriptors with a name from the store.
 *
 * The service manager closes them a moment later, in a process beside it (systemd 257): a GPIO
 * line that one of them holds stays busy until then.
 */
void store_remove(const char *name);

/* Waits until the service manager has read all that was sent to it, for 5 s at most. */
void store_flush(void);

#endif
