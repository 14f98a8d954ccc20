/* SPDX-License-Identifier: MIT */

/* A device that may be away: what of it is logged. */

#include "absence.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Whether a permission is missing that udev may still give. */
static bool is_expected(struct absence *absence, int error, uint64_t now)
{
	bool denied = error == -EACCES || error == -EPERM;

	if (denied && !absence->denied)
		absence->denied_since = now;
	absence->denied = denied;
	return denied && now - absence->denied_since < ABSENCE_UDEV_USEC;
}

bool absence_go_on(struct absence *absence, int error, const char *why, uint64_t now)
{
	snprintf(absence->why, sizeof absence->why, "%s", why);
	if (is_expected(absence, error, now) || strcmp(absence->logged, absence->why) == 0)
		return false;
	strcpy(absence->logged, absence->why);
	return true;
}

bool absence_end(struct absence *absence)
{
	bool was_logged = *absence->logged;

	*absence = (struct absence){0};
	return was_logged;
}
