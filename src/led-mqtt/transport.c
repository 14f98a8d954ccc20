/* SPDX-License-Identifier: MIT */

/* A connection to a broker, over TCP or TLS. */

#include "transport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"

/* Where Debian has the certificates that it trusts. */
#define CA_PATH "/etc/ssl/certs"

/* The most addresses of a name that are tried. */
#define ADDRESSES_MAX 8

static int remaining_ms(uint64_t deadline)
{
	uint64_t now = clock_usec();

	return now < deadline ? (int)((deadline - now) / 1000) + 1 : 0;
}

/* --- TCP -------------------------------------------------------------------------------- */

/* Begins to connect. Returns a descriptor, or -1 with errno set. */
static int begin(const struct addrinfo *info)
{
	int fd = socket(info->ai_family, info->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, info->ai_addr, info->ai_addrlen) < 0 && errno != EINPROGRESS) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* Returns the first descriptor that is connected, or -1. Those that have failed become -1. */
static int take_connected(struct pollfd *fds, unsigned n, int *error)
{
	for (unsigned i = 0; i < n; i++) {
		socklen_t size = sizeof *error;
		int fd = fds[i].fd, its_error = 0;

		if (fd < 0 || !fds[i].revents)
			continue;
		fds[i].fd = -1;
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &its_error, &size);
		if (!its_error)
			return fd;
		*error = its_error;
		close(fd);
	}
	return -1;
}

static bool is_any_open(const struct pollfd *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (fds[i].fd >= 0)
			return true;
	return false;
}

/*
 * Connects to the address that answers first: the next one is tried when the ones before have
 * failed, or have not answered for a while. Returns a descriptor, or -1 with errno set.
 */
static int connect_first(const struct addrinfo *list)
{
	uint64_t deadline = clock_usec() + TRANSPORT_CONNECT_MS * 1000ULL;
	struct pollfd fds[ADDRESSES_MAX];
	unsigned n = 0;
	int error = ETIMEDOUT, fd = -1;

	while (fd < 0 && remaining_ms(deadline) > 0) {
		bool has_next = list && n < ADDRESSES_MAX;

		if (has_next) {
			fds[n] = (struct pollfd){.fd = begin(list), .events = POLLOUT};
			if (fds[n++].fd < 0)
				error = errno;
			list = list->ai_next;
			has_next = list && n < ADDRESSES_MAX;
		} else if (!is_any_open(fds, n)) {
			break;
		}
		if (!is_any_open(fds, n))
			continue;
		poll(fds, n, has_next ? TRANSPORT_NEXT_MS : remaining_ms(deadline));
		fd = take_connected(fds, n, &error);
	}
	for (unsigned i = 0; i < n; i++)
		if (fds[i].fd >= 0)
			close(fds[i].fd);
	errno = error;
	return fd;
}

static bool open_tcp(struct transport *transport, const struct broker_address *address, char *why)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *list;
	char port[sizeof "65535"];
	const int on = 1;
	int r;

	snprintf(port, sizeof port, "%u", (unsigned)address->port & 0xffff);
	r = getaddrinfo(address->host, port, &hints, &list);
	if (r != 0) {
		snprintf(why, TRANSPORT_WHY_MAX, "%s",
			r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r));
		return false;
	}
	transport->fd = connect_first(list);
	if (transport->fd < 0)
		snprintf(why, TRANSPORT_WHY_MAX, "%s", strerror(errno));
	else
		setsockopt(transport->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	freeaddrinfo(list);
	return transport->fd >= 0;
}

/* --- TLS -------------------------------------------------------------------------------- */

/* Says why OpenSSL failed. what: what was tried */
static bool fail_tls(const SSL *ssl, const char *what, char *why)
{
	unsigned long error = ERR_peek_last_error();
	long verified = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
	const char *reason = ERR_reason_error_string(error);

	if (verified != X509_V_OK)
		reason = X509_verify_cert_error_string(verified);
	snprintf(why, TRANSPORT_WHY_MAX, "%s: %s", what, reason ? reason : TRANSPORT_CLOSED);
	return false;
}

/* A key with a passphrase would have OpenSSL ask at a terminal. */
static int no_passphrase(char *text, int size, int for_writing, void *userdata)
{
	return 0;
}

static bool set_up_tls(SSL_CTX *context, const struct transport_options *options, char *why)
{
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
	SSL_CTX_set_mode(
		context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (SSL_CTX_load_verify_locations(
		    context, options->ca_file, options->ca_file ? NULL : CA_PATH) != 1)
		return fail_tls(NULL, options->ca_file ? options->ca_file : CA_PATH, why);
	if (!options->cert)
		return true;
	if (SSL_CTX_use_certificate_chain_file(context, options->cert) != 1)
		return fail_tls(NULL, options->cert, why);
	if (SSL_CTX_use_PrivateKey_file(context, options->key, SSL_FILETYPE_PEM) != 1)
		return fail_tls(NULL, options->key, why);
	return true;
}

/* The certificate has to have the broker's name, or its address. */
static bool set_name(SSL *ssl, const char *host)
{
	char address[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	return SSL_set_tlsext_host_name(ssl, host) == 1 && SSL_set1_host(ssl, host) == 1;
}

static bool shake_hands(struct transport *transport, char *why)
{
	uint64_t deadline = clock_usec() + TRANSPORT_CONNECT_MS * 1000ULL;
	SSL *ssl = transport->ssl;
	int r;

	while ((r = SSL_connect(ssl)) != 1) {
		int error = SSL_get_error(ssl, r);
		struct pollfd pollfd = {.fd = transport->fd,
			.events = error == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN};

		if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
			return fail_tls(ssl, "TLS", why);
		if (poll(&pollfd, 1, remaining_ms(deadline)) == 0) {
			snprintf(why, TRANSPORT_WHY_MAX, "the broker does not answer");
			return false;
		}
	}
	return true;
}

void transport_load(void)
{
	/* The main thread may exit while another one works. */
	OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL);
}

static bool open_tls(
	struct transport *transport, const struct transport_options *options, char *why)
{
	SSL_CTX *context;
	bool is_open;

	transport_load();
	ERR_clear_error();
	context = SSL_CTX_new(TLS_client_method());
	if (!context)
		return fail_tls(NULL, "TLS", why);
	is_open = set_up_tls(context, options, why);
	if (is_open) {
		transport->ssl = SSL_new(context);
		is_open = (transport->ssl && SSL_set_fd(transport->ssl, transport->fd) == 1 &&
				  set_name(transport->ssl, options->address.host)) ||
			  fail_tls(NULL, "TLS", why);
	}
	SSL_CTX_free(context);
	return is_open && shake_hands(transport, why);
}

bool transport_open(struct transport *transport, const struct transport_options *options,
	char why[TRANSPORT_WHY_MAX])
{
	*transport = (struct transport){.fd = -1};
	if (open_tcp(transport, &options->address, why) &&
		(!options->address.tls || open_tls(transport, options, why)))
		return true;
	transport_close(transport);
	return false;
}

/* --- bytes ------------------------------------------------------------------------------ */

/* Says what a system call or OpenSSL has returned. */
static ssize_t read_result(struct transport *transport, ssize_t n, const char **why)
{
	int error = errno;

	if (n > 0)
		return n;
	if (transport->ssl) {
		switch (SSL_get_error(transport->ssl, (int)n)) {
		case SSL_ERROR_WANT_READ:
		case SSL_ERROR_WANT_WRITE:
			return 0;
		case SSL_ERROR_ZERO_RETURN:
			n = 0;
			break;
		case SSL_ERROR_SYSCALL:
			n = error ? -1 : 0;
			break;
		default:
			*why = ERR_reason_error_string(ERR_peek_last_error());
			if (!*why)
				*why = TRANSPORT_CLOSED;
			return -1;
		}
	} else if (n < 0 && (error == EAGAIN || error == EINTR)) {
		return 0;
	}
	*why = n == 0 ? TRANSPORT_CLOSED : strerror(error);
	return -1;
}

ssize_t transport_read(struct transport *transport, void *bytes, size_t n, const char **why)
{
	ssize_t r;

	errno = 0;
	ERR_clear_error();
	r = transport->ssl ? SSL_read(transport->ssl, bytes, (int)n)
			   : recv(transport->fd, bytes, n, 0);
	return read_result(transport, r, why);
}

ssize_t transport_write(struct transport *transport, const void *bytes, size_t n, const char **why)
{
	ssize_t r;

	errno = 0;
	ERR_clear_error();
	r = transport->ssl ? SSL_write(transport->ssl, bytes, (int)n)
			   : send(transport->fd, bytes, n, MSG_NOSIGNAL);
	return read_result(transport, r, why);
}

size_t transport_unread(const struct transport *transport)
{
	int n = 0;

	ioctl(transport->fd, SIOCINQ, &n);
	return (size_t)n + (size_t)(transport->ssl ? SSL_pending(transport->ssl) : 0);
}

void transport_close(struct transport *transport)
{
	if (transport->ssl) {
		SSL_shutdown(transport->ssl); /* best effort: it does not wait */
		SSL_free(transport->ssl);
	}
	if (transport->fd >= 0)
		close(transport->fd);
	*transport = (struct transport){.fd = -1};
}
