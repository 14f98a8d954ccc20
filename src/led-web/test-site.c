/* SPDX-License-Identifier: MIT */
#include "site.h"
#include "tap.h"

TEST("addresses, single words and private names are ours")
{
	static const char *const OURS[] = {"pi", "pi:5557", "localhost", "PI", "192.0.2.1",
		"192.0.2.1:5557", "203.0.113.9", "pi:", "[::1]:", "[::1]", "[fe80::1]:5557",
		"pi.local", "pi.local:5557", "pi.local.", "PI.LOCAL", "a.b.lan", "pi.home",
		"pi.localdomain", "pi.home.arpa", "pi.internal", "my_pi"};

	for (size_t i = 0; i < sizeof OURS / sizeof *OURS; i++)
		if (!site_is_ours(OURS[i], ""))
			CHECK_TEXT(OURS[i], "ours");
}

TEST("other names are not, and nothing that is no name")
{
	static const char *const OTHERS[] = {"", "evil.example", "evil.example:5557",
		"192.0.2.1.evil.example", "pi.local.evil.example", "notlocal.example", ".local",
		"evil.xlocal", "evil.arpa", "1.2.3", "1.2.3.4.5", "[::1", "[::1]x", "[evil]", "::1",
		":", "pi::", "pi:x", "pi:0", "pi:99999", "pi:1:2", "pi/x", "pi x", "a@pi", "pi\"",
		"[192.0.2.1]", ":5557"};

	for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
		if (site_is_ours(OTHERS[i], ""))
			CHECK_TEXT(OTHERS[i], "not ours");
}

TEST("names that somebody has set are ours, in any case and with any port")
{
	static const char HOSTS[] = " led.example.org\n\tpi.example ";

	CHECK(site_is_ours("led.example.org", HOSTS) && site_is_ours("pi.example", HOSTS));
	CHECK(site_is_ours("LED.example.ORG:5557", HOSTS));
	CHECK(site_is_ours("pi.example.", HOSTS));
	CHECK(!site_is_ours("example.org", HOSTS) && !site_is_ours("x.pi.example", HOSTS));
	/* As it may have come out of another program: with the dot of a complete name. */
	CHECK(site_is_ours("pi.example", "x pi.example.") &&
		site_is_ours("pi.example.", "pi.example."));
	CHECK(!site_is_ours("pi.examplex", "pi.example."));
	CHECK(!site_is_ours("led.example.orgy", HOSTS) && !site_is_ours("pi.exampl", HOSTS));
}

TEST("a long name is none")
{
	char host[SITE_HOST_MAX + 2];

	memset(host, 'a', sizeof host);
	host[sizeof host - 1] = '\0';
	CHECK(!site_is_ours(host, ""));
	host[sizeof host - 2] = '\0';
	CHECK(site_is_ours(host, ""));
}

TEST("what may be set is a name")
{
	CHECK(site_is_name("led.example.org") && site_is_name("a_b-1"));
	CHECK(!site_is_name("") && !site_is_name("pi:5557") && !site_is_name("http://pi"));
	CHECK(!site_is_name("*.example") && !site_is_name(".example"));
}

TEST("Sec-Fetch-Site decides where it is there")
{
	CHECK(site_may_command("same-origin", "http://evil.example", "pi"));
	CHECK(site_may_command("none", NULL, "pi"));
	CHECK(!site_may_command("cross-site", "http://pi", "pi"));
	CHECK(!site_may_command("same-site", NULL, "pi"));
	CHECK(!site_may_command("", NULL, "pi"));
	CHECK(!site_may_command("Same-Origin", NULL, "pi"));
}

TEST("else Origin, with host and port as in Host")
{
	CHECK(site_may_command(NULL, NULL, "pi") && site_may_command(NULL, NULL, NULL));
	CHECK(site_may_command(NULL, "http://pi:5557", "pi:5557"));
	CHECK(site_may_command(NULL, "https://PI:5557", "pi:5557"));
	CHECK(site_may_command(NULL, "http://pi", "pi:80"));
	CHECK(site_may_command(NULL, "https://pi:443", "pi"));
	CHECK(site_may_command(NULL, "http://[::1]:5557", "[::1]:5557"));
	CHECK(!site_may_command(NULL, "http://pi:5556", "pi:5557"));
	CHECK(!site_may_command(NULL, "http://pi", "pi:5557"));
	CHECK(!site_may_command(NULL, "http://pi:5557", "pi"));
	CHECK(!site_may_command(NULL, "http://evil.example:5557", "pi:5557"));
	CHECK(!site_may_command(NULL, "null", "pi"));
	CHECK(!site_may_command(NULL, "", "pi"));
	CHECK(!site_may_command(NULL, "pi", "pi"));
	CHECK(!site_may_command(NULL, "ftp://pi", "pi"));
	CHECK(!site_may_command(NULL, "http://pi", NULL));
	CHECK(!site_may_command(NULL, "http://pi/x", "pi"));
}

int main(void)
{
	return tap_run();
}
