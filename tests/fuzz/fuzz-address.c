/* SPDX-License-Identifier: MIT */

/* Addresses as a person writes them: src/common/address.h, and MQTT_BROKER. */

#include "address.h"
#include "fuzz.h"
#include "led-mqtt/options.h"
#include "peer.h"

#define PORT                                                                                       \
	"0*([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"

/* Texts shorter than this break no limit of a path or a host. */
#define SHORT 100

static struct pattern address_like = {
	.text = "/.*|" PORT "|([^]:/[]+|\\[[^]/[]+\\]):" PORT,
};
static struct pattern broker_like = {
	.text = "mqtts?://([A-Za-z0-9._%-]+|\\[[A-Za-z0-9.:_%-]+\\])(:" PORT ")?",
};
static struct pattern port_like = {.text = "[0-9]{1,5}"};

static bool are_alike(const struct address *one, const struct address *other)
{
	return strcmp(one->path, other->path) == 0 && strcmp(one->host, other->host) == 0 &&
	       strcmp(one->port, other->port) == 0;
}

/* A client with a numeric address is written so that it can be read as an address. */
static void check_peer(const struct address *address)
{
	struct sockaddr_storage storage, same;
	socklen_t size = address_sockaddr(address, &storage);
	char text[PEER_TEXT_MAX];
	struct peer peer;
	struct address its;

	MUST(size <= sizeof storage);
	if (storage.ss_family != AF_INET && storage.ss_family != AF_INET6)
		return;
	peer_get(-1, &storage, &peer);
	MUST(strlen(peer_text(&peer, text)) < sizeof text);
	MUST(!address_parse(text, &its));
	address_sockaddr(&its, &same);
	if (storage.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&storage)->sin6_scope_id = 0;
	if (storage.ss_family == peer.family)
		MUST(memcmp(&storage, &same, sizeof storage) == 0);
}

static void try_address(const char *text)
{
	struct address address, same;
	char written[ADDRESS_TEXT_MAX];
	const char *why = address_parse(text, &address);
	bool is_address = is_like(&address_like, text);

	/* A port has at most five digits, leading zeros included. */
	MUST(why || is_address);
	MUST(!why || !is_address || strlen(text) >= SHORT || strstr(text, "0"));
	if (why)
		return;
	MUST(strlen(address.path) < sizeof address.path);
	MUST(strlen(address.host) < sizeof address.host);
	MUST(!*address.path != !*address.port && !(*address.path && *address.host));
	MUST(!*address.port || is_like(&port_like, address.port));
	MUST(strlen(address_text(&address, written)) < sizeof written);
	MUST(!address_parse(written, &same));
	MUST(are_alike(&address, &same));
	check_peer(&address);
}

static void try_broker(const char *text)
{
	struct broker_address broker, same;
	const char *why = option_read_broker(text, &broker);
	bool is_broker = is_like(&broker_like, text);
	char written[sizeof broker.host + 32];

	MUST(why || is_broker);
	MUST(!why || !is_broker || strlen(text) >= SHORT || strstr(text, "0"));
	if (why)
		return;
	MUST(broker.port >= 1 && broker.port <= 65535 && *broker.host);
	MUST(broker.tls == (text[4] == 's'));
	MUST(strstr(text, broker.host));
	sprintf(written, "mqtt%s://%s%s%s:%d", broker.tls ? "s" : "",
		strchr(broker.host, ':') ? "[" : "", broker.host,
		strchr(broker.host, ':') ? "]" : "", broker.port);
	MUST(!option_read_broker(written, &same));
	MUST(broker.tls == same.tls && broker.port == same.port);
	MUST(strcmp(broker.host, same.host) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size);

	try_address(text);
	try_broker(text);
	free(text);
	return 0;
}
