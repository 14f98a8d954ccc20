/* SPDX-License-Identifier: MIT */

/* The names of descriptors in the service manager's store. */

#include "store-name.h"

#include <stdio.h>
#include <string.h>

static const char *const PREFIXES[] = {[STORE_LINE] = "line-", [STORE_STATE] = "state-"};

/* A name must not contain these characters: sd_pid_notify_with_fds(3). */
static bool is_forbidden(char c)
{
	return c == ':' || c < ' ' || c > '~';
}

/*
 * Writes a character in a way that no other is written.
 *
 * first: whether it is a SPEC's first colon
 * Returns the length.
 */
static int escape(char c, bool first, char text[static 4])
{
	if (first)
		return sprintf(text, "_");
	if (c == '_' || c == '%')
		return sprintf(text, "%%%c", c);
	return sprintf(text, is_forbidden(c) ? "%%%02x" : "%c", (unsigned char)c);
}

bool store_name(enum store_item item, const char *spec, char name[STORE_NAME_MAX])
{
	const char *colon = strchr(spec, ':');
	size_t length = strlen(strcpy(name, PREFIXES[item]));

	for (; *spec; spec++) {
		char text[4];
		size_t more = (size_t)escape(*spec, spec == colon, text);

		if (length + more >= STORE_NAME_MAX)
			return false;
		strcpy(name + length, text);
		length += more;
	}
	return true;
}

void store_old_name(enum store_item item, const char *spec, char name[STORE_NAME_MAX])
{
	snprintf(name, STORE_NAME_MAX, "%s%s", PREFIXES[item], spec);
	for (char *p = name; *p; p++)
		if (is_forbidden(*p))
			*p = '_';
}

bool store_name_is(const char *name, enum store_item item, const char *spec)
{
	char own[STORE_NAME_MAX], old[STORE_NAME_MAX];

	store_old_name(item, spec, old);
	return strcmp(name, old) == 0 || (store_name(item, spec, own) && strcmp(name, own) == 0);
}

/* The rest of a stored line's name, without the LED's. */
static const char *line_of(const char *name)
{
	const char *line = name + strlen(PREFIXES[STORE_LINE]);
	size_t length = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return line[length] == '=' ? line + length + 1 : line;
}

static bool begins_with_line(const char *line, const char *wanted)
{
	size_t length = strlen(wanted);

	return strncmp(line, wanted, length) == 0 && (!line[length] || line[length] == ',');
}

bool store_name_is_line(const char *name, const char *spec)
{
	char alone[STORE_NAME_MAX], own[STORE_NAME_MAX], old[STORE_NAME_MAX];

	if (strncmp(name, PREFIXES[STORE_LINE], strlen(PREFIXES[STORE_LINE])) != 0)
		return false;
	snprintf(alone, sizeof alone, "%.*s", (int)strcspn(spec, ","), spec);
	store_old_name(STORE_LINE, alone, old);
	return begins_with_line(line_of(name), line_of(old)) ||
	       (store_name(STORE_LINE, alone, own) &&
		       begins_with_line(line_of(name), line_of(own)));
}

bool store_name_is_ours(const char *name)
{
	for (size_t i = 0; i < sizeof PREFIXES / sizeof *PREFIXES; i++)
		if (strncmp(name, PREFIXES[i], strlen(PREFIXES[i])) == 0)
			return true;
	return false;
}
