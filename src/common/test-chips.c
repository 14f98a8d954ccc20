/* SPDX-License-Identifier: MIT */
#include "chips.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "mounts.h"
#include "tap.h"

static char seen[256]; /* "+name" for one that came, "-" that went, "=" that changed hands */

static int on_device(sd_event_source *source, const struct inotify_event *device, void *userdata)
{
	CHECK(userdata == seen);
	if (!chips_is_chip(device))
		return 0;
	strcat(seen, device->mask & IN_CREATE ? "+" : device->mask & IN_DELETE ? "-" : "=");
	strcat(seen, device->name);
	return 0;
}

TEST("a chip that comes, changes hands or goes is noticed, other devices are not")
{
	const char *why = mounts_hide("/dev");
	sd_event_source *source = NULL;
	sd_event *event = NULL;

	if (why)
		SKIP(why);
	CHECK(mounts_write("/dev/gpiochip7", ""));
	CHECK(sd_event_new(&event) >= 0 && chips_watch(event, &source, on_device, seen) >= 0);
	CHECK(mounts_write("/dev/gpiochip0", "") && mounts_write("/dev/gpio", ""));
	CHECK(mounts_write("/dev/xgpiochip1", "") && chmod("/dev/gpio", 0600) == 0);
	CHECK(chmod("/dev/gpiochip0", 0600) == 0);
	CHECK(unlink("/dev/gpiochip7") == 0 && unlink("/dev/gpio") == 0);
	while (sd_event_run(event, 0) > 0)
		;
	CHECK_TEXT(seen, "+gpiochip0=gpiochip0-gpiochip7");
	sd_event_source_disable_unref(source);
	sd_event_unref(event);
}

TEST("what is about the folder itself is about no chip")
{
	const struct inotify_event folder = {.mask = IN_ATTRIB};

	CHECK(!chips_is_chip(&folder));
}

TAP_MAIN
