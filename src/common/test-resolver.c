/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "resolver.h"
#include "tap.h"

/* Whether a file names these modules, with blanks between them. */
static bool names(const char *file, const char *expected)
{
	const char *services = resolver_services(file);
	char module[RESOLVER_MODULE_MAX], all[256] = "";

	while (resolver_next_module(&services, module)) {
		strcat(all, *all ? " " : "");
		strcat(all, module);
	}
	if (strcmp(all, expected) != 0)
		printf("# %s\n", all);
	return strcmp(all, expected) == 0;
}

TEST("the modules for hosts, in their order")
{
	CHECK(names("hosts: files dns\n", "libnss_files.so.2 libnss_dns.so.2"));
	CHECK(names("passwd: files systemd\n\n hosts:\tfiles resolve\nnetworks: db\n",
		"libnss_files.so.2 libnss_resolve.so.2"));
	CHECK(names("hosts:files", "libnss_files.so.2"));
}

TEST("what follows from an answer is no module, and neither is a comment")
{
	CHECK(names("hosts: mdns4_minimal [NOTFOUND=return] resolve [!UNAVAIL=return] dns # wins\n",
		"libnss_mdns4_minimal.so.2 libnss_resolve.so.2 libnss_dns.so.2"));
	CHECK(names("hosts: files[NOTFOUND=return]dns", "libnss_files.so.2 libnss_dns.so.2"));
	CHECK(names("#hosts: wins\nhosts: dns", "libnss_dns.so.2"));
	CHECK(names("hosts: files [NOTFOUND=return\nshadow: db", "libnss_files.so.2"));
}

TEST("none, where the file names none")
{
	CHECK(names("", ""));
	CHECK(names("hosts:", ""));
	CHECK(names("hosts:   \npasswd: files", ""));
	CHECK(names("passwd: files\nmyhosts: files", ""));
}

TEST("a name that is too long is left out")
{
	CHECK(names("hosts: a2345678901234567890123456789012345678901234567890123456789012345 dns",
		"libnss_dns.so.2"));
}

int main(void)
{
	/* Whatever this machine has: it can be loaded, or is left. */
	resolver_load();
	return tap_run();
}
