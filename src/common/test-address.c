/* SPDX-License-Identifier: MIT */
#include "address.h"
#include "tap.h"

static struct address address;

TEST("paths of UNIX sockets")
{
	char path[200];

	CHECK(!address_parse("/run/led/line.sock", &address));
	CHECK_TEXT(address.path, "/run/led/line.sock");
	memset(path, 'x', sizeof path);
	path[0] = '/';
	path[107] = '\0';
	CHECK(!address_parse(path, &address));
	path[107] = 'x';
	path[108] = '\0';
	CHECK(address_parse(path, &address));
}

TEST("hosts and ports")
{
	CHECK(!address_parse("pi:5555", &address));
	CHECK_TEXT(address.host, "pi");
	CHECK_TEXT(address.port, "5555");
	CHECK_TEXT(address.path, "");
	CHECK(!address_parse("127.0.0.1:1", &address));
	CHECK_TEXT(address.host, "127.0.0.1");
	CHECK(!address_parse("[fe80::1%eth0]:65535", &address));
	CHECK_TEXT(address.host, "fe80::1%eth0");
	CHECK(!address_parse("5555", &address));
	CHECK_TEXT(address.host, "");
}

TEST("what is no address is refused")
{
	static const char *const BAD[] = {"", ":", "pi", "pi:", ":5555", "pi:0", "pi:65536", "0",
		"99999", "pi:+1", "pi:55 55", "::1:5555", "[]:5555", "[::1:5555", "unix:/run/x",
		"-1", "[[pi]]:5555", "[/run/x]:5555", "a]b:5555", "a/b:5555"};

	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		if (!address_parse(BAD[i], &address))
			printf("# taken for an address: '%s'\n", BAD[i]);
		CHECK(address_parse(BAD[i], &address));
	}
}

TEST("the reason fits what is wrong")
{
	static const char FORM[] = "an address is /path, HOST:PORT, [IPv6]:PORT or PORT";
	static const char BRACKETS[] = "an IPv6 address stands in brackets, as in [::1]:5555";
	static const char PORT[] = "a port is a number from 1 to 65535";
	static const struct {
		const char *text, *why;
	} WRONG[] = {
		{"pi", FORM},
		{"tcp://pi:5555", FORM},
		{"tcp://pi", FORM},
		{"tcp://[::1]:5555", FORM},
		{"unix:/run/x", FORM},
		{"pi:5555:1", FORM},
		{"a b:c:5555", FORM},
		{"::1:5555", BRACKETS},
		{"fe80::1%eth0:5555", BRACKETS},
		{"::ffff:192.0.2.1:5555", BRACKETS},
		{"2001:DB8::1:5555", BRACKETS},
		{"pi:x", PORT},
		{"pi:", PORT},
		{"[::1]:70000", PORT},
	};

	for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
		CHECK_TEXT(address_parse(WRONG[i].text, &address), WRONG[i].why);
}

TEST("a host too long is refused")
{
	char text[400];

	memset(text, 'x', sizeof text);
	strcpy(text + 255, ":1");
	CHECK(!address_parse(text, &address));
	text[255] = 'x';
	strcpy(text + 256, ":1");
	CHECK(address_parse(text, &address));
}

TEST("an address is written as it was read")
{
	static const char *const ALL[] = {"/run/led/line.sock", "pi:5555", "127.0.0.1:1",
		"[::1]:5555", "[fe80::1%eth0]:65535", "5555"};
	char text[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++) {
		CHECK(!address_parse(ALL[i], &address));
		CHECK_TEXT(address_text(&address, text), ALL[i]);
	}
}

/* The sockaddr of an address. Returns whether there is one. */
static bool make_sockaddr(const char *text, struct sockaddr_storage *storage)
{
	socklen_t size;

	CHECK(!address_parse(text, &address));
	size = address_sockaddr(&address, storage);
	CHECK(size <= sizeof *storage);
	return size > 0;
}

TEST("led-line is at a path or a number")
{
	CHECK(!address_parse_line("/run/led/line.sock", &address));
	CHECK(!address_parse_line("[fe80::1%lo]:5555", &address));
	CHECK(!address_parse_line("5555", &address));
	CHECK_TEXT(address_parse_line("pi:5555", &address),
		"names are not looked up here: an address is a number or a path");
	CHECK(strstr(address_parse_line("", &address), "looked up") == NULL);
}

TEST("paths and numbers have a sockaddr, names have none")
{
	struct sockaddr_storage storage;
	const struct sockaddr_un *un = (struct sockaddr_un *)&storage;
	const struct sockaddr_in *in = (struct sockaddr_in *)&storage;
	const struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&storage;

	CHECK(make_sockaddr("/run/led/line.sock", &storage) && un->sun_family == AF_UNIX);
	CHECK_TEXT(un->sun_path, "/run/led/line.sock");
	CHECK(make_sockaddr("192.0.2.1:59999", &storage) && in->sin_family == AF_INET);
	CHECK(in->sin_port == htons(59999) && in->sin_addr.s_addr == htonl(0xc0000201));
	CHECK(make_sockaddr("5555", &storage) && in->sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	CHECK(make_sockaddr("[::1]:1", &storage) && in6->sin6_family == AF_INET6);
	CHECK(IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) && in6->sin6_port == htons(1));
	CHECK(in6->sin6_scope_id == 0);
	CHECK(make_sockaddr("[fe80::1%lo]:1", &storage) && in6->sin6_scope_id == 1);
	CHECK(make_sockaddr("[fe80::1%7]:1", &storage) && in6->sin6_scope_id == 7);
	CHECK(IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr));

	CHECK(!make_sockaddr("pi:1", &storage));
	CHECK(!make_sockaddr("[fe80::1%nowhere]:1", &storage));
	CHECK(!make_sockaddr("[fe80::1%0]:1", &storage));
	CHECK(!make_sockaddr("192.0.2.256:1", &storage));
	CHECK(!make_sockaddr("[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa%1]:1", &storage));
}

TAP_MAIN
