/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "address.h"
#include "allow.h"
#include "arrival.h"
#include "clients.h"
#include "limit.h"
#include "proxy.h"

/* How long clients are served that were connected when led-line was told to stop. */
#define STOP_USEC 500000
#define STOP_ACCURACY_USEC 10000

struct server {
	sd_event *event;
	struct clients *clients;
	const struct arrival_clock *clock;
	const char *allow;
	uid_t handler_uid; /* led-handler's account: the owner of the socket that led-handler
			      connects to */
	struct leds *leds;
	struct watchers *watchers;
	struct limit *limit; /* of the log */
};

static const char *on_connected(struct client *client)
{
	struct server *server = client->userdata;
	char peer[ADDRESS_PEER_MAX];
	bool allowed;

	client->command.timed = true;
	/*
	 * led-handler may connect before its client has sent anything, and waits for 30 s itself.
	 */
	if (client->peer.family == AF_UNIX)
		client->deadline += COMMAND_DEADLINE_MS * 1000ULL;
	allow_peer(server->allow, &client->peer, &allowed);
	if (!allowed && limit_take(server->limit))
		syslog(LOG_INFO, "%s: ERR %s", address_peer_text(&client->peer, peer),
			ALLOW_REFUSAL);
	return allowed ? NULL : ALLOW_REFUSAL;
}

/*
 * Reads the line of a proxy, if the connection begins with it. Only a UNIX socket has one: its
 * clients are on this machine, and the log names their account as well.
 */
static size_t on_first_bytes(struct client *client, const char *bytes, size_t n)
{
	return client->peer.family == AF_UNIX ? proxy_read(bytes, n, &client->origin) : 0;
}

/*
 * Whether led-handler has given up waiting for us. Its client has no answer then, and may
 * have sent the command again. It never ends its stream before that.
 */
static bool has_given_up(const struct client *client)
{
	char byte;

	return recv(client->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Whether the peer's account is root's or led-handler's, which nobody else uses. */
static bool is_handlers_account(const struct server *server, const struct address_peer *peer)
{
	return peer->family == AF_UNIX && (peer->uid == 0 || peer->uid == server->handler_uid);
}

/*
 * Makes the client a watcher.
 *
 * answer: set to the answer that refuses it, if that cannot be
 * Returns whether it is one.
 */
static bool client_watch(struct client *client, const struct request *request, const char *mark,
	char answer[ANSWER_MAX])
{
	struct server *server = client->userdata;
	unsigned led = LEDS_MAX;
	const char *why = request->late ? COMMAND_LATE : NULL;

	if (!why && *request->name) {
		led = leds_find(server->leds, request->name, answer);
		if (led == LEDS_MAX)
			return false;
	}
	if (!why)
		why = watchers_add(server->watchers, client->fd, led, mark);
	if (why)
		snprintf(answer, ANSWER_MAX, "ERR %s", why);
	return !why;
}

static void on_command(struct client *client, bool ended)
{
	struct server *server = client->userdata;
	const struct linger at_once = {.l_onoff = 1};
	bool from_handler;
	uint64_t arrived = arrival_ms(server->clock, client->fd);
	char answer[ANSWER_MAX];
	struct request request;
	const char *why, *mark = "";

	why = command_parse(&client->command, &request);
	if (why) {
		client_answer(client, ended, "ERR %s", why);
		return;
	}
	from_handler = request.at > 0 && client->origin.family == AF_UNSPEC &&
		       address_peer_is_local(&client->peer);
	if (request.at > 0 && has_given_up(client)) {
		client_answer(client, true, "ERR " COMMAND_LATE);
		return;
	}
	/*
	 * Another machine's clock means nothing here, and nobody on this one gains by saying
	 * when a command came: earlier is weaker.
	 */
	if (!from_handler || request.at > arrived)
		request.at = arrived;
	request.late = arrival_ms(server->clock, -1) > request.at + COMMAND_LATE_MS;
	/* led-handler, which will log this command, shares the log with our own clients. */
	if (from_handler && !limit_take(server->limit))
		mark = ANSWER_UNLOGGED;
	/* Any other local user can send a time, too, and is logged here. */
	client->logged_elsewhere = from_handler && is_handlers_account(server, &client->peer);
	if (request.verb == VERB_WATCH && client_watch(client, &request, mark, answer)) {
		client_close(client, "OK");
		return;
	}
	if (request.verb != VERB_WATCH && !leds_carry_out(server->leds, &request, answer)) {
		/* A reset: a button takes an orderly end for a delivery. */
		setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
		client_close(client, answer);
		return;
	}
	strncat(answer, mark, sizeof answer - strlen(answer) - 1);
	/* To log it before led-handler has gone would delay led-handler's answer. */
	client_answer(client, !from_handler || client->logged_elsewhere, "%s", answer);
}

static const struct clients_events EVENTS = {
	.size = sizeof(struct client),
	.connected = on_connected,
	.first_bytes = on_first_bytes,
	.command = on_command,
};

static void on_idle(void *userdata)
{
	sd_event_exit(((struct server *)userdata)->event, EXIT_SUCCESS);
}

struct server *server_create(sd_event *event, const struct arrival_clock *clock, const char *allow,
	struct leds *leds, struct watchers *watchers)
{
	struct server *server = calloc(1, sizeof *server);

	if (!server)
		return NULL;
	server->event = sd_event_ref(event);
	server->clock = clock;
	server->allow = allow;
	server->handler_uid = getuid();
	server->leds = leds;
	server->watchers = watchers;
	server->limit = limit_create(event, "clients");
	if (server->limit)
		server->clients = clients_create(event, server->limit, &EVENTS, server);
	if (!server->clients) {
		server_destroy(server);
		return NULL;
	}
	return server;
}

/*
 * A UNIX socket's file belongs to the account that is to connect to it. Other sockets tell nothing.
 */
static void find_handler_uid(struct server *server, int fd)
{
	struct sockaddr_un sun = {.sun_family = AF_UNSPEC};
	socklen_t size = sizeof sun - 1;
	struct stat st;

	if (getsockname(fd, (struct sockaddr *)&sun, &size) == 0 && sun.sun_family == AF_UNIX &&
		stat(sun.sun_path, &st) == 0)
		server->handler_uid = st.st_uid;
}

int server_add_socket(struct server *server, int fd)
{
	find_handler_uid(server, fd);
	return clients_add_socket(server->clients, fd);
}

void server_stop(struct server *server)
{
	/* Without a handler, the timer ends the event loop. */
	if (sd_event_add_time_relative(server->event, NULL, CLOCK_MONOTONIC, STOP_USEC,
		    STOP_ACCURACY_USEC, NULL, NULL) < 0)
		on_idle(server);
	clients_stop(server->clients, on_idle);
}

void server_destroy(struct server *server)
{
	if (!server)
		return;
	clients_destroy(server->clients);
	limit_destroy(server->limit);
	sd_event_unref(server->event);
	free(server);
}
