/* SPDX-License-Identifier: MIT */

/* Opens the listening sockets of an ADDR. */

#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "cleanup.h"

/* Whether path is a socket without a listener, left by a crash. */
static bool is_stale(const struct sockaddr_un *sun, socklen_t size)
{
	CLEANUP(cleanup_fd) int fd = -1;
	struct stat st;

	if (lstat(sun->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return fd >= 0 && connect(fd, (const struct sockaddr *)sun, size) < 0 &&
	       errno == ECONNREFUSED;
}

/* Binds to a path, in place of a socket that nobody listens on any more. */
static int bind_unix(int fd, const struct sockaddr_un *sun, socklen_t size)
{
	if (bind(fd, (const struct sockaddr *)sun, size) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return -1;
	if (!is_stale(sun, size)) {
		errno = EADDRINUSE;
		return -1;
	}
	unlink(sun->sun_path);
	return bind(fd, (const struct sockaddr *)sun, size);
}

static int listen_unix(const struct address *address, const char **why)
{
	struct sockaddr_un sun;
	socklen_t size = address_sockaddr_un(address, &sun);
	CLEANUP(cleanup_fd)
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind_unix(fd, &sun, size) < 0 || listen(fd, SOMAXCONN) < 0) {
		*why = strerror(errno);
		return -1;
	}
	return cleanup_keep_fd(&fd);
}

/* Returns a descriptor, or a negative errno value. */
static int listen_inet(const struct addrinfo *ai, const char **why)
{
	static const int ON = 1, OFF = 0;
	CLEANUP(cleanup_fd)
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0) {
		r = -errno;
		*why = strerror(-r);
		return r;
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &ON, sizeof ON);
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &OFF, sizeof OFF);
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, SOMAXCONN) < 0) {
		r = -errno;
		*why = strerror(-r);
		return r;
	}
	return cleanup_keep_fd(&fd);
}

/* Every address: one socket for IPv6 and IPv4, or one for IPv4 where there is no IPv6. */
static int listen_any(const struct address *address, const char **why)
{
	static const int FAMILIES[] = {AF_INET6, AF_INET};
	int fd = -1;

	for (size_t i = 0; i < 2 && fd < 0; i++) {
		struct addrinfo hints = ADDRESS_HINTS, *any;
		int r;

		hints.ai_family = FAMILIES[i];
		hints.ai_flags |= AI_PASSIVE;
		r = getaddrinfo(NULL, address->port, &hints, &any);
		if (r != 0) {
			*why = gai_strerror(r);
			continue;
		}
		fd = listen_inet(any, why);
		if (fd < 0 && fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL)
			i = 2;
		freeaddrinfo(any);
	}
	return fd;
}

bool listen_is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* Says that one of several addresses is not listened on. */
static void warn_of(const struct addrinfo *ai, const char *why)
{
	struct address address = {0};
	char text[ADDRESS_TEXT_MAX];

	getnameinfo(ai->ai_addr, ai->ai_addrlen, address.host, sizeof address.host, address.port,
		sizeof address.port, NI_NUMERICHOST | NI_NUMERICSERV);
	syslog(LOG_WARNING, "cannot listen on %s: %s", address_text(&address, text), why);
}

/* Opens a socket for each address of a name that can be had. Returns how many. */
static int listen_each(const struct addrinfo *list, int fds[LISTEN_MAX], const char **why)
{
	const char *whys[LISTEN_MAX];
	const struct addrinfo *ai = list;
	int n = 0, tried = 0;

	for (; ai && tried < LISTEN_MAX; ai = ai->ai_next) {
		fds[n] = listen_inet(ai, &whys[tried]);
		if (fds[n] < 0)
			*why = whys[tried];
		else
			whys[tried] = NULL;
		n += !whys[tried++];
	}
	ai = list;
	for (int i = 0; i < tried && n > 0; i++, ai = ai->ai_next)
		if (whys[i])
			warn_of(ai, whys[i]);
	return n;
}

int listen_on(const struct address *address, int fds[LISTEN_MAX], const char **why)
{
	struct addrinfo hints = ADDRESS_HINTS, *list;
	int n, r;

	if (*address->path || !*address->host) {
		fds[0] = *address->path ? listen_unix(address, why) : listen_any(address, why);
		return fds[0] < 0 ? -1 : 1;
	}

	hints.ai_flags |= AI_PASSIVE;
	r = getaddrinfo(address->host, address->port, &hints, &list);
	if (r != 0) {
		*why = gai_strerror(r);
		return -1;
	}
	n = listen_each(list, fds, why);
	freeaddrinfo(list);
	return n > 0 ? n : -1;
}
