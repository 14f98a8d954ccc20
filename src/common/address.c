/* SPDX-License-Identifier: MIT */

/* ADDR, as users write it: read, written, and made a sockaddr of. */

#include "address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct addrinfo ADDRESS_HINTS = {
	.ai_flags = AI_NUMERICSERV,
	.ai_family = AF_UNSPEC,
	.ai_socktype = SOCK_STREAM,
};

static const char FORM[] = "an address is /path, HOST:PORT, [IPv6]:PORT or PORT";

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

/* Whether the bytes can be an IPv6 address, with or without a scope. */
static bool is_like_ipv6(const char *host, const char *end)
{
	host += strspn(host, "0123456789abcdefABCDEF:.");
	return host >= end || *host == '%';
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
		return FORM;
	port = end + 1;
	if (!is_port(port))
		return strchr(port, '/') ? FORM : "a port is a number from 1 to 65535";
	if (*host == '[' && end[-1] == ']') {
		host++;
		end--;
	} else if (memchr(host, ':', (size_t)(end - host))) {
		return is_like_ipv6(host, end)
			       ? "an IPv6 address stands in brackets, as in [::1]:5555"
			       : FORM;
	}
	if (end == host || host + strcspn(host, "[]/") < end)
		return FORM;
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
	in_port_t port = htons((in_port_t)strtoul(address->port, NULL, 10));
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

const char *address_parse_line(const char *text, struct address *address)
{
	const char *why = address_parse(text, address);
	struct sockaddr_storage storage;

	if (!why && address_sockaddr(address, &storage) == 0)
		why = "names are not looked up here: an address is a number or a path";
	return why;
}
