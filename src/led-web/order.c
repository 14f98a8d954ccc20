/* SPDX-License-Identifier: MIT */

/* Commands. While led-line has one, its connection is suspended. */

#include "order.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>

#include "response.h"

/* So old counts what may have waited for too long. */
#define LATE_MS (2ULL * COMMAND_LATE_MS)

/* Logs what a client has sent. */
static void log_command(const struct visit *visit, const char *command, const char *how)
{
	const struct web *web = visit->web;
	const char *password = web->options->password;
	char who[PEER_TEXT_MAX];

	if (!limit_take(web->limit))
		return;
	peer_text(&visit->peer, who);
	if (password)
		syslog(LOG_INFO, "%.*s at %s sent \"%s\": %s", (int)strcspn(password, ":"),
			password, who, command, how);
	else
		syslog(LOG_INFO, "%s sent \"%s\": %s", who, command, how);
}

/* Refuses what is in the body. */
static enum MHD_Result refuse(struct visit *visit)
{
	struct command bytes = {.length = visit->body.length};
	char quoted[COMMAND_QUOTE_MAX];

	memcpy(bytes.text, visit->body.text, visit->body.length);
	log_command(visit, command_quote(&bytes, quoted), visit->judgement.text);
	return response_text(visit, visit->judgement.status, visit->judgement.text);
}

static void on_done(void *userdata, const struct result *result, const char *line, bool hangs)
{
	struct visit *visit = userdata;
	struct web *web = visit->web;
	struct request request;
	struct judgement judgement = visit->judgement;
	char command[COMMAND_MAX + 1];

	body_read(&visit->body, &judgement, &request);
	command_write(&request, command);
	log_command(visit, command, line ? line : result->text);
	visit->result = malloc(sizeof *visit->result);
	if (visit->result)
		*visit->result = *result;
	web->done++;
	web->changed(web->userdata);
	if (hangs)
		follower_hang(web->follower);
	visit_enter(visit, STAGE_SETTLES);
	if (visit_goes_on(visit))
		visit_resume(visit);
}

/* When the command came, in milliseconds of arrival_now_ms(). */
static uint64_t came_at(const struct visit *visit)
{
	const struct web *web = visit->web;
	uint64_t now, at;

	at = visit->peer.family == AF_UNIX ? arrival_now_ms(web->options->clock)
					   : arrival_ms(web->options->clock, visit->fd, &now);
	/* Only the newest bytes have a time, and these may be older ones. */
	if (web->late)
		at -= at > LATE_MS ? LATE_MS : at - 1;
	return at;
}

enum MHD_Result order_begin(struct visit *visit)
{
	struct web *web = visit->web;
	struct request request = {0};

	body_read(&visit->body, &visit->judgement, &request);
	if (visit->judgement.kind == REQUEST_REFUSED)
		return refuse(visit);
	visit->is_form = body_is_form(&visit->body);
	request.at = came_at(visit);
	visit->post = post_create(web->event, web->options->line, &request, on_done, visit);
	if (!visit->post)
		return MHD_NO;
	visit_enter(visit, STAGE_COMMAND);
	visit_suspend(visit);
	return MHD_YES;
}

enum MHD_Result order_end(struct visit *visit)
{
	const struct result *result = visit->result;

	if (!result)
		return MHD_NO;
	return result->status == MHD_HTTP_OK && visit->is_form
		       ? response_back(visit)
		       : response_text(visit, result->status, result->text);
}

void order_forget(struct visit *visit)
{
	post_destroy(visit->post);
	free(visit->result);
	visit->post = NULL;
	visit->result = NULL;
}
