/* SPDX-License-Identifier: MIT */
#include "denial.h"

#include <errno.h>

#include "clock.h"

#define NEW_USEC 5000000

bool denial_is_new(uint64_t *since, int error)
{
	uint64_t now = clock_usec();

	if (error != -EACCES && error != -EPERM) {
		*since = 0;
		return false;
	}
	if (*since == 0)
		*since = now;
	return now - *since < NEW_USEC;
}
