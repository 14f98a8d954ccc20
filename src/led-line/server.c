/* SPDX-License-Identifier: MIT */

/* led-line's connections: who may send what, and what is answered. */

#include "server.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "allow.h"
#include "arrival.h"
#include "clients.h"
#include "keepalive.h"
#include "limit.h"
#include "proxy.h"
#include "reception.h"
#include "settings.h"
#include "standstill.h"
#include "timer.h"

/* How long clients are served that were connected when a stop began. */
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
	struct standstill *standstill;
	bool may_be_late; /* what is read now */
	sd_event_source *stop_over;
	void (*stopped)(void *userdata);
	void *userdata; /* of that */
};

static const char *on_connected(struct client *client)
{
	struct server *server = client->userdata;
	const char *why = server->allow ? ALLOW_REFUSAL : SETTINGS_SEE_LOG;
	char peer[PEER_TEXT_MAX];
	bool allowed = client->peer.family == AF_UNIX;

	client->reader.command.timed = true;
	/*
	 * led-handler may connect before its client has sent a command: that has said nothing but
	 * telnet's negotiation, and has 30 s to begin one, and 5 to end it.
	 */
	if (client->peer.family == AF_UNIX)
		client->reader.deadline_usec += COMMAND_DEADLINE_MS * 1000ULL;
	if (server->allow)
		allow_peer(server->allow, &client->peer, &allowed);
	if (!allowed && limit_take(server->limit))
		syslog(LOG_INFO, "%s: ERR %s", peer_text(&client->peer, peer), why);
	return allowed ? NULL : why;
}

/*
 * Reads the line of a proxy, if the connection begins with it. Only a UNIX socket has one: its
 * clients are on this machine, and the log names their account as well.
 */
static size_t on_first_bytes(struct client *client, const char *bytes, size_t n)
{
	return client->peer.family == AF_UNIX ? proxy_read(bytes, n, &client->origin) : 0;
}

static bool has_ended(const struct client *client)
{
	char byte;

	return recv(client->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static bool has_left(const struct client *client)
{
	struct pollfd state = {.fd = client->fd};

	return poll(&state, 1, 0) == 1 && state.revents & POLLHUP;
}

/* Whether the peer's account is root's or led-handler's, which nobody else uses. */
static bool has_own_account(const struct server *server, const struct peer *peer)
{
	return peer->family == AF_UNIX && (peer->uid == 0 || peer->uid == server->handler_uid);
}

/* Looks at the client, as far as it matters: most system calls are saved. */
static struct reception receive(const struct client *client, uint64_t said_at)
{
	const struct server *server = client->userdata;
	const struct sender sender = {
		.at_unix = client->peer.family == AF_UNIX,
		.is_local = peer_is_local(&client->peer),
		.is_proxy = client->origin.family != AF_UNSPEC,
		.has_own_account = has_own_account(server, &client->peer),
		.has_ended = said_at > 0 && has_ended(client),
		.has_left = server->may_be_late && has_left(client),
		.may_be_late = server->may_be_late,
	};
	uint64_t arrived, now;

	/* Only TCP knows when bytes came. */
	if (sender.at_unix)
		arrived = now = arrival_now_ms(server->clock);
	else
		arrived = arrival_ms(server->clock, client->fd, &now);
	return reception_judge(&sender, said_at, arrived, now);
}

/*
 * Makes the client a watcher.
 *
 * answer: set to the answer that refuses it, if that cannot be
 * Returns whether it is one.
 */
static bool client_watch(struct client *client, const struct request *request,
	enum watchers_origin origin, const char *mark, char answer[ANSWER_MAX])
{
	struct server *server = client->userdata;
	uint32_t leds = NEWS_OF_ALL;
	const char *why = leds_are_none(server->leds) ? SETTINGS_SEE_LOG : NULL;
	unsigned number;

	if (request->late)
		why = COMMAND_LATE;
	if (!why && *request->name) {
		if (!leds_find(server->leds, request->name, &number, answer))
			return false;
		leds = 1U << number;
	}
	if (!why)
		why = watchers_add(server->watchers, client->fd, origin, leds, mark);
	if (why)
		snprintf(answer, ANSWER_MAX, "ERR %s", why);
	else if (client->peer.family != AF_UNIX)
		keepalive_start(client->fd);
	return !why;
}

/* A reset: a button takes an orderly end for a delivery. */
static void reset(struct client *client, const char *outcome)
{
	const struct linger at_once = {.l_onoff = 1};

	setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	client_close(client, outcome);
}

static void on_command(struct client *client)
{
	struct server *server = client->userdata;
	struct reception reception;
	char answer[ANSWER_MAX];
	struct request request;
	const char *why, *mark = "";

	why = command_parse(&client->reader.command, &request);
	if (why) {
		client_answer(client, CLIENT_DRAINS, "ERR %s", why);
		return;
	}
	reception = receive(client, request.at);
	if (reception.is_given_up) {
		client_answer(client, CLIENT_CLOSES, "ERR " COMMAND_LATE);
		return;
	}
	request.at = reception.at;
	request.late = reception.late;
	client->logged_elsewhere = reception.logged_elsewhere;
	/* led-handler, which will log this command, shares the log with our own clients. */
	if (reception.from_handler && !limit_take(server->limit))
		mark = ANSWER_UNLOGGED;
	if (request.verb == VERB_WATCH) {
		if (client_watch(client, &request, reception.origin, mark, answer)) {
			client_close(client, "OK");
			return;
		}
	} else if (!leds_carry_out(server->leds, &request, answer)) {
		reset(client, answer);
		return;
	}
	strncat(answer, mark, sizeof answer - strlen(answer) - 1);
	client_answer(client, reception.drains ? CLIENT_DRAINS : CLIENT_CLOSES, "%s", answer);
}

static const struct clients_events EVENTS = {
	.size = sizeof(struct client),
	.connected = on_connected,
	.first_bytes = on_first_bytes,
	.command = on_command,
};

static void on_stood_still(void *userdata, bool may_be_late)
{
	((struct server *)userdata)->may_be_late = may_be_late;
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
	server->standstill = standstill_create(event, on_stood_still, server);
	if (server->limit && server->standstill)
		server->clients = clients_create(event, server->limit, &EVENTS, server);
	if (!server->clients) {
		server_destroy(server);
		return NULL;
	}
	return server;
}

/*
 * A UNIX socket's file belongs to the account that is to connect to it, and its time of access is
 * that of a connection: the last, where systemd has it, in /run. Other sockets tell nothing.
 */
static void ask_file(struct server *server, int fd)
{
	struct sockaddr_un sun = {.sun_family = AF_UNSPEC};
	socklen_t size = sizeof sun - 1;
	struct timespec now;
	struct stat st;
	int64_t usec;

	if (getsockname(fd, (struct sockaddr *)&sun, &size) < 0 || sun.sun_family != AF_UNIX ||
		stat(sun.sun_path, &st) < 0)
		return;
	server->handler_uid = st.st_uid;
	clock_gettime(CLOCK_REALTIME, &now);
	usec = (now.tv_sec - st.st_atim.tv_sec) * 1000000LL +
	       (now.tv_nsec - st.st_atim.tv_nsec) / 1000;
	standstill_connected(server->standstill, usec > 0 ? (uint64_t)usec : 0);
}

int server_add_socket(struct server *server, int fd)
{
	ask_file(server, fd);
	return clients_add_socket(server->clients, fd);
}

/* Each client has its answer, or has had its time. */
static void on_idle(void *userdata)
{
	struct server *server = userdata;
	void (*stopped)(void *userdata) = server->stopped;

	server->stopped = NULL;
	if (stopped)
		stopped(server->userdata);
}

static int on_stop_over(sd_event_source *source, uint64_t usec, void *userdata)
{
	on_idle(userdata);
	return 0;
}

void server_stop(struct server *server, void (*stopped)(void *userdata), void *userdata)
{
	server->stopped = stopped;
	server->userdata = userdata;
	if (timer_add(server->event, &server->stop_over, STOP_ACCURACY_USEC, on_stop_over,
		    server) >= 0)
		timer_start(server->stop_over, STOP_USEC);
	else
		on_idle(server);
	clients_stop(server->clients, on_idle);
}

void server_destroy(struct server *server)
{
	if (!server)
		return;
	clients_destroy(server->clients);
	standstill_destroy(server->standstill);
	sd_event_source_disable_unref(server->stop_over);
	limit_destroy(server->limit);
	sd_event_unref(server->event);
	free(server);
}
