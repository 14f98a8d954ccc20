/* SPDX-License-Identifier: MIT */
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
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

const char *address_host(const struct address *address)
{
	return *address->host ? address->host : NULL;
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

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int connect_to(const struct sockaddr *sa, socklen_t size, int timeout_ms, const char **why)
{
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		*why = strerror(errno);
		return -1;
	}
	set_timeout(fd, timeout_ms);
	if (connect(fd, sa, size) < 0) {
		*why = connect_error();
		close(fd);
		return -1;
	}
	return fd;
}

/* Numbers are not looked up: they need neither the library's files nor a thread to wait for. */
static socklen_t read_numbers(const struct address *address, struct sockaddr_storage *storage)
{
	in_port_t port = htons((in_port_t)atoi(address->port));
	struct sockaddr_in *in = (struct sockaddr_in *)storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storage;

	memset(storage, 0, sizeof *storage);
	if (inet_pton(AF_INET, address->host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = port;
		return sizeof *in;
	}
	if (inet_pton(AF_INET6, address->host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = port;
		return sizeof *in6;
	}
	return 0;
}

/* getaddrinfo(3), with an end. Returns its status; EAI_AGAIN also when the time is over. */
static int look_up(const struct address *address, int timeout_ms, struct addrinfo **list)
{
	const struct timespec limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
	struct gaicb *request;
	int r;

	/* What is still under way when we give up writes here: it is left to the exit. */
	request = calloc(1, sizeof *request);
	if (!request)
		return EAI_MEMORY;
	request->ar_name = address_host(address);
	request->ar_service = address->port;
	request->ar_request = &ADDRESS_HINTS;
	r = getaddrinfo_a(GAI_NOWAIT, &request, 1, NULL);
	if (r != 0) {
		free(request);
		return r;
	}
	gai_suspend((const struct gaicb *const *)&request, 1, &limit);
	r = gai_error(request);
	if (r == EAI_INPROGRESS)
		return EAI_AGAIN;
	*list = request->ar_result;
	free(request);
	return r;
}

int address_connect(const struct address *address, int timeout_ms, const char **why)
{
	int64_t deadline = now_ms() + timeout_ms;
	struct sockaddr_storage storage;
	struct addrinfo *list;
	int fd = -1, left = 0, r;
	socklen_t size;

	if (*address->path)
		size = address_sockaddr_un(address, (struct sockaddr_un *)&storage);
	else
		size = read_numbers(address, &storage);
	if (size > 0)
		return connect_to((struct sockaddr *)&storage, size, timeout_ms, why);

	r = look_up(address, timeout_ms, &list);
	if (r != 0) {
		*why = r == EAI_AGAIN ? "the name is not found in time" : gai_strerror(r);
		return -1;
	}
	for (struct addrinfo *ai = list; ai; ai = ai->ai_next)
		left++;
	/* An address that does not answer leaves the others their share of the time. */
	for (struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next)
		fd = connect_to(
			ai->ai_addr, ai->ai_addrlen, (int)((deadline - now_ms()) / left--), why);
	freeaddrinfo(list);
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
