/* SPDX-License-Identifier: MIT */

/* What a proxy says of its client: src/led-line/proxy.h. */

#include <arpa/inet.h>

#include "fuzz.h"
#include "led-line/proxy.h"

/* The longest line, with its CR LF: section 2.1 of the protocol; and two scopes: %abcdefghijklmno.
 */
#define LINE_MAX_SIZE (107 + 2 * 16)

#define IN6 "[0-9A-Fa-f:.]+(%[^[:space:]]{1,15})?"

static struct pattern line_like = {
	.text = "PROXY (TCP4 [0-9.]+ [0-9.]+|TCP6 " IN6 " " IN6 ") "
		"(0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})",
};

/* Whether it is an address; with a scope, a link-local one. Takes the scope away. */
static bool reads(int family, char *text, void *address)
{
	bool scoped = strchr(text, '%');

	text[strcspn(text, "%")] = '\0';
	return inet_pton(family, text, address) == 1 &&
	       (!scoped || IN6_IS_ADDR_LINKLOCAL((struct in6_addr *)address));
}

/* Whether it is a line, without its CR LF, as the protocol has it; storage: set to the client. */
static bool is_line(const char *line, struct sockaddr_storage *storage)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storage;
	struct sockaddr_in *in = (struct sockaddr_in *)storage;
	char source[LINE_MAX_SIZE], target[LINE_MAX_SIZE];
	int family = strncmp(line, "PROXY TCP4 ", 11) == 0 ? AF_INET : AF_INET6;
	unsigned from, to;
	struct in6_addr any;

	if (!is_like(&line_like, line))
		return false;
	MUST(sscanf(line, "PROXY %*s %138s %138s %u %u", source, target, &from, &to) == 4);
	memset(storage, 0, sizeof *storage);
	storage->ss_family = (sa_family_t)family;
	if (family == AF_INET)
		in->sin_port = htons((in_port_t)from);
	else
		in6->sin6_port = htons((in_port_t)from);
	return from <= 65535 && to <= 65535 && reads(family, target, &any) &&
	       reads(family, source,
		       family == AF_INET ? (void *)&in->sin_addr : (void *)&in6->sin6_addr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data, *end;
	char line[LINE_MAX_SIZE] = "", text[PEER_TEXT_MAX], wanted[PEER_TEXT_MAX];
	struct peer client = {.family = AF_UNSPEC}, peer;
	size_t n = proxy_read(bytes, size, &client), length;
	struct sockaddr_storage storage;

	MUST(n <= size && n <= LINE_MAX_SIZE);
	end = memmem(bytes, size < LINE_MAX_SIZE ? size : LINE_MAX_SIZE, "\r\n", 2);
	length = end ? (size_t)(end - bytes) : 0;
	memcpy(line, bytes, length);
	if (strlen(line) != length || !is_line(line, &storage)) {
		MUST(n == 0 && client.family == AF_UNSPEC);
		return 0;
	}
	MUST(n == length + 2);
	peer_get(-1, &storage, &peer);
	MUST(strcmp(peer_text(&client, text), peer_text(&peer, wanted)) == 0);
	return 0;
}
