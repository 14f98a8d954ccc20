/* SPDX-License-Identifier: MIT */

/* The names of LEDs and buttons as people write them. */

#include "name.h"

#include <ctype.h>
#include <stdio.h>

const char *name_for_people(const char *name, char text[COMMAND_NAME_MAX + 1])
{
	snprintf(text, COMMAND_NAME_MAX + 1, "%s", name);
	*text = (char)toupper((unsigned char)*text);
	for (char *p = text; *p; p++)
		if (*p == '-')
			*p = ' ';
	return text;
}
