/* SPDX-License-Identifier: MIT */

/*
 * led: one command from a shell, with an exit status. It sends the command where led-handler or
 * led-line listens, prints the answer, and exits.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "answer.h"
#include "arguments.h"
#include "clock.h"
#include "command.h"
#include "connection.h"
#include "descriptors.h"
#include "errand.h"
#include "key.h"
#include "text.h"

/* Room for a wrong word in a message, which has at most 200 characters. */
#define QUOTE_MAX 80

/* Where led-line is asked unless somebody says otherwise: by itself, else through led-handler. */
#define SERVERS_MAX 2
static const char *const STANDARD[SERVERS_MAX] = {LINE_SOCKET, "localhost:" ARGUMENTS_PORT};

struct client {
	struct address servers[SERVERS_MAX]; /* the first that can be connected to counts */
	unsigned n;
	const struct address *server; /* that one */
	struct connection connection;
	char command[COMMAND_MAX + sizeof "\n"];
	bool watches;
	bool has_key;
	bool in_doubt;        /* it is not known whether something has changed */
	struct answer answer; /* of the last attempt: the reason, where it has no answer */
};

static void print_help(void)
{
	printf("Usage: led [-H HOST[:PORT]|/PATH] COMMAND\n\n"
	       "Switches an LED of led-socket, and says how that ended.\n\n"
	       "  led [NAME] on|off|toggle|status\n"
	       "  led [NAME] pulse MS    on, and off again after so many milliseconds\n"
	       "  led [NAME] watch       the state now and at each change\n"
	       "  led all on|off\n"
	       "  led list               all LEDs and their states\n"
	       "  led list kinds         all LEDs and what they are\n\n"
	       "      -H HOST    the machine with the LED (default: $LED_HOST, else this one)\n"
	       "      --help     show this help\n"
	       "      --version  show the version\n\n"
	       "Exit status: 0 done, 1 refused, 2 wrong words, 3 nobody there or not known.\n"
	       "See led(1).\n");
}

/* Finds out where to connect to. Returns STATUS_DONE, or STATUS_WRONG when it has said why. */
static enum status choose_servers(struct client *client, const char *option)
{
	const char *variable = getenv("LED_HOST"), *why;
	char quoted[QUOTE_MAX];

	if (option || (variable && *variable)) {
		client->n = 1;
		why = arguments_read_host(option ? option : variable, &client->servers[0]);
		if (why && option)
			fprintf(stderr, "led: -H %s: %s\n",
				text_quote(option, quoted, sizeof quoted), why);
		else if (why)
			fprintf(stderr, "led: LED_HOST=%s: %s\n",
				text_quote(variable, quoted, sizeof quoted), why);
		return why ? STATUS_WRONG : STATUS_DONE;
	}
	for (client->n = 0; client->n < SERVERS_MAX; client->n++)
		address_parse(STANDARD[client->n], &client->servers[client->n]);
	return STATUS_DONE;
}

/* Adds a server and a reason to the answer's: "localhost:5555: Connection refused". */
static void add_reason(struct answer *answer, const struct address *server, const char *why)
{
	size_t length = strlen(answer->reason);
	char where[ADDRESS_TEXT_MAX];

	snprintf(answer->reason + length, sizeof answer->reason - length, "%s%s: %s",
		length > 0 ? "; " : "", address_text(server, where), why);
}

/* Returns whether there is a connection; if not, the answer's reason says why. */
static bool open_connection(struct client *client)
{
	*client->answer.reason = '\0';
	for (unsigned i = 0; i < client->n; i++) {
		const char *why = connection_open(&client->connection, &client->servers[i]);

		client->server = &client->servers[i];
		if (!why)
			return true;
		add_reason(&client->answer, client->server, why);
	}
	return false;
}

/* Sends the command once, and takes its answer. */
static enum outcome attempt(struct client *client)
{
	const char *why;
	char *line;

	*client->answer.output = '\0';
	if (!open_connection(client))
		return OUTCOME_UNREACHED;
	why = connection_send(&client->connection, client->command);
	if (why) {
		add_reason(&client->answer, client->server, why);
		connection_close(&client->connection, false);
		return OUTCOME_UNREACHED;
	}
	why = connection_read(&client->connection, &line, clock_usec() + CONNECTION_ANSWER_USEC);
	if (why) {
		add_reason(&client->answer, client->server, why);
		connection_close(&client->connection, false);
		return OUTCOME_UNKNOWN;
	}
	answer_read(client->watches, line, &client->answer);
	if (!client->watches)
		connection_close(&client->connection, true);
	return OUTCOME_ANSWERED;
}

static void sleep_until(uint64_t usec)
{
	const struct timespec time = {
		.tv_sec = (time_t)(usec / 1000000), .tv_nsec = (long)(usec % 1000000) * 1000};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
		;
}

/* Sends the command until it is known what became of it, or it is too late. */
static enum status carry_out(struct client *client)
{
	struct errand errand;
	enum outcome outcome;

	errand_begin(&errand, client->has_key, clock_usec());
	outcome = attempt(client);
	while (errand_go_on(&errand, outcome, client->answer.status, clock_usec())) {
		sleep_until(errand.try_at);
		outcome = attempt(client);
	}
	client->in_doubt &= errand.unknown && errand.status == STATUS_UNKNOWN;
	return errand.status;
}

/* Prints the answer. Returns the exit status: that of the command, if it could be printed. */
static enum status print(const struct client *client, enum status status)
{
	const struct answer *answer = &client->answer;

	fputs(answer->output, stdout);
	if (fflush(stdout) != 0) {
		fprintf(stderr, "led: standard output: %s\n", strerror(errno));
		return STATUS_UNKNOWN;
	}
	if (client->in_doubt)
		fprintf(stderr, "led: it is not known whether this was carried out: %s\n",
			answer->reason);
	else if (*answer->reason)
		fprintf(stderr, "led: %s\n", answer->reason);
	return status;
}

/* Prints what comes until the server ends it. Returns the exit status. */
static enum status watch(struct client *client)
{
	enum status status = STATUS_DONE;
	const char *why;
	char *line;

	while (status == STATUS_DONE) {
		why = connection_read(&client->connection, &line, CONNECTION_FOREVER);
		if (why) {
			add_reason(&client->answer, client->server, why);
			*client->answer.output = '\0';
			client->answer.status = STATUS_UNKNOWN;
		} else {
			answer_read(true, line, &client->answer);
		}
		status = print(client, client->answer.status);
	}
	return status;
}

/* Writes the command as it is sent, with a key where one is needed. */
static void write_command(struct client *client, struct request *request)
{
	bool asks = request->verb == VERB_STATUS || request->verb == VERB_LIST ||
		    request->verb == VERB_WATCH;

	if ((request->verb == VERB_TOGGLE || request->verb == VERB_PULSE) && !*request->key)
		key_make(request->key);
	command_write(request, client->command);
	strcat(client->command, "\n");
	client->watches = request->verb == VERB_WATCH;
	client->has_key = *request->key;
	client->in_doubt = !asks;
}

int main(int argc, char *argv[])
{
	static struct client client;
	struct arguments arguments;
	const char *wrong, *why;
	char quoted[QUOTE_MAX];
	enum status status;

	descriptors_fill();
	why = arguments_read(argv, &arguments, &wrong);
	if (why) {
		fprintf(stderr, "led: %s%s%s\n",
			wrong ? text_quote(wrong, quoted, sizeof quoted) : "", wrong ? ": " : "",
			why);
		return STATUS_WRONG;
	}
	if (arguments.help) {
		print_help();
		return STATUS_DONE;
	}
	if (arguments.version) {
		printf("led %s\n", VERSION);
		return STATUS_DONE;
	}
	status = choose_servers(&client, arguments.host);
	if (status != STATUS_DONE)
		return status;
	write_command(&client, &arguments.request);
	status = print(&client, carry_out(&client));
	if (status == STATUS_DONE && client.watches)
		status = watch(&client);
	return status;
}
