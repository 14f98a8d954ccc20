/* SPDX-License-Identifier: MIT */

/*
 * Connections. libmicrohttpd tells of each, and of its requests, one after another: what one asks
 * for is in response.c, order.c and stream.c. A connection that waits is suspended.
 */

#include "visit.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <syslog.h>

#include "allow.h"
#include "clock.h"
#include "deferred.h"
#include "order.h"
#include "response.h"
#include "stream.h"
#include "timer.h"

/* What is longer, because a client's name for this machine stands in it, is cut off in the log. */
#define LOG_LINE_MAX 200

/* --- stages ----------------------------------------------------------------------------- */

void visit_enter(struct visit *visit, enum stage stage)
{
	struct web *web = visit->web;

	visit->stage = stage;
	visit->due = stage_due(stage, clock_usec());
	if (visit->due < web->next_due) {
		web->next_due = visit->due;
		timer_start_at(web->due, web->next_due);
	}
}

static int on_due(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct web *web = userdata;
	uint64_t now = clock_usec();

	web->next_due = UINT64_MAX;
	for (struct visit *visit = web->visits; visit; visit = visit->next) {
		if (visit->due > now) {
			if (visit->due < web->next_due)
				web->next_due = visit->due;
			continue;
		}
		visit->due = UINT64_MAX;
		if (visit->stage == STAGE_SETTLES)
			visit_resume(visit);
		else
			shutdown(visit->fd, SHUT_RDWR); /* libmicrohttpd closes it then */
	}
	timer_start_at(web->due, web->next_due);
	return 0;
}

int visit_set_up(struct web *web)
{
	web->next_due = UINT64_MAX;
	return timer_add(web->event, &web->due, VISIT_ACCURACY_USEC, on_due, web);
}

bool visit_goes_on(const struct visit *visit)
{
	return stage_goes_on(visit->stage, follower_get(visit->web->follower),
		visit->judgement.name, visit->result);
}

void visit_suspend(struct visit *visit)
{
	visit->suspended = true;
	MHD_suspend_connection(visit->connection);
}

void visit_resume(struct visit *visit)
{
	if (!visit->suspended)
		return;
	visit->suspended = false;
	MHD_resume_connection(visit->connection);
	deferred_start(visit->web->more);
}

/* --- requests --------------------------------------------------------------------------- */

static enum MHD_Result on_header(
	void *userdata, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct request_head *head = userdata;
	const struct {
		const char *name;
		struct header *header;
	} KNOWN[] = {
		{"Host", &head->host},
		{"Origin", &head->origin},
		{"Sec-Fetch-Site", &head->fetch_site},
		{"Authorization", &head->authorization},
		{"Content-Length", &head->content_length},
		{"Transfer-Encoding", &head->transfer_encoding},
	};

	head->is_unclear |= !request_is_header(name);
	for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
		if (strcasecmp(name, KNOWN[i].name) == 0 && KNOWN[i].header->n++ == 0)
			KNOWN[i].header->value = value ? value : "";
	return MHD_YES;
}

static void judge(struct visit *visit, const struct request_head *head)
{
	const struct web_options *options = visit->web->options;
	struct request_rules rules = {.refusal = options->refusal,
		.allowed = true,
		.hosts = options->hosts,
		.password = options->password};

	if (options->allow)
		allow_peer(options->allow, &visit->peer, &rules.allowed);
	request_judge(head, &rules, &visit->judgement);
}

/* The last request was made, or has ended, now. */
static void mark_use(struct visit *visit)
{
	idle_used(&visit->web->idle, visit->judgement.kind != REQUEST_REFUSED, clock_usec());
}

static enum MHD_Result refuse(struct visit *visit)
{
	return response_text(visit, visit->judgement.status, visit->judgement.text);
}

/* A request has come, but for its body. */
static enum MHD_Result begin_request(struct visit *visit, const struct request_head *head)
{
	char who[PEER_TEXT_MAX];

	judge(visit, head);
	visit->body = (struct body){0};
	visit_enter(visit, STAGE_BODY);
	mark_use(visit);
	if (visit->judgement.kind != REQUEST_REFUSED)
		return MHD_YES;
	if (visit->judgement.is_logged && limit_take(visit->web->limit)) {
		peer_text(&visit->peer, who);
		syslog(LOG_INFO, "%s: %.*s", who, LOG_LINE_MAX - 2 - (int)strlen(who),
			visit->judgement.text);
	}
	visit->judgement.closes |= idle_is_over(&visit->web->idle, clock_usec());
	/* Without a body, the connection can go on afterwards. */
	return visit->judgement.closes ? refuse(visit) : MHD_YES;
}

/* A request is complete; or it was, and what it waited for has come. */
static enum MHD_Result end_request(struct visit *visit)
{
	switch (visit->judgement.kind) {
	case REQUEST_REFUSED:
		return refuse(visit);
	case REQUEST_COMMAND:
		return visit->stage == STAGE_SETTLES ? order_end(visit) : order_begin(visit);
	case REQUEST_ICON:
		return response_icon(visit);
	default:
		break;
	}
	visit_enter(visit, STAGE_LEDS);
	if (!visit_goes_on(visit)) {
		visit_suspend(visit);
		return MHD_YES;
	}
	switch (visit->judgement.kind) {
	case REQUEST_PAGE:
		return response_page(visit);
	case REQUEST_LIST:
		return response_list(visit);
	case REQUEST_STATE:
		return response_state(visit);
	default:
		return stream_begin(visit);
	}
}

enum MHD_Result visit_on_request(void *userdata, struct MHD_Connection *connection,
	const char *path, const char *method, const char *version, const char *bytes, size_t *n,
	void **request)
{
	struct request_head head = {.method = method, .path = path, .version = version};
	struct visit *visit = *request;

	if (!visit) {
		visit = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
				->socket_context;
		if (!visit)
			return MHD_NO;
		*request = visit;
		MHD_get_connection_values(connection, MHD_HEADER_KIND, on_header, &head);
		return begin_request(visit, &head);
	}
	if (*n == 0)
		return end_request(visit);
	body_feed(&visit->body, bytes, *n);
	*n = 0;
	return MHD_YES;
}

void visit_on_completed(void *userdata, struct MHD_Connection *connection, void **request,
	enum MHD_RequestTerminationCode code)
{
	struct visit *visit = *request;

	if (!visit)
		return;
	*request = NULL;
	order_forget(visit);
	stream_end(visit);
	visit_enter(visit, STAGE_HEAD);
	mark_use(visit);
}

/* --- connections ------------------------------------------------------------------------ */

static struct visit *open_visit(struct web *web, struct MHD_Connection *connection)
{
	struct visit *visit = calloc(1, sizeof *visit);

	if (!visit)
		return NULL;
	visit->web = web;
	visit->connection = connection;
	visit->peer = web->joining;
	visit->fd =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	visit->next = web->visits;
	if (visit->next)
		visit->next->previous = visit;
	web->visits = visit;
	room_enter(&web->room, &visit->peer);
	idle_opened(&web->idle);
	visit_enter(visit, STAGE_HEAD);
	return visit;
}

static void close_visit(struct visit *visit)
{
	struct web *web = visit->web;

	*(visit->previous ? &visit->previous->next : &web->visits) = visit->next;
	if (visit->next)
		visit->next->previous = visit->previous;
	room_leave(&web->room, &visit->peer);
	idle_closed(&web->idle);
	free(visit);
}

void visit_on_connection(void *userdata, struct MHD_Connection *connection, void **context,
	enum MHD_ConnectionNotificationCode code)
{
	struct web *web = userdata;

	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		*context = open_visit(web, connection);
	else if (*context)
		close_visit(*context);
	web_visits_changed(web);
}
