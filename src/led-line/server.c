/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "address.h"
#include "allow.h"
#include "arrival.h"
#include "clock.h"
#include "limit.h"
#include "proxy.h"
#include "timer.h"

/* How late a timer may be: the kernel joins wake-ups. */
#define ACCURACY_USEC 10000

/* The most connections that a socket accepts before other sockets and clients have their turn. */
#define ACCEPT_BURST 1000
#define ACCEPT_INTERVAL_USEC 100000

/* How long clients are served that were connected when led-line was told to stop. */
#define STOP_USEC 500000

/* How long no connection is accepted after the system ran out of descriptors or memory. */
#define PAUSE_USEC 1000000

struct client {
	struct server *server;
	int fd;
	sd_event_source *io, *timer;
	struct address_peer peer;
	struct address_peer origin; /* the proxy's client, if the peer is a proxy */
	bool opened;                /* its first bytes have been read */
	bool allowed;
	struct command command;
	uint64_t deadline; /* for the whole command, in microseconds of CLOCK_MONOTONIC */
	bool answered;     /* it has its answer: what it still sends is dropped */
	char *unlogged;    /* the answer, to be logged when the client goes; or NULL */
};

struct server {
	sd_event *event;
	const struct arrival_clock *clock;
	const char *allow;
	uid_t handler_uid; /* led-handler's account: the owner of the socket that led-handler
			      connects to */
	struct leds *leds;
	struct watchers *watchers;
	struct limit *limit; /* of the log */
	sd_event_source *pause, *stop;
	bool stopping;
	sd_event_source *sockets[SERVER_SOCKETS];
	unsigned n_sockets;
	struct client *clients[SERVER_CLIENTS]; /* the oldest first */
	unsigned n_clients;
	bool starved; /* no connection can be accepted, and the log says so */
};

/* Best effort: never blocks, and errors are ignored, since the client may be gone. */
static void client_send(struct client *client, const char *answer)
{
	char line[ANSWER_MAX + 1];
	int n = snprintf(line, sizeof line, "%s\n", answer);

	if (send(client->fd, line, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		syslog(LOG_DEBUG, "the answer could not be sent: %s", strerror(errno));
}

/* Logs who sent what, and the answer. A port scan, which sends nothing, is not logged. */
static void client_log(const struct client *client, const char *answer)
{
	char quoted[COMMAND_QUOTE_MAX], peer[ADDRESS_PEER_MAX], origin[ADDRESS_PEER_MAX];

	if ((client->allowed && !client->command.begun) || !limit_take(client->server->limit))
		return;
	address_peer_text(&client->peer, peer);
	command_quote(&client->command, quoted);
	address_peer_text(&client->origin, origin);
	if (client->allowed && *origin)
		syslog(LOG_INFO, "%s for %s sent \"%s\": %s", peer, origin, quoted, answer);
	else if (client->allowed)
		syslog(LOG_INFO, "%s sent \"%s\": %s", peer, quoted, answer);
	else
		syslog(LOG_INFO, "%s: %s", peer, answer);
}

/* Whether a client has no answer yet. */
static bool has_work(const struct server *server)
{
	for (unsigned i = 0; i < server->n_clients; i++)
		if (!server->clients[i]->answered)
			return true;
	return false;
}

/* Ends the event loop if the server is to stop and every client has its answer. */
static void stop_if_done(const struct server *server)
{
	if (server->stopping && !has_work(server))
		sd_event_exit(server->event, EXIT_SUCCESS);
}

static int on_stop(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)usec;
	(void)userdata;
	return sd_event_exit(sd_event_source_get_event(source), EXIT_SUCCESS);
}

static void client_destroy(struct client *client)
{
	struct server *server = client->server;
	unsigned i = 0;

	if (client->unlogged)
		client_log(client, client->unlogged);
	free(client->unlogged);
	while (server->clients[i] != client)
		i++;
	server->n_clients--;
	memmove(&server->clients[i], &server->clients[i + 1],
		(server->n_clients - i) * sizeof client);
	sd_event_source_disable_unref(client->io);
	sd_event_source_disable_unref(client->timer);
	close(client->fd);
	free(client);
	stop_if_done(server);
}

/* Reads and drops what the client is still sending, until it goes: for a second at most. */
static void client_drain(struct client *client)
{
	client->answered = true;
	timer_start(client->timer, COMMAND_DRAIN_MS * 1000ULL);
	stop_if_done(client->server);
}

/*
 * Answers ERR. The connection stays for a moment if the client is still sending:
 * to close with bytes unread would reset it, and the answer could be lost.
 *
 * ended: the client has sent all that it had
 */
static void client_refuse(struct client *client, const char *why, bool ended)
{
	char answer[ANSWER_MAX];

	snprintf(answer, sizeof answer, "ERR %s", why);
	client_send(client, answer);
	client_log(client, answer);
	if (ended || shutdown(client->fd, SHUT_WR) < 0)
		client_destroy(client);
	else
		client_drain(client);
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
	struct server *server = client->server;
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

static void client_finish(struct client *client, bool ended)
{
	struct server *server = client->server;
	const struct linger at_once = {.l_onoff = 1};
	bool from_handler;
	uint64_t arrived = arrival_ms(server->clock, client->fd);
	char answer[ANSWER_MAX];
	struct request request;
	const char *why, *mark = "";
	bool answered, in_log;

	why = command_parse(&client->command, &request);
	if (why) {
		client_refuse(client, why, ended);
		return;
	}
	from_handler = request.at > 0 && address_peer_is_local(&client->peer);
	if (request.at > 0 && has_given_up(client)) {
		client_refuse(client, COMMAND_LATE, true);
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
	if (request.verb == VERB_WATCH && client_watch(client, &request, mark, answer)) {
		if (!from_handler || !is_handlers_account(server, &client->peer))
			client_log(client, "OK");
		client_destroy(client);
		return;
	}
	answered = request.verb == VERB_WATCH || leds_carry_out(server->leds, &request, answer);
	if (answered)
		strncat(answer, mark, sizeof answer - strlen(answer) - 1);
	if (answered) {
		client_send(client, answer);
		/* A client that waits for the end of the stream need not wait for the log. */
		shutdown(client->fd, SHUT_WR);
	} else {
		/* A reset: a button takes an orderly end for a delivery. */
		setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	}
	/*
	 * led-handler logs its commands itself. Any other local user can send a time, too, and is
	 * logged here.
	 */
	in_log = from_handler && is_handlers_account(server, &client->peer);
	if (answered && from_handler && !in_log) {
		/*
		 * Log it after led-handler has gone: writing the line now would delay its answer.
		 */
		client->unlogged = strdup(answer);
		client_drain(client);
		return;
	}
	if (!in_log)
		client_log(client, answer);
	client_destroy(client);
}

/*
 * Reads the line of a proxy, if the connection begins with it. Only a UNIX socket has one: its
 * clients are on this machine, and the log names their account as well.
 *
 * Returns the size of the line in bytes.
 */
static size_t client_open(struct client *client, const char *bytes, size_t n)
{
	if (client->opened || client->peer.family != AF_UNIX)
		return 0;
	client->opened = true;
	return proxy_read(bytes, n, &client->origin);
}

/* Reads all that is there. The client may be gone afterwards. */
static void client_read(struct client *client)
{
	char bytes[1024];
	bool begun = client->command.begun;
	uint64_t quiet;
	size_t skip;
	ssize_t n;

	for (;;) {
		n = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (client->answered) {
			if (n > 0)
				return; /* the others have their turn before more is read */
			client_destroy(client);
			return;
		}
		if (n < 0 && !client->command.terminated) {
			client_refuse(client, "the connection broke", true);
			return;
		}
		if (n <= 0) {
			client_finish(client, true);
			return;
		}
		skip = client_open(client, bytes, (size_t)n);
		command_feed(&client->command, bytes + skip, (size_t)n - skip);
		if (client->command.too_long || client->command.trailing)
			break;
		/* After a full buffer, what follows the terminator may still be unread. */
		if ((size_t)n < sizeof bytes)
			break;
	}
	if (client->answered)
		return;
	if (client->command.terminated || client->command.too_long) {
		client_finish(client, false);
		return;
	}
	if (!client->command.begun)
		return;
	if (!begun)
		client->deadline = clock_usec() + COMMAND_DEADLINE_MS * 1000ULL;
	quiet = clock_usec() + COMMAND_QUIET_MS * 1000ULL;
	timer_start_at(client->timer, quiet < client->deadline ? quiet : client->deadline);
}

static int on_client_ready(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	(void)source;
	(void)fd;
	(void)events;
	client_read(userdata);
	return 0;
}

static int on_client_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct client *client = userdata;

	(void)source;
	if (client->answered)
		client_destroy(client);
	else if (!client->command.begun)
		client_refuse(client, COMMAND_SILENT, true);
	else if (usec >= client->deadline)
		client_refuse(client, COMMAND_INCOMPLETE, false);
	else
		client_finish(client, false); /* quiet: that was all of it */
	return 0;
}

/* The client to close first: one that has its answer, else a silent one, else the oldest. */
static struct client *least_missed(const struct server *server)
{
	struct client *silent = NULL;

	for (unsigned i = 0; i < server->n_clients; i++) {
		struct client *client = server->clients[i];

		if (client->answered)
			return client;
		if (!silent && !client->command.begun)
			silent = client;
	}
	return silent ? silent : server->clients[0];
}

static void make_room(struct server *server)
{
	struct client *client = least_missed(server);

	if (client->answered)
		client_destroy(client);
	else
		client_refuse(client, "too many connections", true);
}

static int client_create(struct server *server, int fd, const struct sockaddr_storage *from)
{
	struct client *client = calloc(1, sizeof *client);
	int r;

	if (!client) {
		close(fd);
		return -ENOMEM;
	}
	client->server = server;
	client->fd = fd;
	client->command.timed = true;
	client->deadline = clock_usec() + COMMAND_SILENCE_MS * 1000ULL;
	address_get_peer(fd, from, &client->peer);
	allow_peer(server->allow, &client->peer, &client->allowed);
	/*
	 * led-handler may connect before its client has sent anything, and waits for 30 s itself.
	 */
	if (client->peer.family == AF_UNIX)
		client->deadline += COMMAND_DEADLINE_MS * 1000ULL;
	server->clients[server->n_clients++] = client;

	r = sd_event_add_io(server->event, &client->io, fd, EPOLLIN, on_client_ready, client);
	if (r >= 0)
		r = timer_add(
			server->event, &client->timer, ACCURACY_USEC, on_client_deadline, client);
	if (r < 0) {
		client_destroy(client);
		return r;
	}
	timer_start_at(client->timer, client->deadline);
	if (client->allowed)
		client_read(client); /* most have sent their command by now */
	else
		client_refuse(client, ALLOW_REFUSAL, false);
	return 0;
}

static void set_accepting(struct server *server, int enabled)
{
	for (unsigned i = 0; i < server->n_sockets; i++)
		sd_event_source_set_enabled(server->sockets[i], enabled);
}

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct server *server = userdata;

	(void)source;
	(void)usec;
	if (!server->stopping)
		set_accepting(server, SD_EVENT_ON);
	return 0;
}

static bool is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* The system has no descriptors or memory left: to accept again at once would only spin. */
static void pause_accepting(struct server *server)
{
	if (!server->starved)
		syslog(LOG_WARNING, "no connection can be accepted: %s", strerror(errno));
	server->starved = true;
	set_accepting(server, SD_EVENT_OFF);
	timer_start(server->pause, PAUSE_USEC);
}

static int accept_client(int listening, struct sockaddr_storage *from)
{
	socklen_t size = sizeof *from;

	return accept4(listening, (struct sockaddr *)from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static int on_connection(sd_event_source *source, int listening, uint32_t events, void *userdata)
{
	struct server *server = userdata;
	struct sockaddr_storage from;
	int fd, r;

	(void)source;
	(void)events;
	fd = accept_client(listening, &from);
	if (fd < 0 && is_shortage(errno) && server->n_clients > 0) {
		make_room(server);
		fd = accept_client(listening, &from);
	}
	if (fd < 0 && is_shortage(errno))
		pause_accepting(server);
	if (fd < 0)
		return 0;
	server->starved = false;
	if (server->n_clients == SERVER_CLIENTS)
		make_room(server);
	r = client_create(server, fd, &from);
	if (r < 0)
		syslog(LOG_WARNING, "a connection was dropped: %s", strerror(-r));
	return 0;
}

struct server *server_create(sd_event *event, const struct arrival_clock *clock, const char *allow,
	struct leds *leds, struct watchers *watchers)
{
	struct server *server = calloc(1, sizeof *server);
	int r;

	if (!server)
		return NULL;
	server->event = sd_event_ref(event);
	server->clock = clock;
	server->allow = allow;
	server->handler_uid = getuid();
	server->leds = leds;
	server->watchers = watchers;
	server->limit = limit_create(event, "clients");
	r = server->limit ? timer_add(event, &server->pause, ACCURACY_USEC, on_pause_over, server)
			  : -ENOMEM;
	if (r >= 0)
		r = timer_add(event, &server->stop, ACCURACY_USEC, on_stop, server);
	if (r < 0) {
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
	sd_event_source *source = NULL;
	int r;

	if (server->n_sockets == SERVER_SOCKETS)
		return -E2BIG;
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	find_handler_uid(server, fd);
	r = sd_event_add_io(server->event, &source, fd, EPOLLIN, on_connection, server);
	if (r >= 0)
		r = sd_event_source_set_ratelimit(source, ACCEPT_INTERVAL_USEC, ACCEPT_BURST);
	/*
	 * Lower priority than the clients: pending input is read before a new connection can
	 * evict its sender.
	 */
	if (r >= 0)
		r = sd_event_source_set_priority(source, SD_EVENT_PRIORITY_NORMAL + 1);
	if (r >= 0)
		r = sd_event_source_set_io_fd_own(source, true);
	if (r < 0)
		sd_event_source_disable_unref(source);
	else
		server->sockets[server->n_sockets++] = source;
	return r;
}

void server_stop(struct server *server)
{
	server->stopping = true;
	set_accepting(server, SD_EVENT_OFF);
	timer_start(server->stop, STOP_USEC);
	stop_if_done(server);
}

void server_destroy(struct server *server)
{
	if (!server)
		return;
	while (server->n_clients > 0)
		client_destroy(server->clients[server->n_clients - 1]);
	limit_destroy(server->limit);
	for (unsigned i = 0; i < server->n_sockets; i++)
		sd_event_source_disable_unref(server->sockets[i]);
	sd_event_source_disable_unref(server->pause);
	sd_event_source_disable_unref(server->stop);
	sd_event_unref(server->event);
	free(server);
}
