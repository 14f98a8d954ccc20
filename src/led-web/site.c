/* SPDX-License-Identifier: MIT */

/* Other sites' pages: Host, Origin and Sec-Fetch-Site. */

#include "site.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

/* A host and its port, as they stand in a header. */
struct place {
	char name[SITE_HOST_MAX + 1]; /* without brackets and without a dot at its end */
	bool is_v6;                   /* it stands in brackets */
	unsigned port;                /* 0: none */
};

static bool is_name(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr(".-_", text[i]))
			return false;
	return length > 0 && length <= SITE_HOST_MAX && text[0] != '.';
}

bool site_is_name(const char *word)
{
	return is_name(word, strlen(word));
}

static bool read_port(const char *text, unsigned *port)
{
	*port = 0;
	/* A port may be empty: RFC 3986, 3.2.3. */
	if (!*text || strcmp(text, ":") == 0)
		return true;
	if (text[0] != ':')
		return false;
	while (*++text) {
		if (!isdigit((unsigned char)*text))
			return false;
		*port = *port * 10 + (unsigned)(*text - '0');
		if (*port > 65535)
			return false;
	}
	return *port > 0;
}

static bool read_place(const char *text, struct place *place)
{
	bool is_v6 = *text == '[';
	const char *name = is_v6 ? text + 1 : text;
	size_t length = strcspn(name, is_v6 ? "]" : ":");
	const char *end = name + length;
	struct in6_addr v6;

	if (length > SITE_HOST_MAX || (is_v6 && *end != ']') ||
		!read_port(is_v6 ? end + 1 : end, &place->port))
		return false;
	place->is_v6 = is_v6;
	memcpy(place->name, name, length);
	place->name[length] = '\0';
	if (is_v6)
		return inet_pton(AF_INET6, place->name, &v6) == 1;
	if (!is_name(place->name, length))
		return false;
	if (place->name[length - 1] == '.')
		place->name[length - 1] = '\0';
	return true;
}

static bool ends_in(const char *name, const char *end)
{
	size_t length = strlen(name);

	return length > strlen(end) && strcasecmp(name + length - strlen(end), end) == 0;
}

static bool is_among(const char *name, const char *words)
{
	size_t length, n = strlen(name);

	for (; *words; words += length) {
		words += strspn(words, " \t\n");
		length = strcspn(words, " \t\n");
		if (strncasecmp(words, name, n) != 0)
			continue;
		if (length == n || (length == n + 1 && words[n] == '.'))
			return true;
	}
	return false;
}

bool site_read_name(const char *host, char name[SITE_HOST_MAX + 1])
{
	struct place place;

	if (!read_place(host, &place) || place.is_v6)
		return false;
	strcpy(name, place.name);
	return true;
}

bool site_is_ours(const char *host, const char *hosts)
{
	static const char *const PRIVATE[] = {
		".local", ".lan", ".home", ".localdomain", ".home.arpa", ".internal"};
	struct place place;
	struct in_addr v4;

	if (!read_place(host, &place))
		return false;
	if (place.is_v6 || inet_pton(AF_INET, place.name, &v4) == 1 || !strchr(place.name, '.'))
		return true;
	for (size_t i = 0; i < sizeof PRIVATE / sizeof *PRIVATE; i++)
		if (ends_in(place.name, PRIVATE[i]))
			return true;
	return is_among(place.name, hosts);
}

/* Whether an Origin, such as http://pi:5557, has the host and the port of a Host header. */
static bool is_same(const char *origin, const char *host)
{
	static const struct {
		const char *scheme;
		unsigned port;
	} SCHEMES[] = {{"http://", 80}, {"https://", 443}};
	struct place from, to;

	for (size_t i = 0; i < 2; i++) {
		size_t length = strlen(SCHEMES[i].scheme);
		unsigned port = SCHEMES[i].port;

		if (strncasecmp(origin, SCHEMES[i].scheme, length) != 0)
			continue;
		return read_place(origin + length, &from) && read_place(host, &to) &&
		       strcasecmp(from.name, to.name) == 0 &&
		       (from.port ? from.port : port) == (to.port ? to.port : port);
	}
	return false;
}

bool site_may_command(const char *fetch_site, const char *origin, const char *host)
{
	if (fetch_site)
		return strcmp(fetch_site, "same-origin") == 0 || strcmp(fetch_site, "none") == 0;
	return !origin || (host && is_same(origin, host));
}
