/* SPDX-License-Identifier: MIT */

/* What a browser, or what takes itself for one, says to led-web: src/led-web/. */

#include "fuzz.h"
#include "led-web/body.h"
#include "led-web/password.h"
#include "led-web/request.h"
#include "led-web/site.h"

#define BLANK "[ \t]"

static struct pattern host_like = {
	.text = "([A-Za-z0-9_-][A-Za-z0-9._-]*|\\[[0-9A-Fa-f:.]+\\])(:[0-9]*)?"};
static struct pattern ours_like = {
	.text = "\\[.*|[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+(:.*)?|[^.:]+\\.?(:.*)?|"
		".*\\.(local|lan|home|localdomain|home\\.arpa|internal)\\.?(:.*)?",
	.any_case = true};
static struct pattern body_like = {.text = "[ \t\r\n]*(on|off|toggle(" BLANK "+" KEY
					   ")?|pulse" BLANK "+" PULSE "(" BLANK "+" KEY
					   ")?)[ \t\r\n]*",
	.any_case = true};

static struct pattern header_like = {.text = "[A-Za-z0-9!#$%&'*+.^_`|~-]+"};
static struct pattern name_like = {.text = "[A-Za-z0-9_-]([A-Za-z0-9._-]*[A-Za-z0-9._-])?"};

static void try_site(const char *text)
{
	char name[SITE_HOST_MAX + 1];

	/* The line that a 421 has is to help. */
	if (site_read_name(text, name))
		MUST(is_like(&name_like, name) && site_is_name(name) && site_is_ours(text, name));
	if (site_is_ours(text, ""))
		MUST(is_like(&host_like, text) && is_like(&ours_like, text));
	MUST(!site_may_command(text, NULL, "pi") || strcmp(text, "same-origin") == 0 ||
		strcmp(text, "none") == 0);
	if (site_may_command(NULL, text, "pi:5557"))
		MUST(strcasecmp(text, "http://pi:5557") == 0 ||
			strcasecmp(text, "https://pi:5557") == 0 || strchr(text, '0') ||
			text[strlen(text) - 1] == '.' || strstr(text, ".:"));
}

static void try_body(const uint8_t *data, size_t size)
{
	struct judgement judgement = {.kind = REQUEST_COMMAND, .name = "kitchen"};
	struct body body = {0};
	struct request request = {0};
	char *text = text_of(data, size);

	for (size_t i = 0; i < size; i += 7)
		body_feed(&body, (const char *)data + i, size - i < 7 ? size - i : 7);
	body_read(&body, &judgement, &request);
	MUST(judgement.kind == REQUEST_COMMAND || judgement.kind == REQUEST_REFUSED);
	MUST((judgement.kind == REQUEST_REFUSED && judgement.status == 413) ==
		(size > REQUEST_BODY_MAX));
	if (judgement.kind == REQUEST_COMMAND) {
		MUST(strcmp(request.name, "kitchen") == 0 && !request.all && request.at == 0);
		MUST(body_is_form(&body) || (strlen(text) == size && is_like(&body_like, text)));
	}
	free(text);
}

static void try_request(const char *text)
{
	static const struct request_rules RULES = {
		.allowed = true, .hosts = "", .password = "anna:secret"};
	const struct request_head heads[] = {
		{.method = "GET", .path = text, .version = "HTTP/1.1", .host = {"pi", 1}},
		{.method = "POST", .path = "/leds/a", .version = "HTTP/1.1", .host = {text, 1}},
		{.method = "POST",
			.path = "/leds/a",
			.version = "HTTP/1.1",
			.host = {"pi", 1},
			.content_length = {text, 1}},
		{.method = "GET",
			.path = "/",
			.version = "HTTP/1.1",
			.host = {"pi", 1},
			.authorization = {text, 1}},
	};
	struct judgement judgement;

	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		request_judge(&heads[i], &RULES, &judgement);
		if (judgement.kind != REQUEST_REFUSED)
			MUST(password_is_right(text, RULES.password));
		else
			MUST(judgement.status >= 400 && strncmp(judgement.text, "ERR ", 4) == 0);
		for (const char *p = judgement.text; *p; p++)
			MUST(*p >= ' ' && *p <= '~');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size);

	if (request_is_header(text))
		MUST(is_like(&header_like, text));
	try_site(text);
	try_request(text);
	try_body(data, size);
	free(text);
	return 0;
}
