/* SPDX-License-Identifier: MIT */
#include "proxy.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* The longest line, as the protocol has it. */
#define LINE_SIZE 107

size_t proxy_read(const char *bytes, size_t n, struct address_peer *client)
{
	const char *end = memmem(bytes, n < LINE_SIZE ? n : LINE_SIZE, "\r\n", 2);
	char line[LINE_SIZE] = "", host[INET6_ADDRSTRLEN];
	struct sockaddr_storage storage = {.ss_family = AF_INET};
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&storage;
	struct sockaddr_in *in = (struct sockaddr_in *)&storage;
	unsigned short port;

	if (!end)
		return 0;
	memcpy(line, bytes, (size_t)(end - bytes));
	if (sscanf(line, "PROXY TCP4 %45s %*s %hu %*u", host, &port) == 2) {
		in->sin_port = htons(port);
		if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
			return 0;
	} else if (sscanf(line, "PROXY TCP6 %45s %*s %hu %*u", host, &port) == 2) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
			return 0;
	} else {
		return 0;
	}
	address_get_peer(-1, &storage, client);
	return (size_t)(end - bytes) + 2;
}
