/* SPDX-License-Identifier: MIT */

/* Responses: what the LEDs show, in the shapes that can be asked for. */

#include "response.h"

#include <stdlib.h>
#include <string.h>

#include "element.h"
#include "embedded.h"
#include "page.h"

static const char PLAIN[] = "text/plain; charset=utf-8";

static void add_headers(const struct visit *visit, struct MHD_Response *response, const char *type)
{
	static const struct {
		const char *name, *value;
	} HEADERS[] = {
		{"Content-Security-Policy", EMBEDDED_POLICY},
		{"Referrer-Policy", "same-origin"}, /* Chromium's own forms need it */
		{"X-Content-Type-Options", "nosniff"},
	};
	const struct judgement *judgement = &visit->judgement;

	for (size_t i = 0; i < sizeof HEADERS / sizeof *HEADERS; i++)
		MHD_add_response_header(response, HEADERS[i].name, HEADERS[i].value);
	MHD_add_response_header(response, "Content-Type", type);
	MHD_add_response_header(response, "Cache-Control",
		judgement->kind == REQUEST_ICON ? "max-age=86400" : "no-store");
	if (judgement->allow)
		MHD_add_response_header(response, "Allow", judgement->allow);
	if (judgement->asks_password)
		MHD_add_response_header(
			response, "WWW-Authenticate", "Basic realm=\"led-web\", charset=\"UTF-8\"");
	if (judgement->closes || visit->web->stopping)
		MHD_add_response_header(response, "Connection", "close");
}

enum MHD_Result response_send(
	struct visit *visit, unsigned status, struct MHD_Response *response, const char *type)
{
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	visit_enter(visit, STAGE_ANSWER);
	add_headers(visit, response, type);
	result = MHD_queue_response(visit->connection, status, response);
	MHD_destroy_response(response);
	return result;
}

enum MHD_Result response_text(struct visit *visit, unsigned status, const char *text)
{
	return response_send(visit, status,
		MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY),
		PLAIN);
}

enum MHD_Result response_back(struct visit *visit)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);

	if (response)
		MHD_add_response_header(response, "Location", "/");
	return response_send(visit, MHD_HTTP_SEE_OTHER, response, PLAIN);
}

enum MHD_Result response_icon(struct visit *visit)
{
	return response_send(visit, MHD_HTTP_OK,
		MHD_create_response_from_buffer(
			EMBEDDED_ICON_SIZE, (void *)EMBEDDED_ICON, MHD_RESPMEM_PERSISTENT),
		"image/png");
}

/* Sends a text that was allocated, and is freed. NULL: memory was short. */
static enum MHD_Result send_own(struct visit *visit, char *text, size_t length, const char *type)
{
	struct MHD_Response *response =
		text ? MHD_create_response_from_buffer(length, text, MHD_RESPMEM_MUST_FREE) : NULL;

	if (!response)
		free(text);
	return response_send(visit, MHD_HTTP_OK, response, type);
}

enum MHD_Result response_page(struct visit *visit)
{
	const struct web *web = visit->web;
	size_t length = 0;
	char *page = page_write(
		web->options->title, follower_get(web->follower), web_away(web), &length);

	return send_own(visit, page, length, "text/html; charset=utf-8");
}

enum MHD_Result response_list(struct visit *visit)
{
	const struct follow *follow = follower_get(visit->web->follower);
	const char *away = web_away(visit->web);
	struct result result;
	char *list;
	size_t length = 0;

	if (follow->n == 0 && follow->missing) {
		result_failed(&result, away);
		return response_text(visit, result.status, result.text);
	}
	list = malloc(ELEMENT_LIST_MAX);
	if (list)
		length = element_write_list(follow, away, list);
	return send_own(visit, list, length, "application/json");
}

enum MHD_Result response_state(struct visit *visit)
{
	struct result result;

	result_state(&result, follower_get(visit->web->follower), visit->judgement.name,
		web_away(visit->web));
	return response_text(visit, result.status, result.text);
}
