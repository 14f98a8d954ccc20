/* SPDX-License-Identifier: MIT */
#include "../../src/common/address.h"
#include "tap.h"

static struct address address;

static void paths(void)
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

static void hosts_and_ports(void)
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

static void what_is_no_address(void)
{
	static const char *const BAD[] = {"", ":", "pi", "pi:", ":5555", "pi:0", "pi:65536", "0",
		"99999", "pi:+1", "pi:55 55", "::1:5555", "[]:5555", "[::1:5555", "unix:/run/x",
		"-1"};

	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		if (!address_parse(BAD[i], &address))
			printf("# taken for an address: '%s'\n", BAD[i]);
		CHECK(address_parse(BAD[i], &address));
	}
}

static void a_host_too_long(void)
{
	char text[400];

	memset(text, 'x', sizeof text);
	strcpy(text + 255, ":1");
	CHECK(!address_parse(text, &address));
	text[255] = 'x';
	strcpy(text + 256, ":1");
	CHECK(address_parse(text, &address));
}

static void as_it_was_written(void)
{
	static const char *const ALL[] = {"/run/led/line.sock", "pi:5555", "127.0.0.1:1",
		"[::1]:5555", "[fe80::1%eth0]:65535", "5555"};
	char text[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++) {
		CHECK(!address_parse(ALL[i], &address));
		CHECK_TEXT(address_text(&address, text), ALL[i]);
	}
}

TAP_MAIN({"paths of UNIX sockets", paths}, {"hosts and ports", hosts_and_ports},
	{"what is no address is refused", what_is_no_address},
	{"a host too long is refused", a_host_too_long},
	{"an address is written as it was read", as_it_was_written})
