/* SPDX-License-Identifier: MIT */

/* Who may connect: reads the list, and looks an address up in it. */

#include "allow.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BLANKS " \t\r\n"

static const char WRONG[] = "it is private, any, or prefixes such as 203.0.113.0/24";

struct prefix {
	sa_family_t family;
	_Alignas(struct in6_addr) unsigned char bytes[sizeof(struct in6_addr)];
	unsigned bits;
};

/* Loopback, link-local, RFC 1918, RFC 4193. */
static const struct prefix PRIVATE[] = {
	{AF_INET, {127}, 8},
	{AF_INET, {10}, 8},
	{AF_INET, {172, 16}, 12},
	{AF_INET, {192, 168}, 16},
	{AF_INET, {169, 254}, 16},
	{AF_INET6, {[15] = 1}, 128},
	{AF_INET6, {0xfe, 0x80}, 10},
	{AF_INET6, {0xfc}, 7},
};

static bool contains(const struct prefix *prefix, const struct peer *peer)
{
	const unsigned char *bytes = (const unsigned char *)&peer->in6;
	unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;

	if (peer->family != prefix->family || memcmp(bytes, prefix->bytes, whole) != 0)
		return false;
	return rest == 0 || (bytes[whole] ^ prefix->bytes[whole]) >> (8 - rest) == 0;
}

static bool is_private(const struct peer *peer)
{
	for (size_t i = 0; i < sizeof PRIVATE / sizeof *PRIVATE; i++)
		if (contains(&PRIVATE[i], peer))
			return true;
	return false;
}

/* ADDRESS or ADDRESS/BITS. */
static bool parse_prefix(const char *word, size_t length, struct prefix *prefix)
{
	char text[INET6_ADDRSTRLEN + sizeof "/128"], *slash;
	unsigned most, bits = 0;

	if (length >= sizeof text)
		return false;
	memcpy(text, word, length);
	text[length] = '\0';
	slash = strchr(text, '/');
	if (slash)
		*slash++ = '\0';

	*prefix = (struct prefix){.family = strchr(text, ':') ? AF_INET6 : AF_INET};
	if (inet_pton(prefix->family, text, prefix->bytes) != 1)
		return false;
	most = prefix->family == AF_INET ? 32 : 128;
	prefix->bits = most;
	if (!slash)
		return true;
	if (!*slash || strlen(slash) > 3)
		return false;
	for (; *slash; slash++) {
		if (*slash < '0' || *slash > '9')
			return false;
		bits = bits * 10 + (unsigned)(*slash - '0');
	}
	prefix->bits = bits;
	return bits <= most;
}

/*
 * Whether a prefix is IPv4's, written as IPv6. It would never match: such clients count as IPv4.
 *
 * Returns the reason why it is wrong, which has the right form; or NULL.
 */
static const char *mapped_error(const struct prefix *prefix)
{
	static char why[64];
	char text[INET_ADDRSTRLEN];

	if (prefix->family != AF_INET6 || prefix->bits < 96 ||
		!IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)prefix->bytes))
		return NULL;
	inet_ntop(AF_INET, prefix->bytes + 12, text, sizeof text);
	snprintf(why, sizeof why, "without ::ffff:, it is %s/%u", text, prefix->bits - 96);
	return why;
}

const char *allow_peer(const char *list, const struct peer *peer, bool *allowed)
{
	const struct peer nobody = {.family = AF_UNSPEC};
	const char *word = list;
	bool found = false, any_word = false;
	const char *why;
	struct prefix prefix;

	if (!peer)
		peer = &nobody;
	for (;;) {
		size_t length;

		word += strspn(word, BLANKS);
		length = strcspn(word, BLANKS);
		if (length == 0)
			break;
		any_word = true;
		if (length == 3 && memcmp(word, "any", 3) == 0)
			found = true;
		else if (length == 7 && memcmp(word, "private", 7) == 0)
			found |= is_private(peer);
		else if (!parse_prefix(word, length, &prefix))
			return WRONG;
		else if ((why = mapped_error(&prefix)))
			return why;
		else
			found |= contains(&prefix, peer);
		word += length;
	}
	if (!any_word)
		return WRONG;
	*allowed = peer->family == AF_UNIX || (found && peer->family != AF_UNSPEC);
	return NULL;
}
