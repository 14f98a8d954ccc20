/* SPDX-License-Identifier: MIT */

/*
 * led-handler: one connection, one command. It reads the command, has led-line carry it out,
 * returns the answer and exits. It links against libc alone, since every connection pays for its
 * start.
 */

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "allow.h"
#include "arrival.h"
#include "command.h"
#include "confine.h"
#include "descriptors.h"
#include "input.h"
#include "log.h"
#include "setting.h"
#include "upstream.h"
#include "watch.h"

/*
 * The process ends after this time, whatever holds it up, unless its client watches. All time
 * limits together are shorter.
 */
#define PROCESS_SECONDS 45

/* The first descriptor that the service manager passes: sd_listen_fds(3). */
#define LISTEN_FDS_START 3

struct connection {
	int in, out;
	struct address_peer peer;
	bool allowed;
};

/* The descriptor from the service manager if there is one, else standard input and output. */
static struct connection get_connection(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");

	if (pid && fds && atol(pid) == (long)getpid() && atol(fds) == 1)
		return (struct connection){.in = LISTEN_FDS_START, .out = LISTEN_FDS_START};
	return (struct connection){.in = STDIN_FILENO, .out = STDOUT_FILENO};
}

/*
 * Writes the answer as a line. Best effort: never blocks on a socket, and errors are ignored, since
 * the client may be gone.
 */
static void write_answer(int fd, const char *answer)
{
	char line[ANSWER_MAX + 1];
	int n = snprintf(line, sizeof line, "%s\n", answer);

	if (send(fd, line, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == ENOTSOCK)
		if (write(fd, line, (size_t)n) < 0)
			syslog(LOG_DEBUG, "the answer could not be written: %s", strerror(errno));
}

/*
 * Opens the log for good. The time zone is loaded now: once confined, syslog(3) could not open
 * its file and would stamp UTC. journald goes by its own clock, and does not need it.
 */
static void open_log(void)
{
	if (!log_is_journal())
		tzset();
	openlog("led-handler", LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

/*
 * The level of a command's line. As a unit we log above the level of what the manager says
 * about each connection, so that the unit can leave that out: INVOCATION_ID, systemd.exec(5).
 */
static int log_level(void)
{
	return getenv("INVOCATION_ID") ? LOG_NOTICE : LOG_INFO;
}

static int serve(const struct connection *connection, const struct address *address)
{
	uint64_t deadline = input_now_ms() + COMMAND_SILENCE_MS;
	struct command command = {0};
	char quoted[COMMAND_QUOTE_MAX], who[ADDRESS_PEER_MAX], answer[ANSWER_MAX];
	struct upstream upstream = {.address = address, .fd = -1, .why = "no address"};
	const char *why = COMMAND_SILENT, *unconfined = NULL;
	enum outcome outcome = OUTCOME_ANSWERED;
	struct arrival_clock clock;
	const struct linger at_once = {.l_onoff = 1};
	bool ended = false, logged = true, stays = false, watches = false;
	struct request request;

	if (!connection->allowed || input_wait(connection->in, deadline)) {
		/* A client that goes without a command does not even start led-line. */
		if (!connection->allowed || !input_has_ended(connection->in))
			upstream = upstream_connect(address);
		/* led-line wakes up meanwhile. */
		arrival_clock_open(&clock);
		open_log();
		/* Later, this would not be allowed any more. */
		if (connection->peer.family != AF_UNIX)
			descriptors_keep_alive(connection->in);
		/* Before anything that a stranger sent is read. */
		unconfined = confine_to_descriptors();
		why = ALLOW_REFUSAL;
		if (connection->allowed)
			why = input_read_command(connection->in, deadline, &command, &ended);
		if (!why)
			why = command_parse(&command, &request);
	}
	if (why) {
		snprintf(answer, sizeof answer, "ERR %s", why);
	} else {
		request.at = arrival_ms(&clock, connection->in);
		outcome = upstream_carry_out(&upstream, &request, answer, &logged);
	}

	watches = !why && request.verb == VERB_WATCH && outcome == OUTCOME_ANSWERED;
	if (watches) {
		write_answer(connection->out, answer);
	} else if (outcome == OUTCOME_UNKNOWN) {
		/* A reset: a button takes an orderly end for a delivery. */
		setsockopt(connection->out, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	} else {
		write_answer(connection->out, answer);
		/* A client that waits for the end of the stream need not wait for the log. */
		stays = shutdown(connection->out, SHUT_WR) == 0 && why && !ended;
	}
	/*
	 * A connection that says nothing, such as a port scan, leaves no line in the log. Debug
	 * level would not do: LogLevelMax= has no effect on what journald reads after our end.
	 */
	if (!command.begun && connection->allowed)
		logged = false;
	else if (why)
		logged = upstream_log_has_room(&upstream, arrival_ms(&clock, -1));
	if (unconfined && logged)
		syslog(LOG_DEBUG, "not confined: %s", unconfined);
	address_peer_text(&connection->peer, who);
	if (logged && !connection->allowed)
		syslog(log_level(), "%s: %s", who, answer);
	else if (logged)
		syslog(outcome == OUTCOME_ANSWERED ? log_level() : LOG_ERR, "%s sent \"%s\": %s",
			who, command_quote(&command, quoted), answer);
	if (watches) {
		alarm(0);
		watch_pass_on(connection->in, connection->out, upstream.fd);
	}
	if (stays)
		input_drain(connection->in);
	return outcome == OUTCOME_ANSWERED ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void print_help(void)
{
	printf("Usage: led-handler [--line=ADDR] [--allow=LIST]\n"
	       "\n"
	       "Reads one command from a connection, has led-line carry it out, and answers.\n"
	       "The connection is descriptor 3 if the service manager passed it, else standard\n"
	       "input and output: echo LED ON | led-handler\n"
	       "\n"
	       "Commands: LED [NAME] ON, OFF, TOGGLE, STATUS, PULSE MS or WATCH;\n"
	       "LED ALL ON or OFF; LED LIST\n"
	       "\n"
	       "      --line=ADDR  where led-line listens: /path, IPv4:PORT or [IPv6]:PORT\n"
	       "                   (default: $LED_LINE, else " LINE_SOCKET ")\n"
	       "      --allow=LIST who may connect: private, any, or prefixes such as\n"
	       "                   203.0.113.0/24, with blanks between them\n"
	       "                   (default: $LED_ALLOW, else private)\n"
	       "      --help       show this help\n"
	       "      --version    show the version\n"
	       "\n"
	       "See led-handler(8).\n");
}

/* Exits where there is nothing to read a command from, or to write its answer to. */
static void check_open(const struct connection *connection, unsigned closed)
{
	const char *what = NULL;

	if (closed & 1U << connection->out)
		what = "standard output is closed: there is nowhere to write the answer to";
	if (closed & 1U << connection->in)
		what = connection->in == STDIN_FILENO
			       ? "standard input is closed: there is no command to read"
			       : "descriptor 3 is closed, though LISTEN_FDS passes it";
	if (!what)
		return;
	fprintf(stderr, "led-handler: %s\n", what);
	exit(2);
}

int main(int argc, char *argv[])
{
	static const struct option OPTIONS[] = {
		{"line", required_argument, NULL, 'l'},
		{"allow", required_argument, NULL, 'a'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	struct setting where = {"--line", "LED_LINE", LINE_SOCKET, NULL};
	struct setting allow = {"--allow", "LED_ALLOW", "private", NULL};
	unsigned closed = descriptors_fill();
	struct connection connection;
	struct sockaddr_storage storage;
	struct address line;
	const char *why;
	int c;

	while ((c = getopt_long(argc, argv, "", OPTIONS, NULL)) >= 0) {
		switch (c) {
		case 'l':
			setting_take(&where, optarg);
			break;
		case 'a':
			setting_take(&allow, optarg);
			break;
		case 'h':
			print_help();
			return EXIT_SUCCESS;
		case 'V':
			printf("led-handler %s\n", VERSION);
			return EXIT_SUCCESS;
		default:
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "led-handler: unexpected argument '%s'\n", argv[optind]);
		return 2;
	}
	setting_complete(&where);
	why = address_parse(where.value, &line);
	if (!why && address_sockaddr(&line, &storage) == 0)
		why = "names are not looked up here: an address is a number or a path";
	if (why)
		setting_error(&where, why);
	setting_complete(&allow);
	connection = get_connection();
	check_open(&connection, closed);
	address_get_peer(connection.in, NULL, &connection.peer);
	why = allow_peer(allow.value, &connection.peer, &connection.allowed);
	if (why)
		setting_error(&allow, why);
	/* It was reset before we looked: there is no client any more, and no address. */
	if (connection.peer.family == AF_UNSPEC)
		return EXIT_SUCCESS;

	signal(SIGPIPE, SIG_IGN); /* standard output may be a pipe */
	alarm(PROCESS_SECONDS);
	return serve(&connection, &line);
}
