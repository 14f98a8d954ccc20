/* SPDX-License-Identifier: MIT */
#include "presses.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients.h"
#include "command.h"

/* How long a client waits for the broker, then it is closed: a button has given up by then. */
#define BROKER_USEC 5000000ULL

static const char UNKNOWN[] = "send LED ON, LED OFF, LED TOGGLE, LED PULSE MS or PRESS NAME; "
			      "MQTT_SEND decides which LED";

struct press {
	struct client client;
	int id;                          /* of its message */
	char published[COMMAND_MAX + 1]; /* that message's command */
};

struct presses {
	struct clients *clients;
	struct message {
		int id; /* or 0 */
		char published[COMMAND_MAX + 1];
	} messages[CLIENTS_MAX]; /* that are on their way */
	struct broker *broker;
	const struct topics *topics;
	const char *send;
	unsigned long done;
};

/* Whether a socket takes the command. */
static bool is_for_broker(const struct request *request)
{
	return !request->all && !*request->name &&
	       (request->verb == VERB_ON || request->verb == VERB_OFF ||
		       request->verb == VERB_TOGGLE || request->verb == VERB_PULSE);
}

/* Who waits for this message to be acknowledged; with 0, for any. NULL: nobody. */
static struct press *find_waiting(const struct presses *presses, int id)
{
	struct press *press;

	for (unsigned i = 0; (press = (struct press *)clients_get(presses->clients, i)); i++)
		if (press->client.state == CLIENT_WAITS && (id == 0 || press->id == id))
			break;
	return press;
}

/* The message with an ID; with 0, a free place. NULL: there is none. */
static struct message *find_message(struct presses *presses, int id)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (presses->messages[i].id == id)
			return &presses->messages[i];
	return NULL;
}

/* A message with the same command, whose client has been closed without an answer. */
static const struct message *find_abandoned(const struct presses *presses, const char *published)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		const struct message *message = &presses->messages[i];

		if (message->id && strcmp(message->published, published) == 0 &&
			!find_waiting(presses, message->id))
			return message;
	}
	return NULL;
}

static void publish(struct press *press, bool ended, const char *topic, const char *payload)
{
	struct presses *presses = press->client.userdata;
	/* A button that tries again: its press is not to be on its way twice. */
	const struct message *abandoned = find_abandoned(presses, press->published);
	struct message *place = find_message(presses, 0);
	const char *why = NULL;

	if (abandoned)
		press->id = abandoned->id;
	else
		why = broker_publish(presses->broker, topic, payload, false, &press->id);
	if (why) {
		client_answer(&press->client, ended, "ERR the broker is away: %s", why);
		return;
	}
	if (!abandoned && place) {
		place->id = press->id;
		strcpy(place->published, press->published);
	}
	/* One that has hung up still gets its press delivered. */
	client_wait(&press->client, BROKER_USEC, "no answer: the broker has not acknowledged it");
}

static void on_command(struct client *client, bool ended)
{
	const struct presses *presses = client->userdata;
	char topic[2 * TOPIC_MAX], payload[COMMAND_MAX + 1], name[COMMAND_NAME_MAX + 1];
	struct press *press = (struct press *)client;
	struct request request;

	if (command_parse_press(&client->command, name) && topics_is_button(name)) {
		snprintf(press->published, sizeof press->published, "PRESS %s", name);
		snprintf(topic, sizeof topic, "%s/%s/button/%s", presses->topics->base,
			presses->topics->host, name);
		publish(press, ended, topic, "press");
		return;
	}
	if (command_parse(&client->command, &request) || !is_for_broker(&request)) {
		client_answer(client, ended, "ERR %s", UNKNOWN);
		return;
	}
	command_write(&request, press->published);
	snprintf(topic, sizeof topic, "%s/set", presses->send);
	publish(press, ended, topic, topics_write_command(&request, payload));
}

static const struct clients_events EVENTS = {
	.size = sizeof(struct press),
	.command = on_command,
};

struct presses *presses_create(sd_event *event, struct broker *broker, const struct topics *topics,
	const char *send, struct limit *limit)
{
	struct presses *presses = calloc(1, sizeof *presses);

	if (!presses)
		return NULL;
	presses->broker = broker;
	presses->topics = topics;
	presses->send = send;
	presses->clients = clients_create(event, limit, &EVENTS, presses);
	if (!presses->clients) {
		free(presses);
		return NULL;
	}
	return presses;
}

int presses_add_socket(struct presses *presses, int fd)
{
	return clients_add_socket(presses->clients, fd);
}

void presses_acknowledged(struct presses *presses, int id, const char *why)
{
	struct press *press = find_waiting(presses, id);
	struct message *message = find_message(presses, id);

	if (message)
		message->id = 0;
	if (!press)
		return;
	if (why) {
		client_answer(&press->client, false, "ERR the broker refuses it: %s", why);
	} else {
		presses->done++;
		client_answer(&press->client, false, "OK %s", press->published);
	}
}

void presses_down(struct presses *presses)
{
	struct press *press;

	memset(presses->messages, 0, sizeof presses->messages);
	while ((press = find_waiting(presses, 0)))
		client_close(&press->client, "no answer: the connection to the broker broke");
}

unsigned long presses_done(const struct presses *presses)
{
	return presses->done;
}

void presses_stop(struct presses *presses)
{
	clients_stop(presses->clients, NULL);
}

bool presses_are_waiting(const struct presses *presses)
{
	return find_waiting(presses, 0);
}

void presses_destroy(struct presses *presses)
{
	if (!presses)
		return;
	clients_destroy(presses->clients);
	free(presses);
}
