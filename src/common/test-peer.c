/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include <arpa/inet.h>
#include <linux/vm_sockets.h>
#include <unistd.h>

#include "tap.h"

static struct peer peer;
static char text[PEER_TEXT_MAX];

/* The peer that accept(2) has said to be at this address. */
static void get(int family, const char *address)
{
	struct sockaddr_storage from = {.ss_family = (sa_family_t)family};

	if (family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)&from;

		CHECK(inet_pton(family, address, &in->sin_addr) == 1);
		in->sin_port = htons(40000);
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&from;

		CHECK(inet_pton(family, address, &in6->sin6_addr) == 1);
		in6->sin6_port = htons(40000);
	}
	peer_get(-1, &from, &peer);
	peer_text(&peer, text);
}

TEST("a peer on the network, and whether it is this machine")
{
	static const struct {
		const char *address, *text;
		int family;
		bool local;
	} CASES[] = {
		{"192.0.2.1", "192.0.2.1:40000", AF_INET, false},
		{"127.0.0.1", "127.0.0.1:40000", AF_INET, true},
		{"127.255.255.254", "127.255.255.254:40000", AF_INET, true},
		{"126.255.255.255", "126.255.255.255:40000", AF_INET, false},
		{"1.0.0.127", "1.0.0.127:40000", AF_INET, false},
		{"fe80::1", "[fe80::1]:40000", AF_INET6, false},
		{"::1", "[::1]:40000", AF_INET6, true},
		{"::", "[::]:40000", AF_INET6, false},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
			"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:40000", AF_INET6, false},
	};

	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		get(CASES[i].family, CASES[i].address);
		CHECK(peer.family == CASES[i].family && peer.port == 40000);
		CHECK_TEXT(text, CASES[i].text);
		CHECK(peer_is_local(&peer) == CASES[i].local);
	}
}

TEST("IPv4 on a socket for both is IPv4")
{
	get(AF_INET6, "::ffff:192.0.2.1");
	CHECK(peer.family == AF_INET && peer.in.s_addr == inet_addr("192.0.2.1"));
	CHECK_TEXT(text, "192.0.2.1:40000");
	CHECK(!peer_is_local(&peer));
	get(AF_INET6, "::ffff:127.0.0.1");
	CHECK_TEXT(text, "127.0.0.1:40000");
	CHECK(peer_is_local(&peer));
}

TEST("a virtual machine's")
{
	struct sockaddr_storage from = {.ss_family = AF_VSOCK};

	((struct sockaddr_vm *)&from)->svm_cid = 4294967290U;
	peer_get(-1, &from, &peer);
	CHECK(peer.family == AF_VSOCK && peer.cid == 4294967290U);
	CHECK_TEXT(peer_text(&peer, text), "vsock 4294967290");
	CHECK(!peer_is_local(&peer));
}

TEST("the user at a UNIX socket, also where accept(2) gave no address")
{
	struct sockaddr_storage from = {.ss_family = AF_UNIX};
	char wanted[PEER_TEXT_MAX];
	int pair[2];

	snprintf(wanted, sizeof wanted, "local user %u", getuid());
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	peer_get(pair[0], NULL, &peer);
	CHECK(peer.family == AF_UNIX && peer.uid == getuid());
	CHECK_TEXT(peer_text(&peer, text), wanted);
	CHECK(peer_is_local(&peer));
	peer_get(pair[0], &from, &peer);
	CHECK_TEXT(peer_text(&peer, text), wanted);
	close(pair[0]);
	close(pair[1]);
}

TEST("what is no connection is ours")
{
	int fds[2];

	CHECK(pipe(fds) == 0);
	peer_get(fds[0], NULL, &peer);
	CHECK(peer.family == AF_UNIX && peer.uid == getuid());
	close(fds[0]);
	close(fds[1]);
}

TEST("the other end of a TCP connection is asked for; once it is gone, it is nobody")
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct linger at_once = {.l_onoff = 1};
	socklen_t size = sizeof in;
	int listening = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	int server;

	CHECK(bind(listening, (struct sockaddr *)&in, size) == 0 && listen(listening, 1) == 0);
	CHECK(getsockname(listening, (struct sockaddr *)&in, &size) == 0);
	CHECK(connect(client, (struct sockaddr *)&in, size) == 0);
	server = accept(listening, NULL, NULL);
	CHECK(getsockname(client, (struct sockaddr *)&in, &size) == 0);
	peer_get(server, NULL, &peer);
	CHECK(peer.family == AF_INET && peer.in.s_addr == htonl(INADDR_LOOPBACK));
	CHECK(peer.port == ntohs(in.sin_port));
	setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	close(client);
	peer_get(server, NULL, &peer);
	CHECK(peer.family == AF_UNSPEC);
	CHECK_TEXT(peer_text(&peer, text), "");
	CHECK(!peer_is_local(&peer));
	close(server);
	close(listening);
}

TAP_MAIN
