/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <linux/vm_sockets.h>

#include "allow.h"
#include "tap.h"

static struct peer peer_of(const char *text)
{
	struct peer peer = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	CHECK(inet_pton(peer.family, text, &peer.in6) == 1);
	return peer;
}

static bool is_allowed(const char *list, const char *address)
{
	struct peer peer = peer_of(address);
	bool allowed = false;

	CHECK(!allow_peer(list, &peer, &allowed));
	return allowed;
}

TEST("private is loopback, link-local, RFC 1918 and RFC 4193")
{
	static const char *const YES[] = {"127.0.0.1", "127.255.255.255", "10.0.0.0",
		"10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.1", "192.168.255.255",
		"169.254.1.1", "169.254.255.255", "::1", "fe80::1", "febf::1", "fc00::1",
		"fdff::1"};
	static const char *const NO[] = {"126.0.0.1", "128.0.0.1", "9.255.255.255", "11.0.0.0",
		"172.15.255.255", "172.32.0.0", "192.167.0.1", "192.169.0.0", "169.253.0.1",
		"0.0.0.0", "203.0.113.1", "::", "::2", "fec0::1", "fe7f::1", "fbff::1", "fe00::1",
		"2001:db8::1"};

	for (size_t i = 0; i < sizeof YES / sizeof *YES; i++)
		CHECK(is_allowed("private", YES[i]) || (printf("# %s\n", YES[i]), false));
	for (size_t i = 0; i < sizeof NO / sizeof *NO; i++)
		CHECK(!is_allowed("private", NO[i]) || (printf("# %s\n", NO[i]), false));
}

TEST("any, addresses and prefixes")
{
	CHECK(is_allowed("any", "203.0.113.1") && is_allowed("any", "2001:db8::1"));
	CHECK(is_allowed("203.0.113.0/24", "203.0.113.255"));
	CHECK(!is_allowed("203.0.113.0/24", "203.0.114.0"));
	CHECK(!is_allowed("203.0.113.0/24", "127.0.0.1"));
	CHECK(is_allowed("203.0.113.7", "203.0.113.7") &&
		!is_allowed("203.0.113.7", "203.0.113.6"));
	CHECK(is_allowed("0.0.0.0/0", "203.0.113.1") && !is_allowed("0.0.0.0/0", "::1"));
	CHECK(is_allowed("2001:db8::/33", "2001:db8:7fff::1"));
	CHECK(!is_allowed("2001:db8::/33", "2001:db8:8000::1"));
	CHECK(is_allowed(" private\t2001:db8::1 \n", "2001:db8::1"));
	CHECK(is_allowed("private 203.0.113.0/24", "10.1.2.3"));
}

TEST("clients without an address")
{
	const struct peer local = {.family = AF_UNIX}, gone = {.family = AF_UNSPEC};
	bool allowed = false;

	CHECK(!allow_peer("203.0.113.0/24", &local, &allowed) && allowed);
	CHECK(!allow_peer("any", &gone, &allowed) && !allowed);
}

TEST("a wrong list is refused")
{
	static const char *const WRONG[] = {"", " ", "none", "Any", "10.0.0.0/33", "10.0.0.0/",
		"10.0.0.0/x", "10.0.0.0/:", "10.0.0.0/1/", "10.0.0/8", "::/129", "10.0.0.0/8,::1",
		"fe80::1%eth0", "any x",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc/64"};
	bool allowed;

	for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
		CHECK(allow_peer(WRONG[i], NULL, &allowed));
	CHECK(!allow_peer("private ::/0 10.0.0.0/8", NULL, &allowed));
}

TEST("IPv4 as IPv6 is wrong, and the reason has the right form")
{
	bool allowed;

	CHECK_TEXT(allow_peer("private ::ffff:192.168.0.0/112", NULL, &allowed),
		"without ::ffff:, it is 192.168.0.0/16");
	CHECK_TEXT(allow_peer("::ffff:203.0.113.7", NULL, &allowed),
		"without ::ffff:, it is 203.0.113.7/32");
	CHECK_TEXT(allow_peer("::FFFF:0:0/96", NULL, &allowed), "without ::ffff:, it is 0.0.0.0/0");
	CHECK(!allow_peer("::ffff:0:0/95", NULL, &allowed));
	CHECK(!allow_peer("::fffe:192.168.0.0/112 ::/0", NULL, &allowed));
}

TEST("a virtual machine's host and its other machines are not on this machine")
{
	const struct sockaddr_vm vm = {.svm_family = AF_VSOCK, .svm_cid = 3, .svm_port = 1024};
	struct sockaddr_storage storage = {0};
	char text[PEER_TEXT_MAX];
	struct peer peer;
	bool allowed = true;

	memcpy(&storage, &vm, sizeof vm);
	peer_get(-1, &storage, &peer);
	CHECK(!peer_is_local(&peer));
	CHECK_TEXT(peer_text(&peer, text), "vsock 3");
	CHECK(!allow_peer("private 0.0.0.0/0 ::/0", &peer, &allowed) && !allowed);
	CHECK(!allow_peer("any", &peer, &allowed) && allowed);
}

TAP_MAIN
