/* SPDX-License-Identifier: MIT */

/* The socket that buttons connect to: clients, and the messages that flight.c knows. */

#include "presses.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients.h"
#include "clock.h"
#include "command.h"
#include "flight.h"
#include "group.h"

static const char UNKNOWN[] = "send LED ON, LED OFF, LED TOGGLE, LED PULSE MS, PRESS NAME, "
			      "PRESS NAME LONG, or CONTACT NAME ON, OFF or GONE; MQTT_SEND "
			      "decides which LED";

struct press {
	struct client client;
	int ids[CONTACT_MESSAGES];       /* of messages that the broker has to acknowledge; or 0 */
	bool is_retained;                /* the broker keeps these messages */
	char published[COMMAND_MAX + 1]; /* what they say, as a command */
};

struct presses {
	struct clients *clients;
	struct flight flight;
	struct group group;
	bool sends_to_group;
	struct broker *broker;
	const struct topics *topics;
	const struct contacts *contacts;
	struct retained *retained;
	const struct follow *follow;
	const char *send;
	bool still; /* this process stood still, and has not read all that came meanwhile */
	unsigned long done;
};

/* Whether a socket takes the command. */
static bool is_for_broker(const struct request *request)
{
	return !request->all && !*request->name &&
	       (request->verb == VERB_ON || request->verb == VERB_OFF ||
		       request->verb == VERB_TOGGLE || request->verb == VERB_PULSE);
}

/* The place that a message has in a press, or NULL if it is none of its. */
static int *find_id(struct press *press, int id)
{
	for (size_t i = 0; i < CONTACT_MESSAGES; i++)
		if (press->ids[i] == id)
			return &press->ids[i];
	return NULL;
}

/* The client that waits for this message to be acknowledged; with 0, for any; or NULL. */
static struct press *find_waiting(const struct presses *presses, int id)
{
	struct press *press;

	for (unsigned i = 0; (press = (struct press *)clients_get(presses->clients, i)); i++)
		if (press->client.state == CLIENT_WAITS && (id == 0 || find_id(press, id)))
			break;
	return press;
}

/*
 * Has a message published, unless the press joins one that is on its way.
 *
 * is_new: set to whether it is a message of its own
 * Returns NULL, or the reason why there is none.
 */
static const char *send_message(
	struct press *press, unsigned i, const char *topic, const char *payload, bool *is_new)
{
	struct presses *presses = press->client.userdata;
	struct flight *flight = &presses->flight;
	const char *why;

	press->ids[i] = flight_join(flight, topic, payload, clock_usec());
	*is_new = press->ids[i] == 0;
	if (!*is_new)
		return NULL;
	if (!flight_has_room(flight))
		return "it does not acknowledge its messages";
	why = broker_publish(presses->broker, topic, payload, press->is_retained, &press->ids[i]);
	if (!why)
		flight_add(flight, press->ids[i], topic, payload, clock_usec());
	return why;
}

/* Has a client wait for its messages, or says why there are none. */
static void await(struct press *press, const char *why)
{
	if (why)
		client_answer(&press->client, CLIENT_DRAINS, "ERR the broker is away: %s", why);
	else
		/* One that has hung up still gets its press delivered. */
		client_wait(&press->client, FLIGHT_WAIT_USEC,
			"no answer: the broker has not acknowledged it");
}

/* Publishes the press of a button. */
static void publish_press(struct press *press, const char *name, bool is_long)
{
	const struct presses *presses = press->client.userdata;
	char topic[TOPIC_MAX];
	bool is_new;

	snprintf(press->published, sizeof press->published, "PRESS %s%s", name,
		is_long ? " LONG" : "");
	await(press, send_message(press, 0, topics_write_button(presses->topics, name, topic),
			     is_long ? TOPICS_LONG : TOPICS_PRESS, &is_new));
}

/* Publishes a command, where MQTT_SEND says. */
static void publish_command(struct press *press, struct request *request)
{
	struct presses *presses = press->client.userdata;
	char topic[2 * TOPIC_MAX], payload[COMMAND_MAX + 1], key[COMMAND_KEY_MAX + 1];
	const char *why;
	bool is_new;
	int id;

	strcpy(key, request->key);
	if (presses->sends_to_group && request->verb == VERB_TOGGLE)
		group_resolve(&presses->group, presses->follow, request, clock_usec());
	command_write(request, press->published);
	snprintf(topic, sizeof topic, "%s/set", presses->send);
	why = send_message(press, 0, topic, topics_write_command(request, payload), &is_new);
	id = press->ids[0];
	await(press, why);
	if (!why && is_new && (request->verb == VERB_ON || request->verb == VERB_OFF))
		group_sent(&presses->group, id, request->verb, key);
}

/* Publishes what a contact says. */
static void publish_contact(struct press *press, const struct contact_report *report)
{
	const struct presses *presses = press->client.userdata;
	struct contact_message messages[CONTACT_MESSAGES];
	unsigned n = contacts_write(presses->topics, report, messages);
	const char *why = NULL;
	bool is_new;

	command_write_contact(report, press->published);
	press->is_retained = true;
	for (unsigned i = 0; i < n && !why; i++) {
		why = send_message(press, i, messages[i].topic, messages[i].payload, &is_new);
		if (!why && is_new)
			retained_said(presses->retained, messages[i].topic, messages[i].payload,
				press->ids[i]);
		/* Half of it is on its way already. */
		if (why && i > 0) {
			client_close(&press->client, "no answer: not all could be published");
			return;
		}
	}
	await(press, why);
}

static bool has_gone(const struct client *client)
{
	struct pollfd pollfd = {.fd = client->fd};

	return poll(&pollfd, 1, 0) > 0 && pollfd.revents & POLLHUP;
}

static void on_command(struct client *client)
{
	const struct presses *presses = client->userdata;
	char name[COMMAND_NAME_MAX + 1];
	struct press *press = (struct press *)client;
	struct request request;
	struct contact_report report;
	bool is_long;

	/* The last word of a contact is true, however late it comes. */
	if (command_parse_contact(&client->reader.command, &report) &&
		topics_is_button(report.name)) {
		if (contacts_find(presses->contacts, report.name))
			publish_contact(press, &report);
		else
			client_answer(client, CLIENT_DRAINS,
				"ERR no contact is called %s: add it to MQTT_CONTACTS",
				report.name);
		return;
	}
	if (presses->still && has_gone(client)) {
		client_close(client, "too late: not published");
		return;
	}
	if (command_parse_press(&client->reader.command, name, &is_long) &&
		topics_is_button(name)) {
		publish_press(press, name, is_long);
		return;
	}
	if (command_parse(&client->reader.command, &request) || !is_for_broker(&request)) {
		client_answer(client, CLIENT_DRAINS, "ERR %s", UNKNOWN);
		return;
	}
	publish_command(press, &request);
}

static const struct clients_events EVENTS = {
	.size = sizeof(struct press),
	.command = on_command,
};

/* Whether commands go to a group; and whether this machine is in it. */
static bool is_for_group(const struct presses_options *options, bool *is_member)
{
	char group[2 * TOPIC_MAX];
	int length = snprintf(group, sizeof group, "%s/group/", options->topics->base);

	*is_member = false;
	for (unsigned i = 0; i < options->groups->n; i++)
		*is_member |= strcmp(options->send + length, options->groups->names[i]) == 0;
	return strncmp(options->send, group, (size_t)length) == 0;
}

struct presses *presses_create(sd_event *event, struct broker *broker,
	const struct presses_options *options, struct limit *limit)
{
	struct presses *presses = calloc(1, sizeof *presses);

	if (!presses)
		return NULL;
	presses->topics = options->topics;
	presses->contacts = options->contacts;
	presses->retained = options->retained;
	presses->send = options->send;
	presses->follow = options->follow;
	presses->sends_to_group = is_for_group(options, &presses->group.is_member);
	presses->broker = broker;
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

/* The broker has one of a press's messages. */
static void take_acknowledgement(struct press *press, int id, bool is_wanted)
{
	struct presses *presses = press->client.userdata;

	*find_id(press, id) = 0;
	for (size_t i = 0; i < CONTACT_MESSAGES; i++)
		if (press->ids[i])
			return;
	if (!is_wanted && !press->is_retained) {
		client_answer(
			&press->client, CLIENT_DRAINS, "ERR nobody has subscribed to its topic");
		return;
	}
	presses->done++;
	client_answer(&press->client, CLIENT_DRAINS, "OK %s", press->published);
}

void presses_acknowledged(
	struct presses *presses, int id, enum broker_outcome outcome, const char *why)
{
	struct press *press;

	flight_land(&presses->flight, id);
	group_acknowledged(&presses->group, id, outcome != BROKER_TAKEN);
	/* More than one where the first has given up in this moment. */
	while (id && (press = find_waiting(presses, id)))
		if (outcome == BROKER_REFUSED)
			client_answer(&press->client, CLIENT_DRAINS,
				"ERR the broker refuses it: %s", why);
		else
			take_acknowledgement(press, id, outcome == BROKER_TAKEN);
}

void presses_down(struct presses *presses)
{
	struct press *press;

	flight_clear(&presses->flight);
	group_down(&presses->group);
	while ((press = find_waiting(presses, 0)))
		client_close(&press->client, "no answer: the connection to the broker broke");
}

void presses_came(struct presses *presses, const char *topic, const struct request *request)
{
	size_t length = strlen(presses->send);

	if (presses->sends_to_group && strncmp(topic, presses->send, length) == 0 &&
		strcmp(topic + length, "/set") == 0 &&
		(request->verb == VERB_ON || request->verb == VERB_OFF))
		group_came(&presses->group, request->verb, clock_usec());
}

unsigned long presses_done(const struct presses *presses)
{
	return presses->done;
}

void presses_stood_still(struct presses *presses, bool still)
{
	presses->still = still;
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
