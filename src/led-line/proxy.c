/* SPDX-License-Identifier: MIT */

/* Reads the line in which a proxy says who its client is. */

#include "proxy.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The longest scope of an address, with its percent sign: %eth0. */
#define SCOPE_MAX IF_NAMESIZE

/* The longest line, as the protocol has it, and scopes, which it does not mention. */
#define LINE_SIZE (107 + 2 * SCOPE_MAX)

/*
 * Reads an IPv6 address. A link-local one may have a scope, as getnameinfo(3) writes it, and
 * stunnel with it. It is left out, as it is in the log of connections without a proxy.
 */
static bool read_in6(char *text, struct in6_addr *address)
{
	const char *scope = strchr(text, '%');

	if (!scope)
		return inet_pton(AF_INET6, text, address) == 1;
	text[scope - text] = '\0';
	scope++;
	return inet_pton(AF_INET6, text, address) == 1 && IN6_IS_ADDR_LINKLOCAL(address) &&
	       *scope && strlen(scope) < SCOPE_MAX;
}

size_t proxy_read(const char *bytes, size_t n, struct peer *client)
{
	const char *end = memmem(bytes, n < LINE_SIZE ? n : LINE_SIZE, "\r\n", 2);
	char line[LINE_SIZE] = "", same[2 * LINE_SIZE];
	char version[2], source[INET6_ADDRSTRLEN + SCOPE_MAX], target[sizeof source];
	struct in6_addr in6_target;
	struct sockaddr_storage storage = {0};
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&storage;
	struct sockaddr_in *in = (struct sockaddr_in *)&storage;
	unsigned short from, to;
	size_t size;

	if (!end)
		return 0;
	size = (size_t)(end - bytes) + 2;
	memcpy(line, bytes, size - 2);
	if (sscanf(line, "PROXY TCP%1[46] %61s %61s %hu %hu", version, source, target, &from,
		    &to) != 5)
		return 0;
	/* sscanf(3) takes more than the protocol has: other blanks, signs, what is too large. */
	snprintf(same, sizeof same, "PROXY TCP%s %s %s %hu %hu\r\n", version, source, target, from,
		to);
	if (strlen(same) != size || memcmp(same, bytes, size) != 0)
		return 0;
	if (*version == '4') {
		in->sin_family = AF_INET;
		in->sin_port = htons(from);
		if (inet_pton(AF_INET, target, &in->sin_addr) != 1 ||
			inet_pton(AF_INET, source, &in->sin_addr) != 1)
			return 0;
	} else {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(from);
		if (!read_in6(target, &in6_target) || !read_in6(source, &in6->sin6_addr))
			return 0;
	}
	peer_get(-1, &storage, client);
	return size;
}
