/* SPDX-License-Identifier: MIT */

/* How a person names hardware. */

#include "spec.h"

#include <stddef.h>
#include <string.h>

bool spec_is_for(const char *spec, const char *backend, const char **argument)
{
	size_t length = strcspn(spec, ":");

	*argument = spec[length] ? spec + length + 1 : NULL;
	return strlen(backend) == length && memcmp(spec, backend, length) == 0;
}
