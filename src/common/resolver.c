/* SPDX-License-Identifier: MIT */

/* Loads what looks up the names of hosts. */

#include "resolver.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define FILE_MAX 8192

static const char BLANKS[] = " \t";

const char *resolver_services(const char *file)
{
	static const char DATABASE[] = "hosts:";

	while (*file) {
		file += strspn(file, BLANKS);
		if (strncmp(file, DATABASE, strlen(DATABASE)) == 0)
			return file + strlen(DATABASE);
		file += strcspn(file, "\n");
		file += strspn(file, "\n");
	}
	return file;
}

bool resolver_next_module(const char **services, char module[RESOLVER_MODULE_MAX])
{
	for (;;) {
		const char *word = *services + strspn(*services, BLANKS);
		size_t length = strcspn(word, " \t\n#[");

		if (length > 0) {
			*services = word + length;
			if (snprintf(module, RESOLVER_MODULE_MAX, "libnss_%.*s.so.2", (int)length,
				    word) < RESOLVER_MODULE_MAX)
				return true;
		} else if (*word == '[') {
			/* What follows from an answer: [NOTFOUND=return]. */
			*services = word + strcspn(word, "]\n");
			*services += **services == ']';
		} else {
			*services = word;
			return false;
		}
	}
}

void resolver_load(void)
{
	char text[FILE_MAX], module[RESOLVER_MODULE_MAX];
	const char *services;
	FILE *file = fopen("/etc/nsswitch.conf", "re");

	if (!file)
		return;
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	services = resolver_services(text);
	/* Some are a part of the C library, and others may be missing: then it goes without them.
	 */
	while (resolver_next_module(&services, module))
		dlopen(module, RTLD_NOW);
}
