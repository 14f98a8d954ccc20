/* SPDX-License-Identifier: MIT */

/* A server's clients: accepts each, reads its command, sends the answer, logs and closes it. */

#include "clients.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "clock.h"
#include "listen.h"
#include "timer.h"

/* How late a timer may be: the kernel joins wake-ups. */
#define ACCURACY_USEC 10000

/* The most connections that a socket accepts before other sockets and clients have their turn. */
#define ACCEPT_BURST 1000
#define ACCEPT_INTERVAL_USEC 100000

/* How long no connection is accepted after the system ran out of descriptors or memory. */
#define PAUSE_USEC 1000000

/*
 * New connections come after what clients have sent, so that none makes room for another while its
 * command is there. Clients that have their answer take turns with them: they may send without end.
 */
#define LOW_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 1)

#define FULL "too many connections"

struct clients {
	sd_event *event;
	struct limit *limit;
	const struct clients_events *events;
	void *userdata;
	void (*idle)(void *userdata);
	sd_event_source *pause;
	sd_event_source *sockets[CLIENTS_SOCKETS];
	unsigned n_sockets;
	struct client *clients[CLIENTS_MAX + 1]; /* the oldest first; the last may be refused */
	unsigned n;
	bool starved; /* no connection can be accepted, and the log says so */
};

/* Logs who sent what, and the outcome. A port scan, which sends nothing, is not logged. */
static void client_log(const struct client *client, const char *outcome)
{
	char quoted[COMMAND_QUOTE_MAX], peer[PEER_TEXT_MAX], origin[PEER_TEXT_MAX];

	if (!client->reader.command.begun || client->logged_elsewhere ||
		!limit_take(client->clients->limit))
		return;
	peer_text(&client->peer, peer);
	peer_text(&client->origin, origin);
	command_quote(&client->reader.command, quoted);
	if (*origin)
		syslog(LOG_INFO, "%s for %s sent \"%s\": %s", peer, origin, quoted, outcome);
	else
		syslog(LOG_INFO, "%s sent \"%s\": %s", peer, quoted, outcome);
}

static void tell_if_idle(const struct clients *clients)
{
	if (!clients->idle)
		return;
	for (unsigned i = 0; i < clients->n; i++)
		if (clients->clients[i]->state != CLIENT_ANSWERED)
			return;
	clients->idle(clients->userdata);
}

void client_close(struct client *client, const char *outcome)
{
	struct clients *clients = client->clients;
	unsigned i = 0;

	if (outcome)
		client_log(client, outcome);
	free(client->outcome);
	while (clients->clients[i] != client)
		i++;
	clients->n--;
	memmove(&clients->clients[i], &clients->clients[i + 1], (clients->n - i) * sizeof client);
	sd_event_source_disable_unref(client->io);
	sd_event_source_disable_unref(client->timer);
	close(client->fd);
	free(client);
	tell_if_idle(clients);
}

static int on_client_ready(sd_event_source *source, int fd, uint32_t events, void *userdata);
static int on_client_timer(sd_event_source *source, uint64_t usec, void *userdata);

/*
 * Has the event loop wait for the client. Most need no wait: their command is there when they are
 * accepted. Returns false if memory is short.
 */
static bool client_add_sources(struct client *client)
{
	sd_event *event = client->clients->event;

	return client->timer || (sd_event_add_io(event, &client->io, client->fd, EPOLLIN,
					 on_client_ready, client) >= 0 &&
					timer_add(event, &client->timer, ACCURACY_USEC,
						on_client_timer, client) >= 0);
}

/* Closes the client later, and has the outcome logged then. */
static void close_after(struct client *client, uint64_t usec, const char *outcome)
{
	free(client->outcome);
	client->outcome = strdup(outcome);
	timer_start(client->timer, usec);
}

void client_wait(struct client *client, uint64_t usec, const char *outcome)
{
	client->state = CLIENT_WAITS;
	if (!client_add_sources(client)) {
		client_close(client, outcome);
		return;
	}
	sd_event_source_set_enabled(client->io, SD_EVENT_OFF);
	close_after(client, usec, outcome);
}

void client_answer(struct client *client, enum client_end end, const char *format, ...)
{
	char answer[ANSWER_MAX + 1];
	size_t length;
	va_list args;

	va_start(args, format);
	vsnprintf(answer, ANSWER_MAX, format, args);
	va_end(args);
	length = strlen(answer);
	answer[length] = '\n';
	/* Best effort: never blocks, and errors are ignored, since the client may be gone. */
	if (send(client->fd, answer, length + 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		syslog(LOG_DEBUG, "the answer could not be sent: %s", strerror(errno));
	answer[length] = '\0';
	/* A client that waits for the end of the stream need not wait for the log. */
	if (shutdown(client->fd, SHUT_WR) < 0 || end == CLIENT_CLOSES || client->reader.ended ||
		!client_add_sources(client)) {
		client_close(client, answer);
		return;
	}
	client->state = CLIENT_ANSWERED;
	sd_event_source_set_enabled(client->io, SD_EVENT_ON);
	sd_event_source_set_priority(client->io, LOW_PRIORITY);
	close_after(client, COMMAND_DRAIN_MS * 1000ULL, answer);
	tell_if_idle(client->clients);
}

/* Takes bytes, or the stream's end: n is 0, or negative if it broke. */
static enum reading client_take(struct client *client, const char *bytes, ssize_t n, size_t room)
{
	const struct clients_events *events = client->clients->events;
	size_t skip = 0;

	if (n <= 0)
		return reader_end(&client->reader, n < 0);
	if (!client->opened && events->first_bytes)
		skip = events->first_bytes(client, bytes, (size_t)n);
	client->opened = true;
	return reader_take(
		&client->reader, bytes + skip, (size_t)n - skip, (size_t)n == room, clock_usec());
}

/* Goes on as the reader says. The client may be gone afterwards. */
static void client_proceed(struct client *client, enum reading reading)
{
	switch (reading) {
	case READING_MORE:
		if (client_add_sources(client))
			timer_start_at(client->timer, reader_until(&client->reader));
		else
			client_close(client, "out of memory");
		break;
	case READING_COMPLETE:
		client->clients->events->command(client);
		break;
	case READING_REFUSED:
		client_answer(client, client->reader.command.begun ? CLIENT_DRAINS : CLIENT_CLOSES,
			"ERR %s", client->reader.why);
		break;
	}
}

/* Reads what is there. The client may be gone afterwards. */
static void client_read(struct client *client)
{
	enum reading reading = READING_MORE;
	char bytes[1024];
	ssize_t n;

	while (reading == READING_MORE) {
		n = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			if (reader_until(&client->reader) <= clock_usec())
				reading = reader_quiet(&client->reader);
			break;
		}
		if (client->state == CLIENT_ANSWERED) {
			if (n <= 0)
				client_close(client, client->outcome);
			return; /* the others have their turn before more is read */
		}
		reading = client_take(client, bytes, n, sizeof bytes);
	}
	if (client->state == CLIENT_READS)
		client_proceed(client, reading);
}

static int on_client_ready(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	client_read(userdata);
	return 0;
}

static int on_client_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct client *client = userdata;

	if (client->state == CLIENT_READS)
		client_proceed(client, reader_quiet(&client->reader));
	else
		client_close(client, client->outcome);
	return 0;
}

/*
 * The client to close first: one that has its answer, else a silent one, else the oldest. Not one
 * that waits, whose command may have been carried out.
 */
static struct client *least_missed(const struct clients *clients)
{
	struct client *silent = NULL, *oldest = NULL;

	for (unsigned i = 0; i < clients->n; i++) {
		struct client *client = clients->clients[i];

		if (client->state == CLIENT_ANSWERED)
			return client;
		if (!oldest && client->state == CLIENT_READS)
			oldest = client;
		if (!silent && !client->reader.command.begun)
			silent = client;
	}
	return silent ? silent : oldest;
}

/* Closes a client for another one. Returns whether there is one to close. */
static bool make_room(struct clients *clients)
{
	struct client *client = least_missed(clients);

	if (client && client->state == CLIENT_ANSWERED)
		client_close(client, client->outcome);
	else if (client)
		client_answer(client, CLIENT_CLOSES, "ERR " FULL);
	return client != NULL;
}

/* why: the reason to refuse it, or NULL */
static int client_create(
	struct clients *clients, int fd, const struct sockaddr_storage *from, const char *why)
{
	const struct clients_events *events = clients->events;
	struct client *client = calloc(1, events->size);

	if (!client) {
		close(fd);
		return -ENOMEM;
	}
	client->userdata = clients->userdata;
	client->fd = fd;
	client->reader.deadline_usec = clock_usec() + COMMAND_SILENCE_MS * 1000ULL;
	client->clients = clients;
	peer_get(fd, from, &client->peer);
	clients->clients[clients->n++] = client;

	if (!why && events->connected)
		why = events->connected(client);
	if (why)
		client_answer(client, CLIENT_DRAINS, "ERR %s", why);
	else
		client_read(client); /* most have sent their command by now */
	return 0;
}

static void set_accepting(struct clients *clients, int enabled)
{
	for (unsigned i = 0; i < clients->n_sockets; i++)
		sd_event_source_set_enabled(clients->sockets[i], enabled);
}

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata)
{
	set_accepting(userdata, SD_EVENT_ON);
	return 0;
}

/* To accept again at once would only spin. */
static void pause_accepting(struct clients *clients)
{
	if (!clients->starved)
		syslog(LOG_WARNING, "no connection can be accepted: %s", strerror(errno));
	clients->starved = true;
	set_accepting(clients, SD_EVENT_OFF);
	timer_start(clients->pause, PAUSE_USEC);
}

static int accept_client(int listening, struct sockaddr_storage *from)
{
	socklen_t size = sizeof *from;

	return accept4(listening, (struct sockaddr *)from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static int on_connection(sd_event_source *source, int listening, uint32_t events, void *userdata)
{
	struct clients *clients = userdata;
	struct sockaddr_storage from;
	int fd, r;

	fd = accept_client(listening, &from);
	if (fd < 0 && listen_is_shortage(errno) && make_room(clients))
		fd = accept_client(listening, &from);
	if (fd < 0 && listen_is_shortage(errno))
		pause_accepting(clients);
	if (fd < 0)
		return 0;
	clients->starved = false;
	while (clients->n >= CLIENTS_MAX && make_room(clients))
		;
	r = client_create(clients, fd, &from, clients->n < CLIENTS_MAX ? NULL : FULL);
	if (r < 0)
		syslog(LOG_WARNING, "a connection was dropped: %s", strerror(-r));
	return 0;
}

struct clients *clients_create(
	sd_event *event, struct limit *limit, const struct clients_events *events, void *userdata)
{
	struct clients *clients = calloc(1, sizeof *clients);

	if (!clients)
		return NULL;
	clients->event = sd_event_ref(event);
	clients->limit = limit;
	clients->events = events;
	clients->userdata = userdata;
	if (timer_add(event, &clients->pause, ACCURACY_USEC, on_pause_over, clients) < 0) {
		clients_destroy(clients);
		return NULL;
	}
	return clients;
}

int clients_add_socket(struct clients *clients, int fd)
{
	sd_event_source *source = NULL;
	int r;

	if (clients->n_sockets == CLIENTS_SOCKETS)
		return -E2BIG;
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	r = sd_event_add_io(clients->event, &source, fd, EPOLLIN, on_connection, clients);
	if (r >= 0)
		r = sd_event_source_set_ratelimit(source, ACCEPT_INTERVAL_USEC, ACCEPT_BURST);
	if (r >= 0)
		r = sd_event_source_set_priority(source, LOW_PRIORITY);
	if (r >= 0)
		r = sd_event_source_set_io_fd_own(source, true);
	if (r < 0)
		sd_event_source_disable_unref(source);
	else
		clients->sockets[clients->n_sockets++] = source;
	return r;
}

struct client *clients_get(const struct clients *clients, unsigned i)
{
	return i < clients->n ? clients->clients[i] : NULL;
}

void clients_stop(struct clients *clients, void (*idle)(void *userdata))
{
	set_accepting(clients, SD_EVENT_OFF);
	timer_stop(clients->pause);
	clients->idle = idle;
	tell_if_idle(clients);
}

void clients_destroy(struct clients *clients)
{
	if (!clients)
		return;
	while (clients->n > 0)
		client_close(clients->clients[clients->n - 1],
			clients->clients[clients->n - 1]->outcome);
	for (unsigned i = 0; i < clients->n_sockets; i++)
		sd_event_source_disable_unref(clients->sockets[i]);
	sd_event_source_disable_unref(clients->pause);
	sd_event_unref(clients->event);
	free(clients);
}
