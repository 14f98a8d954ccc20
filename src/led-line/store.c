/* SPDX-License-Identifier: MIT */

/* What is sent to the service manager about its descriptor store. */

#include "store.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define FLUSH_USEC 5000000

void store_put(enum store_item item, const char *spec, int fd)
{
	char name[STORE_NAME_MAX], message[STORE_NAME_MAX + 32];

	store_name(item, spec, name);
	store_remove(name);
	if (fd < 0)
		return;
	snprintf(message, sizeof message, "FDSTORE=1\nFDNAME=%s", name);
	sd_pid_notify_with_fds(0, false, message, &fd, 1);
}

void store_remove(const char *name)
{
	sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}

void store_flush(void)
{
	sd_notify_barrier(0, FLUSH_USEC);
}
