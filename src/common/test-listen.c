/* SPDX-License-Identifier: MIT */
#include "listen.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logged.h"
#include "tap.h"

static char folder[] = "/tmp/led-test-listen.XXXXXX";
static int fds[LISTEN_MAX];
static const char *why;

static struct address at_path(void)
{
	struct address address = {0};

	snprintf(address.path, sizeof address.path, "%s/socket", folder);
	return address;
}

/* Port 0 is any that is free. */
static struct address at_host(const char *host, unsigned port)
{
	struct address address = {0};

	snprintf(address.host, sizeof address.host, "%s", host);
	snprintf(address.port, sizeof address.port, "%u", port);
	return address;
}

static int listen_at(struct address address)
{
	why = NULL;
	return listen_on(&address, fds, &why);
}

static unsigned port_of(int fd)
{
	struct sockaddr_in6 in6 = {0};
	socklen_t size = sizeof in6;

	CHECK(getsockname(fd, (struct sockaddr *)&in6, &size) == 0);
	/* It is at the same place in IPv4. */
	return ntohs(in6.sin6_port);
}

/* Whether a client can connect to a socket's port on this host. */
static bool can_connect(const char *host, int fd)
{
	struct address address = at_host(host, port_of(fd));
	struct sockaddr_storage storage;
	socklen_t size = address_sockaddr(&address, &storage);
	int client = socket(storage.ss_family, SOCK_STREAM, 0);
	bool connected = connect(client, (struct sockaddr *)&storage, size) == 0;

	close(client);
	return connected;
}

TEST("a path listens, does not wait, and is not passed on to other programs")
{
	struct address address = at_path();
	struct sockaddr_un sun;
	socklen_t size = address_sockaddr_un(&address, &sun);
	int client = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK(listen_at(address) == 1);
	CHECK(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	CHECK(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	CHECK(accept(fds[0], NULL, NULL) < 0 && errno == EAGAIN);
	CHECK(connect(client, (struct sockaddr *)&sun, size) == 0);
	close(client);
	close(fds[0]);
	unlink(address.path);
}

TEST("a path in use is not taken over, one that a crash has left is")
{
	struct address address = at_path();
	int first;

	CHECK(listen_at(address) == 1);
	first = fds[0];
	CHECK(listen_at(address) < 0);
	CHECK_TEXT(why, "Address already in use");
	close(first);
	CHECK(access(address.path, F_OK) == 0);
	CHECK(listen_at(address) == 1);
	close(fds[0]);
	unlink(address.path);
}

TEST("a path whose listener is too busy to accept is in use")
{
	struct address address = at_path();
	struct sockaddr_un sun;
	socklen_t size = address_sockaddr_un(&address, &sun);
	int busy = socket(AF_UNIX, SOCK_STREAM, 0), clients[16], n = 0;

	CHECK(bind(busy, (struct sockaddr *)&sun, size) == 0 && listen(busy, 0) == 0);
	do {
		clients[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	} while (connect(clients[n++], (struct sockaddr *)&sun, size) == 0 && n < 16);
	CHECK(listen_at(address) < 0);
	CHECK_TEXT(why, "Address already in use");
	while (n > 0)
		close(clients[--n]);
	close(busy);
	unlink(address.path);
}

TEST("what is no socket, or no folder, stays as it is")
{
	struct address address = at_path();
	struct stat st = {0};

	close(open(address.path, O_CREAT | O_WRONLY, 0600));
	CHECK(listen_at(address) < 0);
	CHECK_TEXT(why, "Address already in use");
	CHECK(stat(address.path, &st) == 0 && S_ISREG(st.st_mode));
	strcat(address.path, "/x");
	CHECK(listen_at(address) < 0);
	CHECK_TEXT(why, "Not a directory");
	unlink(at_path().path);
	CHECK(listen_at(address) < 0);
	CHECK_TEXT(why, "No such file or directory");
}

TEST("a link to a socket that nobody listens on is not followed")
{
	struct address address = at_path();
	char other[sizeof address.path];

	CHECK(listen_at(address) == 1);
	close(fds[0]);
	snprintf(other, sizeof other, "%s/other", folder);
	CHECK(rename(address.path, other) == 0 && symlink(other, address.path) == 0);
	CHECK(listen_at(address) < 0);
	CHECK_TEXT(why, "Address already in use");
	CHECK(access(other, F_OK) == 0);
	unlink(address.path);
	unlink(other);
}

TEST("a host is that address alone")
{
	struct sockaddr_in in = {0};
	socklen_t size = sizeof in;

	CHECK(listen_at(at_host("127.0.0.1", 0)) == 1);
	CHECK(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	CHECK(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	CHECK(can_connect("127.0.0.1", fds[0]));
	CHECK(getsockname(fds[0], (struct sockaddr *)&in, &size) == 0);
	CHECK(in.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	close(fds[0]);
}

TEST("a port alone is every address")
{
	CHECK(listen_at(at_host("", 0)) == 1);
	CHECK(can_connect("127.0.0.1", fds[0]));
	CHECK(can_connect("127.0.0.2", fds[0]));
	close(fds[0]);
}

TEST("a port in use is said, also where it is one for every address")
{
	int first;

	CHECK(listen_at(at_host("127.0.0.1", 0)) == 1);
	first = fds[0];
	CHECK(listen_at(at_host("127.0.0.1", port_of(first))) < 0);
	CHECK_TEXT(why, "Address already in use");
	CHECK(listen_at(at_host("", port_of(first))) < 0);
	CHECK_TEXT(why, "Address already in use");
	close(first);
}

/* A name with two addresses. Others are looked up as ever. */
int getaddrinfo(const char *restrict host, const char *restrict port,
	const struct addrinfo *restrict hints, struct addrinfo **restrict list)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	bool two = host && strcmp(host, "two.example") == 0;

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	if (!two)
		return real(host, port, hints, list);
	CHECK(real("127.0.0.2", port, hints, list) == 0);
	return real("127.0.0.3", port, hints, &(*list)->ai_next);
}

TEST("a name of two addresses: each that is free, and of the other a warning")
{
	static const char *const HOSTS[] = {"127.0.0.2", "127.0.0.3"};
	char wanted[80];

	for (int taken = 0; taken < 2; taken++) {
		int other;

		logged();
		CHECK(listen_at(at_host(HOSTS[taken], 0)) == 1);
		other = fds[0];
		CHECK(listen_at(at_host("two.example", port_of(other))) == 1);
		CHECK(can_connect(HOSTS[!taken], fds[0]));
		snprintf(wanted, sizeof wanted, "cannot listen on %s:%u: Address already in use\n",
			HOSTS[taken], port_of(other));
		CHECK_TEXT(logged(), wanted);
		close(fds[0]);
		close(other);
	}
	CHECK(listen_at(at_host("two.example", 0)) == 2);
	close(fds[0]);
	close(fds[1]);
	CHECK_TEXT(logged(), "");
}

TEST("wrong addresses have a reason")
{
	CHECK(listen_at(at_host("192.0.2.1", 0)) < 0);
	CHECK_TEXT(why, "Cannot assign requested address");
	CHECK(listen_at(at_host("fe80::1%there-is-no-such-interface", 0)) < 0);
	CHECK(why && *why);
}

int main(void)
{
	int failed;

	if (!mkdtemp(folder))
		return 1;
	failed = tap_run();
	rmdir(folder);
	return failed;
}
