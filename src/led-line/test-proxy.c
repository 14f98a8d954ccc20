/* SPDX-License-Identifier: MIT */
#include "proxy.h"
#include "tap.h"

/* The client's address, "" if there is no line; *size: that of the line. */
static const char *read_line(const char *bytes, size_t *size)
{
	static char text[PEER_TEXT_MAX];
	struct peer client = {.family = AF_UNSPEC};

	*size = proxy_read(bytes, strlen(bytes), &client);
	return peer_text(&client, text);
}

TEST("the client's address, and what follows the line")
{
	static const char V4[] = "PROXY TCP4 192.0.2.7 192.0.2.1 40112 5556\r\n";
	static const char MAPPED[] = "PROXY TCP6 ::ffff:192.0.2.7 ::ffff:192.0.2.1 40112 5556\r\n";
	static const char COMMAND[] = "PROXY TCP6 2001:db8::1 2001:db8::2 65535 5556\r\nLED ON\r\n";
	size_t size;

	CHECK_TEXT(read_line(V4, &size), "192.0.2.7:40112");
	CHECK(size == strlen(V4));
	CHECK_TEXT(read_line(MAPPED, &size), "192.0.2.7:40112");
	CHECK(size == strlen(MAPPED));
	CHECK_TEXT(read_line(COMMAND, &size), "[2001:db8::1]:65535");
	CHECK_TEXT(COMMAND + size, "LED ON\r\n");
}

TEST("link-local addresses may have a scope, the longest too")
{
	static const char LOCAL[] = "PROXY TCP6 fe80::1%eth0 fe80::2%eth0 40112 5556\r\nLED ON\r\n";
	static const char LONGEST[] =
		"PROXY TCP6 fe80:1111:2222:3333:4444:5555:6666:7777%abcdefghijklmno "
		"fe80:1111:2222:3333:4444:5555:6666:8888%abcdefghijklmno 65535 65535\r\n";
	size_t size;

	CHECK_TEXT(read_line(LOCAL, &size), "[fe80::1]:40112");
	CHECK_TEXT(LOCAL + size, "LED ON\r\n");
	CHECK_TEXT(read_line(LONGEST, &size), "[fe80:1111:2222:3333:4444:5555:6666:7777]:65535");
	CHECK(size == strlen(LONGEST));
}

TEST("anything else is no such line")
{
	static const char *const LINES[] = {"", "LED ON\r\n", "PROXY", "PROXY UNKNOWN\r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1 40112 5556",
		"PROXY TCP4 192.0.2.7 192.0.2.1 40112 5556\n",
		"PROXY TCP4 192.0.2.777 192.0.2.1 40112 5556\r\n",
		"PROXY TCP4 2001:db8::1 192.0.2.1 40112 5556\r\n",
		"PROXY TCP6 192.0.2.7 192.0.2.1 40112 5556\r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1 x 5556\r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1 40112\r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1 65536 5556\r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1 -1 5556\r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1 040112 5556\r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1 40112 5556 x\r\n",
		"PROXY TCP4 192.0.2.7 x 40112 5556\r\n",
		"PROXY TCP4  192.0.2.7 192.0.2.1 40112 5556\r\n",
		"PROXY TCP4192.0.2.7 192.0.2.1 40112 5556\r\n",
		"PROXY TCP4 192.0.2.7\r\nLED ON\r\n",
		"PROXY TCP6 2001:db8::1%eth0 2001:db8::2 40112 5556\r\n",
		"PROXY TCP6 fe80::1% fe80::2 40112 5556\r\n",
		"PROXY TCP6 fe80::1 fe80::2% 40112 5556\r\n",
		"PROXY TCP6 fe80::1%abcdefghijklmnop fe80::2 40112 5556\r\n",
		"PROXY TCP4 192.0.2.7%eth0 192.0.2.1 40112 5556\r\n",
		"PROXY TCP6 1111111111111111111111111111111111111111111111111111111111111111111111"
		"1111111111111111111111111111 ::1 40112 5556\r\n"};
	size_t size;

	for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
		CHECK_TEXT(read_line(LINES[i], &size), "");
		CHECK(size == 0);
	}
}

TAP_MAIN
