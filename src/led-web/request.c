/* SPDX-License-Identifier: MIT */

/* HTTP requests: who may ask for what. */

#include "request.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "allow.h"
#include "password.h"

/* Room for a host and its port. One that is cut off is none: its name is too long. */
#define HOST_ROOM (SITE_HOST_MAX + 32)

void request_refuse(struct judgement *judgement, unsigned status, const char *why)
{
	judgement->kind = REQUEST_REFUSED;
	judgement->status = status;
	snprintf(judgement->text, sizeof judgement->text, "ERR %.*s", REQUEST_TEXT_MAX - 5, why);
}

/* Refuses a request after which nobody knows where the next one begins. */
static bool end(struct judgement *judgement, unsigned status, const char *why)
{
	request_refuse(judgement, status, why);
	judgement->closes = true;
	return false;
}

/* --- the request as HTTP has it --------------------------------------------------------- */

bool request_is_header(const char *name)
{
	static const char *const BODY[] = {"Content-Length", "Transfer-Encoding"};

	for (size_t i = 0; i < sizeof BODY / sizeof *BODY; i++) {
		size_t length = strlen(BODY[i]);

		if (strncasecmp(name, BODY[i], length) == 0 && name[length] && name[length] != '-')
			return false;
	}
	if (!*name)
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("!#$%&'*+-.^_`|~", *name))
			return false;
	return true;
}

static bool check_body(const struct request_head *head, struct judgement *judgement)
{
	const char *length = head->content_length.value;

	if (head->content_length.n > 1 || head->transfer_encoding.n > 1 ||
		(length && head->transfer_encoding.n > 0))
		return end(judgement, 400, "the length of the body is not clear");
	if (head->transfer_encoding.n > 0 &&
		(strcasecmp(head->transfer_encoding.value, "chunked") != 0 ||
			strcmp(head->version, "HTTP/1.1") != 0))
		return end(judgement, 400, "a body is sent in one piece or in chunks");
	if (length && (!*length || strspn(length, "0123456789") != strlen(length)))
		return end(judgement, 400, "the length of the body is not clear");
	return true;
}

/* Whether there is a body, and one that is too long. */
static bool has_body(const struct request_head *head, bool *is_long)
{
	const char *length = head->content_length.value;
	unsigned long long bytes = 0;

	*is_long = false;
	if (head->transfer_encoding.n > 0)
		return true;
	for (; length && *length && bytes <= REQUEST_BODY_MAX; length++)
		bytes = bytes * 10 + (unsigned)(*length - '0');
	*is_long = bytes > REQUEST_BODY_MAX;
	return bytes > 0;
}

static bool check_head(const struct request_head *head, struct judgement *judgement)
{
	if (strcmp(head->version, "HTTP/1.1") != 0 && strcmp(head->version, "HTTP/1.0") != 0)
		return end(judgement, 400, "this server speaks HTTP/1.0 and HTTP/1.1");
	if (head->is_unclear)
		return end(judgement, 400, "the name of a header is not clear");
	if (head->host.n > 1)
		return end(judgement, 400, "there is more than one Host header");
	if (head->host.n == 0 && strcmp(head->version, "HTTP/1.1") == 0)
		return end(judgement, 400, "there is no Host header");
	return check_body(head, judgement);
}

/* Moves a host that stands before the path to the Host header: RFC 9112, 3.2.2. */
static void split_path(struct request_head *head, char host[HOST_ROOM])
{
	size_t scheme = strncasecmp(head->path, "http://", 7) == 0    ? 7
			: strncasecmp(head->path, "https://", 8) == 0 ? 8
								      : 0;
	const char *name = head->path + scheme, *path = name + strcspn(name, "/");

	if (scheme == 0)
		return;
	snprintf(host, HOST_ROOM, "%.*s", (int)(path - name), name);
	head->host = (struct header){host, 1};
	head->path = *path ? path : "/";
}

/* --- who asks --------------------------------------------------------------------------- */

static bool forbid(struct judgement *judgement, unsigned status, const char *why)
{
	request_refuse(judgement, status, why);
	judgement->is_logged = true;
	return false;
}

static bool check_host(const struct request_head *head, const struct request_rules *rules,
	struct judgement *judgement)
{
	char name[SITE_HOST_MAX + 1], why[REQUEST_TEXT_MAX];

	/* HTTP/1.0 has none, and no browser speaks that. */
	if (head->host.n == 0 || site_is_ours(head->host.value, rules->hosts))
		return true;
	if (!site_read_name(head->host.value, name))
		return forbid(judgement, 421, "the Host header has no name of this machine");
	snprintf(why, sizeof why,
		"this machine is not known as %s; if it is yours, add it to WEB_HOSTS in "
		"/etc/default/led-web: WEB_HOSTS=%s",
		name, name);
	return forbid(judgement, 421, why);
}

static bool check_password(const struct request_head *head, const struct request_rules *rules,
	struct judgement *judgement)
{
	if (!rules->password)
		return true;
	if (head->authorization.n == 1 &&
		password_is_right(head->authorization.value, rules->password))
		return true;
	/* A browser asks for it after its first request. */
	request_refuse(judgement, 401,
		head->authorization.n > 0 ? "the user or the password is wrong"
					  : "there is a password");
	judgement->asks_password = true;
	judgement->is_logged = head->authorization.n > 0;
	return false;
}

static bool check_client(const struct request_head *head, const struct request_rules *rules,
	struct judgement *judgement)
{
	if (!rules->allowed) {
		/* An open connection keeps led-web running. */
		judgement->closes = true;
		return forbid(judgement, 403, ALLOW_REFUSAL);
	}
	if (rules->refusal) {
		request_refuse(judgement, 503, rules->refusal);
		return false;
	}
	return check_host(head, rules, judgement) && check_password(head, rules, judgement);
}

/* --- what for --------------------------------------------------------------------------- */

/* Finds out what a path leads to. Returns the methods for it, or NULL if it leads nowhere. */
static const char *find(const char *path, struct judgement *judgement)
{
	static const char LEDS[] = "/leds/", READS[] = "GET, HEAD";
	static const struct {
		const char *path;
		enum request_kind kind;
	} PLACES[] = {
		{"/", REQUEST_PAGE},
		{"/icon.png", REQUEST_ICON},
		{"/leds", REQUEST_LIST},
		{"/events", REQUEST_EVENTS},
	};

	for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
		if (strcmp(path, PLACES[i].path) != 0)
			continue;
		judgement->kind = PLACES[i].kind;
		return READS;
	}
	if (strncmp(path, LEDS, strlen(LEDS)) != 0)
		return NULL;
	path += strlen(LEDS);
	judgement->kind = REQUEST_STATE;
	judgement->all = strcasecmp(path, "all") == 0;
	if (judgement->all)
		return "POST";
	return command_read_name(path, strlen(path), judgement->name) ? "GET, HEAD, POST" : NULL;
}

static bool may_command(const struct request_head *head)
{
	return head->fetch_site.n <= 1 && head->origin.n <= 1 &&
	       site_may_command(head->fetch_site.value, head->origin.value, head->host.value);
}

void request_judge(const struct request_head *asked, const struct request_rules *rules,
	struct judgement *judgement)
{
	struct request_head own = *asked, *head = &own;
	char host[HOST_ROOM];
	bool reads = strcmp(head->method, "GET") == 0 || strcmp(head->method, "HEAD") == 0;
	bool posts = strcmp(head->method, "POST") == 0, sends, is_long;
	const char *methods;

	*judgement = (struct judgement){0};
	if (!check_head(head, judgement))
		return;
	split_path(head, host);
	sends = has_body(head, &is_long);
	/* What is not read would be taken for the next request. */
	judgement->closes = sends;
	if (!check_client(head, rules, judgement))
		return;
	methods = find(head->path, judgement);
	if (!methods) {
		request_refuse(judgement, 404,
			strncmp(head->path, "/leds/", 6) == 0 ? "no LED has such a name"
							      : "there is nothing here");
		return;
	}
	if (reads ? !strstr(methods, "GET") : !posts || !strstr(methods, "POST")) {
		request_refuse(judgement, 405, "this method is not for this address");
		judgement->allow = methods;
		return;
	}
	if (reads && sends) {
		request_refuse(judgement, 400, "a request that only asks has no body");
		return;
	}
	if (posts && !may_command(head)) {
		forbid(judgement, 403, "a page of another site sent this");
		return;
	}
	if (is_long) {
		request_refuse(judgement, 413, "a command has at most 64 bytes");
		return;
	}
	/* A stream that is not sent has no length, and ends with its connection. */
	judgement->closes = judgement->kind == REQUEST_EVENTS && strcmp(head->method, "HEAD") == 0;
	if (posts)
		judgement->kind = REQUEST_COMMAND;
}
