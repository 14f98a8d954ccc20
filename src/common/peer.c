/* SPDX-License-Identifier: MIT */

/* Who is at the other end of a connection. */

#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void peer_get(int fd, const struct sockaddr_storage *from, struct peer *peer)
{
	struct sockaddr_storage storage = {.ss_family = AF_UNIX};
	struct ucred user;
	const struct sockaddr_in6 *in6;
	const struct sockaddr_in *in;
	socklen_t size = sizeof storage;

	*peer = (struct peer){.family = AF_UNSPEC};
	if (!from && getpeername(fd, (struct sockaddr *)&storage, &size) < 0 && errno == ENOTCONN)
		return;
	if (!from)
		from = &storage;
	in = (const struct sockaddr_in *)from;
	in6 = (const struct sockaddr_in6 *)from;
	peer->family = from->ss_family;
	if (from->ss_family == AF_INET) {
		peer->in = in->sin_addr;
		peer->port = ntohs(in->sin_port);
	} else if (from->ss_family == AF_INET6) {
		peer->in6 = in6->sin6_addr;
		peer->port = ntohs(in6->sin6_port);
		/* IPv4 on a socket for both */
		if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
			peer->family = AF_INET;
			memcpy(&peer->in, &in6->sin6_addr.s6_addr[12], sizeof peer->in);
		}
	} else if (from->ss_family == AF_VSOCK) {
		peer->cid = ((const struct sockaddr_vm *)from)->svm_cid;
	} else {
		size = sizeof user;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &user, &size) < 0)
			user.uid = getuid();
		*peer = (struct peer){.family = AF_UNIX, .uid = user.uid};
	}
}

const char *peer_text(const struct peer *peer, char text[PEER_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN] = "?";

	switch (peer->family) {
	case AF_INET:
		inet_ntop(AF_INET, &peer->in, host, sizeof host);
		snprintf(text, PEER_TEXT_MAX, "%s:%d", host, peer->port);
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, &peer->in6, host, sizeof host);
		snprintf(text, PEER_TEXT_MAX, "[%s]:%d", host, peer->port);
		break;
	case AF_VSOCK:
		snprintf(text, PEER_TEXT_MAX, "vsock %u", peer->cid);
		break;
	case AF_UNIX:
		snprintf(text, PEER_TEXT_MAX, "local user %u", peer->uid);
		break;
	default:
		*text = '\0';
	}
	return text;
}

bool peer_is_local(const struct peer *peer)
{
	switch (peer->family) {
	case AF_UNIX:
		return true;
	case AF_INET:
		return ntohl(peer->in.s_addr) >> 24 == IN_LOOPBACKNET;
	case AF_INET6:
		return IN6_IS_ADDR_LOOPBACK(&peer->in6);
	default:
		return false;
	}
}
