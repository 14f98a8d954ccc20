/* SPDX-License-Identifier: MIT */

/* LED_ALLOW: src/common/allow.h. */

#include <arpa/inet.h>

#include "allow.h"
#include "fuzz.h"

static struct pattern word_like = {
	.text = "any|private|[0-9.]+(/[0-9]{1,3})?|[0-9A-Fa-f:.]+(/[0-9]{1,3})?",
};

static struct peer peer_of(const char *text)
{
	struct peer peer = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	MUST(inet_pton(peer.family, text, &peer.in6) == 1);
	return peer;
}

/* Whether the first bits of two addresses are the same, compared bit by bit. */
static bool have_the_same_bits(const uint8_t *one, const uint8_t *other, unsigned bits)
{
	for (unsigned i = 0; i < bits; i++)
		if ((one[i / 8] ^ other[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

/* Whether a word is one of a list, and whether it lets the client in. */
static bool is_word(const char *word, const struct peer *peer, bool *allows)
{
	int family = strchr(word, ':') ? AF_INET6 : AF_INET;
	uint8_t bytes[sizeof(struct in6_addr)] = {0};
	unsigned most = family == AF_INET ? 32 : 128, bits = most;
	char address[200];
	bool is_prefix;

	*allows = false;
	if (strlen(word) >= sizeof address || !is_like(&word_like, word))
		return false;
	if (strcmp(word, "private") == 0)
		return !allow_peer(word, peer, allows);
	*allows = strcmp(word, "any") == 0;
	if (*allows)
		return true;
	is_prefix = sscanf(word, "%199[^/]/%u", address, &bits) >= 1 &&
		    inet_pton(family, address, bytes) == 1 && bits <= most;
	*allows = is_prefix && peer->family == family &&
		  have_the_same_bits(bytes, (const uint8_t *)&peer->in6, bits);
	return is_prefix;
}

static void try_list(const char *list, const struct peer *peer)
{
	char *copy = strdup(list), *rest = copy, *word;
	bool allowed = false, found = false, is_right = true;
	const char *why = allow_peer(list, peer, &allowed);
	unsigned words = 0;

	MUST(copy);
	while ((word = strsep(&rest, " \t\r\n"))) {
		bool allows;

		if (!*word)
			continue;
		words++;
		is_right &= is_word(word, peer, &allows);
		found |= allows;
	}
	free(copy);
	MUST(!why == (is_right && words > 0));
	MUST(why || allowed == found);
	MUST(!why || !allowed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const CLIENTS[] = {
		"127.0.0.1", "10.1.2.3", "203.0.113.7", "::1", "fe80::1", "2001:db8::7"};
	const struct peer local = {.family = AF_UNIX}, gone = {.family = AF_UNSPEC};
	char *list = text_of(data, size);
	bool allowed;

	for (size_t i = 0; i < sizeof CLIENTS / sizeof *CLIENTS; i++) {
		const struct peer peer = peer_of(CLIENTS[i]);

		try_list(list, &peer);
	}
	if (!allow_peer(list, &local, &allowed))
		MUST(allowed);
	if (!allow_peer(list, &gone, &allowed))
		MUST(!allowed);
	free(list);
	return 0;
}
