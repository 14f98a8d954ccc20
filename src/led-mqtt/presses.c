/* SPDX-License-Identifier: MIT */
#include "presses.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "command.h"
#include "timer.h"

#define ACCURACY_USEC 10000

/* How long a client waits for the broker, then it is closed: a button has given up by then. */
#define BROKER_USEC 5000000ULL

/* The most connections that are accepted before others have their turn. */
#define ACCEPT_BURST 100
#define ACCEPT_INTERVAL_USEC 100000

#define SOCKETS_MAX 4

static const char UNKNOWN[] = "send LED ON, LED OFF, LED TOGGLE, LED PULSE MS or PRESS NAME; "
			      "MQTT_SEND decides which LED";

struct client {
	struct presses *presses;
	int fd;
	sd_event_source *io, *timer;
	struct address_peer peer;
	struct command command;
	uint64_t deadline;               /* for the command, in microseconds of CLOCK_MONOTONIC */
	bool answered;                   /* it has its answer: what it still sends is dropped */
	int id;                          /* of its message, or 0 */
	char published[COMMAND_MAX + 1]; /* that message's command */
};

struct presses {
	sd_event *event;
	struct broker *broker;
	const struct topics *topics;
	const char *send;
	struct limit *limit;
	sd_event_source *sockets[SOCKETS_MAX];
	unsigned n_sockets;
	struct client *clients[PRESSES_CLIENTS];
	unsigned n_clients;
	unsigned long done;
};

static void client_destroy(struct client *client)
{
	struct presses *presses = client->presses;
	unsigned i = 0;

	while (presses->clients[i] != client)
		i++;
	presses->clients[i] = presses->clients[--presses->n_clients];
	sd_event_source_disable_unref(client->io);
	sd_event_source_disable_unref(client->timer);
	close(client->fd);
	free(client);
}

/* Who connects and sends nothing is not logged. */
static void client_log(const struct client *client, const char *answer)
{
	char quoted[COMMAND_QUOTE_MAX], peer[ADDRESS_PEER_MAX];

	if (client->command.begun && limit_take(client->presses->limit))
		syslog(LOG_INFO, "%s sent \"%s\": %s", address_peer_text(&client->peer, peer),
			command_quote(&client->command, quoted), answer);
}

/* Answers. The connection stays for a moment: to close with bytes unread could lose the answer. */
static void client_answer(struct client *client, const char *word, const char *text)
{
	char answer[ANSWER_MAX];
	size_t length = (size_t)snprintf(answer, sizeof answer - 1, "%s%s", word, text);

	if (length > sizeof answer - 2)
		length = sizeof answer - 2;
	client_log(client, answer);
	answer[length++] = '\n';
	/* Best effort: the client may be gone. */
	send(client->fd, answer, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	client->id = 0;
	if (shutdown(client->fd, SHUT_WR) < 0) {
		client_destroy(client);
		return;
	}
	client->answered = true;
	sd_event_source_set_io_events(client->io, EPOLLIN);
	timer_start(client->timer, COMMAND_DRAIN_MS * 1000ULL);
}

/* Whether a socket takes the command. */
static bool is_for_broker(const struct request *request)
{
	return !request->all && !*request->name &&
	       (request->verb == VERB_ON || request->verb == VERB_OFF ||
		       request->verb == VERB_TOGGLE || request->verb == VERB_PULSE);
}

static void client_publish(struct client *client, const char *topic, const char *payload)
{
	struct presses *presses = client->presses;

	if (!broker_is_up(presses->broker) ||
		!broker_publish(presses->broker, topic, payload, false, &client->id)) {
		client_answer(client, "ERR the broker is away: ", broker_text(presses->broker));
		return;
	}
	/* Nothing more is read. One that has hung up still gets its press delivered. */
	sd_event_source_set_enabled(client->io, SD_EVENT_OFF);
	timer_start(client->timer, BROKER_USEC);
}

static void client_finish(struct client *client)
{
	const struct presses *presses = client->presses;
	char topic[2 * TOPIC_MAX], payload[COMMAND_MAX + 1], name[COMMAND_NAME_MAX + 1];
	struct request request;

	if (command_parse_press(&client->command, name) && topics_is_button(name)) {
		snprintf(client->published, sizeof client->published, "PRESS %s", name);
		snprintf(topic, sizeof topic, "%s/%s/button/%s", presses->topics->base,
			presses->topics->host, name);
		client_publish(client, topic, "press");
		return;
	}
	if (command_parse(&client->command, &request) || !is_for_broker(&request)) {
		client_answer(client, "ERR ", UNKNOWN);
		return;
	}
	command_write(&request, client->published);
	snprintf(topic, sizeof topic, "%s/set", presses->send);
	client_publish(client, topic, topics_write_command(&request, payload));
}

/* Reads what is there. The client may be gone afterwards. */
static void client_read(struct client *client)
{
	bool begun = client->command.begun;
	char bytes[1024];
	uint64_t quiet;
	ssize_t n = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (client->answered) {
		if (n <= 0)
			client_destroy(client);
		return;
	}
	if (n <= 0) {
		if (client->command.begun)
			client_finish(client);
		else
			client_destroy(client);
		return;
	}
	/* After a full buffer, what follows the terminator may still be unread. */
	if (command_feed(&client->command, bytes, (size_t)n) &&
		((size_t)n < sizeof bytes || client->command.too_long)) {
		client_finish(client);
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

static int on_client_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct client *client = userdata;

	(void)source;
	if (client->id) {
		client_log(client, "no answer: the broker has not acknowledged it");
		client_destroy(client);
	} else if (client->answered) {
		client_destroy(client);
	} else if (!client->command.begun) {
		client_answer(client, "ERR ", COMMAND_SILENT);
	} else if (usec >= client->deadline) {
		client_answer(client, "ERR ", COMMAND_INCOMPLETE);
	} else {
		client_finish(client); /* quiet: that was all of it */
	}
	return 0;
}

static int on_connection(sd_event_source *source, int listening, uint32_t events, void *userdata)
{
	struct presses *presses = userdata;
	struct client *client;
	int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int r;

	(void)source;
	(void)events;
	if (fd < 0)
		return 0;
	client = presses->n_clients < PRESSES_CLIENTS ? calloc(1, sizeof *client) : NULL;
	if (!client) {
		static const char FULL[] = "ERR too many connections\n";

		send(fd, FULL, sizeof FULL - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		close(fd);
		return 0;
	}
	client->presses = presses;
	client->fd = fd;
	client->deadline = clock_usec() + COMMAND_SILENCE_MS * 1000ULL;
	address_get_peer(fd, NULL, &client->peer);
	presses->clients[presses->n_clients++] = client;
	r = sd_event_add_io(presses->event, &client->io, fd, EPOLLIN, on_client_ready, client);
	if (r >= 0)
		r = timer_add(
			presses->event, &client->timer, ACCURACY_USEC, on_client_timer, client);
	if (r < 0)
		client_destroy(client);
	else
		timer_start_at(client->timer, client->deadline);
	return 0;
}

struct presses *presses_create(sd_event *event, struct broker *broker, const struct topics *topics,
	const char *send, struct limit *limit)
{
	struct presses *presses = calloc(1, sizeof *presses);

	if (!presses)
		return NULL;
	presses->event = sd_event_ref(event);
	presses->broker = broker;
	presses->topics = topics;
	presses->send = send;
	presses->limit = limit;
	return presses;
}

int presses_add_socket(struct presses *presses, int fd)
{
	sd_event_source *source = NULL;
	int r;

	if (presses->n_sockets == SOCKETS_MAX)
		return -E2BIG;
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	r = sd_event_add_io(presses->event, &source, fd, EPOLLIN, on_connection, presses);
	if (r >= 0)
		r = sd_event_source_set_ratelimit(source, ACCEPT_INTERVAL_USEC, ACCEPT_BURST);
	if (r >= 0)
		r = sd_event_source_set_io_fd_own(source, true);
	if (r < 0)
		sd_event_source_disable_unref(source);
	else
		presses->sockets[presses->n_sockets++] = source;
	return r;
}

void presses_acknowledged(struct presses *presses, int id, const char *why)
{
	for (unsigned i = 0; i < presses->n_clients; i++) {
		struct client *client = presses->clients[i];

		if (client->id != id)
			continue;
		sd_event_source_set_enabled(client->io, SD_EVENT_ON);
		if (why) {
			client_answer(client, "ERR the broker refuses it: ", why);
		} else {
			presses->done++;
			client_answer(client, "OK ", client->published);
		}
		return;
	}
}

void presses_down(struct presses *presses)
{
	for (unsigned i = presses->n_clients; i > 0; i--) {
		struct client *client = presses->clients[i - 1];

		if (!client->id)
			continue;
		client_log(client, "no answer: the connection to the broker broke");
		client_destroy(client);
	}
}

unsigned long presses_done(const struct presses *presses)
{
	return presses->done;
}

void presses_stop(struct presses *presses)
{
	for (unsigned i = 0; i < presses->n_sockets; i++)
		sd_event_source_set_enabled(presses->sockets[i], SD_EVENT_OFF);
}

bool presses_are_waiting(const struct presses *presses)
{
	for (unsigned i = 0; i < presses->n_clients; i++)
		if (presses->clients[i]->id)
			return true;
	return false;
}

void presses_destroy(struct presses *presses)
{
	if (!presses)
		return;
	while (presses->n_clients > 0)
		client_destroy(presses->clients[presses->n_clients - 1]);
	for (unsigned i = 0; i < presses->n_sockets; i++)
		sd_event_source_disable_unref(presses->sockets[i]);
	sd_event_unref(presses->event);
	free(presses);
}
