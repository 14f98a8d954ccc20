/* SPDX-License-Identifier: MIT */
#ifndef VISIT_H
#define VISIT_H

/*
 * A connection, what it is asked, and the server that it belongs to. For the files that are the
 * server: web.c, visit.c, response.c, order.c and stream.c.
 */

#include <microhttpd.h>

#include "body.h"
#include "feed.h"
#include "idle.h"
#include "peer.h"
#include "post.h"
#include "request.h"
#include "room.h"
#include "stage.h"
#include "web.h"

/* How late a timer may be. */
#define VISIT_ACCURACY_USEC 1000

/* Listening sockets. */
#define WEB_SOCKETS 32

/* A connection, from one request to the next. */
struct visit {
	struct web *web;
	struct visit *next, *previous;
	struct MHD_Connection *connection;
	struct peer peer;
	int fd; /* libmicrohttpd's to close */
	enum stage stage;
	uint64_t due; /* of the stage: stage_due() */
	bool suspended;
	struct judgement judgement;
	struct body body;

	/* order.c: */
	bool is_form;
	struct post *post;
	struct result *result;

	/* stream.c: */
	struct feed feed;
	char event[FEED_EVENT_MAX];
	size_t event_length, event_sent;
	sd_event_source *hangup; /* of a copy of fd: a suspended connection is not looked at */
	bool is_gone;
};

/* The server. */
struct web {
	sd_event *event;
	const struct web_options *options;
	struct limit *limit;
	web_changed changed;
	void *userdata;
	struct follower *follower;
	struct MHD_Daemon *daemon;
	sd_event_source *sockets[WEB_SOCKETS];
	unsigned n_sockets;
	sd_event_source *io, *work, *more; /* libmicrohttpd has something to do */
	sd_event_source *due, *comment, *end, *pause;
	uint64_t next_due; /* no visit is due earlier */
	struct visit *visits;
	struct room room;
	struct idle idle;
	unsigned streams;
	unsigned long done;  /* commands */
	struct peer joining; /* the peer of the connection that is being added */
	bool starved;        /* no connection can be accepted, and the log says so */
	bool late, stopping;
};

/* Why led-line cannot be followed, or "". */
const char *web_away(const struct web *web);

/* A connection has come or gone. */
void web_visits_changed(struct web *web);

/* Adds the timer of all visits. Returns 0 or a negative errno. */
int visit_set_up(struct web *web);

/*
 * libmicrohttpd calls these. The first has the web as its userdata.
 *
 * visit_on_connection: a connection has come or gone
 * visit_on_request: the head of a request has come, then each part of its body, then its end; and
 * the end again when a connection was suspended
 * visit_on_completed: a response has been sent, or the connection has broken
 */
void visit_on_connection(void *userdata, struct MHD_Connection *connection, void **context,
	enum MHD_ConnectionNotificationCode code);
enum MHD_Result visit_on_request(void *userdata, struct MHD_Connection *connection,
	const char *path, const char *method, const char *version, const char *bytes, size_t *n,
	void **request);
void visit_on_completed(void *userdata, struct MHD_Connection *connection, void **request,
	enum MHD_RequestTerminationCode code);

/* Begins a stage, and its time. */
void visit_enter(struct visit *visit, enum stage stage);

/* Whether it has what it waits for: stage_goes_on(). */
bool visit_goes_on(const struct visit *visit);

/* Has libmicrohttpd leave the connection alone, and call visit_on_request() again. */
void visit_suspend(struct visit *visit);
void visit_resume(struct visit *visit);

#endif
