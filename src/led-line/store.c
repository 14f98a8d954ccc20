/* SPDX-License-Identifier: MIT */
#include "store.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

/* systemd allows 255 bytes. */
#define NAME_MAX_SIZE 256

#define FLUSH_USEC 5000000

static const char *const PREFIXES[] = {[STORE_LINE] = "line-", [STORE_STATE] = "state-"};

/* Another SPEC makes another name. Returns name. */
static const char *make_name(enum store_item item, const char *spec, char name[NAME_MAX_SIZE])
{
	snprintf(name, NAME_MAX_SIZE, "%s%s", PREFIXES[item], spec);
	/* A name must not contain these characters: sd_pid_notify_with_fds(3). */
	for (char *p = name; *p; p++)
		if (*p == ':' || *p < ' ' || *p > '~')
			*p = '_';
	return name;
}

void store_put(enum store_item item, const char *spec, int fd)
{
	char name[NAME_MAX_SIZE], message[NAME_MAX_SIZE + 32];

	store_remove(make_name(item, spec, name));
	if (fd < 0)
		return;
	snprintf(message, sizeof message, "FDSTORE=1\nFDNAME=%s", name);
	sd_pid_notify_with_fds(0, false, message, &fd, 1);
}

bool store_is(const char *name, enum store_item item, const char *spec)
{
	char ours[NAME_MAX_SIZE];

	return strcmp(name, make_name(item, spec, ours)) == 0;
}

bool store_knows(const char *name)
{
	for (size_t i = 0; i < sizeof PREFIXES / sizeof *PREFIXES; i++)
		if (strncmp(name, PREFIXES[i], strlen(PREFIXES[i])) == 0)
			return true;
	return false;
}

void store_remove(const char *name)
{
	sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}

void store_flush(void)
{
	sd_notify_barrier(0, FLUSH_USEC);
}
