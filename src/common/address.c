/* SPDX-License-Identifier: MIT */
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

const struct addrinfo ADDRESS_HINTS = {
	.ai_flags = AI_NUMERICSERV,
	.ai_family = AF_UNSPEC,
	.ai_socktype = SOCK_STREAM,
};

static bool is_port(const char *text)
{
	unsigned port = 0;

	if (strlen(text) >= sizeof((struct address){0}.port))
		return false;
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return false;
		port = port * 10 + (unsigned)(*p - '0');
	}
	return port >= 1 && port <= 65535;
}

const char *address_parse(const char *text, struct address *address)
{
	const char *host = text, *port, *end;

	memset(address, 0, sizeof *address);
	if (*text == '/') {
		if (strlen(text) >= sizeof address->path)
			return "the path is too long for a UNIX socket";
		strcpy(address->path, text);
		return NULL;
	}
	if (is_port(text)) {
		strcpy(address->port, text);
		return NULL;
	}

	end = strrchr(text, ':');
	if (!end || end == text)
		return "an address is /path, HOST:PORT, [IPv6]:PORT or PORT";
	port = end + 1;
	if (!is_port(port))
		return "a port is a number from 1 to 65535";
	if (*host == '[' && end[-1] == ']') {
		host++;
		end--;
	} else if (memchr(host, ':', (size_t)(end - host))) {
		return "an IPv6 address stands in brackets, as in [::1]:5555";
	}
	if (end == host)
		return "an address is /path, HOST:PORT, [IPv6]:PORT or PORT";
	if ((size_t)(end - host) >= sizeof address->host)
		return "the host's name is too long";
	memcpy(address->host, host, (size_t)(end - host));
	strcpy(address->port, port);
	return NULL;
}

const char *address_text(const struct address *address, char text[ADDRESS_TEXT_MAX])
{
	if (*address->path)
		strcpy(text, address->path);
	else if (!*address->host)
		strcpy(text, address->port);
	else if (strchr(address->host, ':'))
		snprintf(text, ADDRESS_TEXT_MAX, "[%s]:%s", address->host, address->port);
	else
		snprintf(text, ADDRESS_TEXT_MAX, "%s:%s", address->host, address->port);
	return text;
}

socklen_t address_sockaddr_un(const struct address *address, struct sockaddr_un *sun)
{
	memset(sun, 0, sizeof *sun);
	sun->sun_family = AF_UNIX;
	strcpy(sun->sun_path, address->path);
	return sizeof *sun;
}

/* How long each read and write may take. */
static void set_timeout(int fd, int timeout_ms)
{
	struct timeval limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000L};

	if (timeout_ms <= 0)
		limit = (struct timeval){0, 1}; /* all zeros would mean no limit */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

/* EINPROGRESS is what connect(2) says when SO_SNDTIMEO has run out: socket(7). */
static const char *connect_error(void)
{
	return strerror(errno == EINPROGRESS || errno == EAGAIN ? ETIMEDOUT : errno);
}

/* "fe80::1%eth0", or with the interface's number: RFC 4007. */
static bool parse_scoped(const char *host, struct sockaddr_in6 *in6)
{
	char text[INET6_ADDRSTRLEN];
	const char *scope = strchr(host, '%');
	size_t length = scope ? (size_t)(scope - host) : 0;

	if (!scope || length >= sizeof text)
		return false;
	memcpy(text, host, length);
	text[length] = '\0';
	in6->sin6_scope_id = if_nametoindex(scope + 1);
	if (in6->sin6_scope_id == 0)
		in6->sin6_scope_id = (uint32_t)strtoul(scope + 1, NULL, 10);
	return in6->sin6_scope_id > 0 && inet_pton(AF_INET6, text, &in6->sin6_addr) == 1;
}

socklen_t address_sockaddr(const struct address *address, struct sockaddr_storage *storage)
{
	const char *host = *address->host ? address->host : "127.0.0.1";
	in_port_t port = htons((in_port_t)atoi(address->port));
	struct sockaddr_in *in = (struct sockaddr_in *)storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storage;

	memset(storage, 0, sizeof *storage);
	if (*address->path)
		return address_sockaddr_un(address, (struct sockaddr_un *)storage);
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = port;
		return sizeof *in;
	}
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1 || parse_scoped(host, in6)) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = port;
		return sizeof *in6;
	}
	return 0;
}

int address_connect(const struct address *address, int timeout_ms, const char **why)
{
	struct sockaddr_storage storage;
	socklen_t size = address_sockaddr(address, &storage);
	int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		*why = strerror(errno);
		return -1;
	}
	set_timeout(fd, timeout_ms);
	if (connect(fd, (struct sockaddr *)&storage, size) < 0) {
		*why = connect_error();
		close(fd);
		return -1;
	}
	return fd;
}

void address_get_peer(int fd, const struct sockaddr_storage *from, struct address_peer *peer)
{
	struct sockaddr_storage storage = {.ss_family = AF_UNIX};
	struct ucred user = {.uid = getuid()};
	const struct sockaddr_in6 *in6;
	const struct sockaddr_in *in;
	socklen_t size = sizeof storage;

	*peer = (struct address_peer){.family = AF_UNSPEC};
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
	} else {
		size = sizeof user;
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &user, &size);
		*peer = (struct address_peer){.family = AF_UNIX, .uid = user.uid};
	}
}

const char *address_peer_text(const struct address_peer *peer, char text[ADDRESS_PEER_MAX])
{
	char host[INET6_ADDRSTRLEN] = "?";

	switch (peer->family) {
	case AF_INET:
		inet_ntop(AF_INET, &peer->in, host, sizeof host);
		snprintf(text, ADDRESS_PEER_MAX, "%s:%d", host, peer->port);
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, &peer->in6, host, sizeof host);
		snprintf(text, ADDRESS_PEER_MAX, "[%s]:%d", host, peer->port);
		break;
	case AF_UNIX:
		snprintf(text, ADDRESS_PEER_MAX, "local user %u", peer->uid);
		break;
	default:
		*text = '\0';
	}
	return text;
}

bool address_peer_is_local(const struct address_peer *peer)
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
