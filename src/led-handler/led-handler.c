/* SPDX-License-Identifier: MIT */

/*
 * led-handler: one connection, one command. Reads it, has led-line carry it out,
 * hands the answer back, and is gone. Links against libc alone: what it starts up
 * is what a connection costs.
 */

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "allow.h"
#include "arrival.h"
#include "clock.h"
#include "command.h"
#include "confine.h"
#include "descriptors.h"
#include "log.h"
#include "setting.h"

/* The whole conversation with led-line. */
#define LINE_DEADLINE_MS 4000

/* The end of the process, whatever holds it up: more than all of its time limits together. */
#define PROCESS_SECONDS 45

/* The first descriptor that the service manager passes: sd_listen_fds(3). */
#define LISTEN_FDS_START 3

static const char NO_COMMAND[] = "no command within 30 s";

/* How a server answers a command with a time that is no led-line. */
static const char NOT_A_LINE[] = "ERR unknown command";

struct connection {
	int in, out;
	struct address_peer peer;
	bool allowed;
};

static uint64_t now_ms(void)
{
	return clock_usec() / 1000;
}

/* The descriptor from the service manager if there is one, else standard input and output. */
static struct connection get_connection(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");

	if (pid && fds && atol(pid) == (long)getpid() && atol(fds) == 1)
		return (struct connection){.in = LISTEN_FDS_START, .out = LISTEN_FDS_START};
	return (struct connection){.in = STDIN_FILENO, .out = STDOUT_FILENO};
}

/* Waits until there is something to read. Returns false when the time is over first. */
static bool wait_for_input(int fd, uint64_t deadline)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	uint64_t now;
	int r;

	do {
		now = now_ms();
		r = poll(&ready, 1, now >= deadline ? 0 : (int)(deadline - now));
	} while (r < 0 && errno == EINTR);
	return r != 0;
}

/*
 * Reads until the command has ended: a terminator, the end of the stream, quiet. There is
 * something to read.
 *
 * deadline: for its first byte, as of now_ms(); the rest has COMMAND_DEADLINE_MS
 * ended: set when the client can send nothing more
 * Returns NULL, or the reason why what came is no command, whatever it says.
 */
static const char *read_command(int fd, uint64_t deadline, struct command *command, bool *ended)
{
	bool begun = false;
	char bytes[1024];
	uint64_t wait;
	ssize_t n;

	for (;;) {
		n = read(fd, bytes, sizeof bytes);
		if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
			*ended = true;
			return n == 0 || command->terminated ? NULL : "the connection broke";
		}
		/* A read that was filled may have left what stands behind the terminator. */
		if (n > 0 && command_feed(command, bytes, (size_t)n) &&
			((size_t)n < sizeof bytes || command->too_long || command->trailing))
			return NULL;

		if (command->begun && !begun)
			deadline = now_ms() + COMMAND_DEADLINE_MS;
		begun = command->begun;
		wait = begun ? now_ms() + (command->terminated ? 0 : COMMAND_QUIET_MS) : deadline;
		if (wait_for_input(fd, wait < deadline ? wait : deadline))
			continue;
		if (!begun)
			return NO_COMMAND;
		return command->terminated || wait < deadline
			       ? NULL
			       : "the command was not complete after 5 s";
	}
}

/* Whether the stream has ended before anything came. Nothing is read. */
static bool has_ended(int fd)
{
	int waiting = 1;
	ssize_t n;
	char byte;

	n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && errno == ENOTSOCK)
		return ioctl(fd, FIONREAD, &waiting) == 0 && waiting == 0;
	return n == 0 || (n < 0 && errno != EAGAIN);
}

/* The connection to led-line, or -1 and the reason why there is none. */
struct line {
	const struct address *address;
	int fd;
	const char *why;
	uint64_t took; /* to connect, of LINE_DEADLINE_MS */
};

static void connect_line(struct line *line)
{
	uint64_t start = now_ms();

	line->fd = address_connect(line->address, LINE_DEADLINE_MS, &line->why);
	line->took = now_ms() - start;
}

/*
 * Sends the command to led-line: "LED ON @TIME".
 *
 * Returns NULL, or the reason why led-line does not have it.
 */
static const char *ask_line(const struct line *line, const struct request *request)
{
	char text[COMMAND_TEXT_MAX + 1];
	int n;

	if (line->fd < 0)
		return line->why;
	n = snprintf(text, sizeof text, "%s%s%s @%llu\n", verb_text(request->verb),
		*request->key ? " #" : "", request->key, (unsigned long long)request->at);
	/* Where it has closed the connection already, it may have said why. */
	if (send(line->fd, text, (size_t)n, MSG_NOSIGNAL) < 0 && errno != EPIPE)
		return strerror(errno);
	return NULL;
}

/*
 * Takes led-line's answer, without its newline.
 *
 * logged: set to whether the log has room for the command's line
 * Returns NULL, or the reason why there is none: then nobody knows what became of the command.
 */
static const char *take_answer(const struct line *line, char answer[ANSWER_MAX], bool *logged)
{
	uint64_t deadline = now_ms() + LINE_DEADLINE_MS - line->took;
	size_t length = 0;
	ssize_t n;

	do {
		if (!wait_for_input(line->fd, deadline))
			return "it does not answer";
		n = read(line->fd, answer + length, ANSWER_MAX - 1 - length);
		if (n < 0)
			return strerror(errno);
		if (n == 0)
			return "it closed the connection without an answer";
		length += (size_t)n;
	} while (!memchr(answer, '\n', length) && length < ANSWER_MAX - 1);

	answer[length] = '\0';
	length = strcspn(answer, "\n");
	*logged = length == 0 || answer[length - 1] != *ANSWER_UNLOGGED;
	answer[*logged ? length : length - 1] = '\0';
	return NULL;
}

/*
 * Writes the answer as a line. Best effort: a client that is gone misses it, and one that does
 * not read it does not hold us up, since a socket has room for it.
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
 * Reads and drops what a refused client is still sending. To close with bytes
 * unread would reset the connection, and the answer could be lost with it.
 */
static void drain(int fd)
{
	uint64_t deadline = now_ms() + COMMAND_DRAIN_MS;
	char bytes[4096];

	while (now_ms() < deadline && wait_for_input(fd, deadline))
		if (read(fd, bytes, sizeof bytes) <= 0)
			return;
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

/* What became of a command. */
enum outcome {
	ANSWERED, /* led-line's answer, or a refusal of ours */
	NOT_ASKED,
	UNKNOWN, /* led-line has it, and has not answered */
};

/*
 * Has led-line carry out a command.
 *
 * answer: set to the answer, or for the log, to what is wrong
 * logged: set to whether the log has room for the command's line
 */
static enum outcome carry_out(const struct line *line, const struct request *request,
	char answer[ANSWER_MAX], bool *logged)
{
	enum outcome outcome = NOT_ASKED;
	const char *why = ask_line(line, request);
	char where[ADDRESS_TEXT_MAX];

	if (!why) {
		outcome = UNKNOWN;
		why = take_answer(line, answer, logged);
	}
	/* Without a key, every led-line knows the command, and no other server knows the time. */
	if (!why && !*request->key && strncmp(answer, NOT_A_LINE, strlen(NOT_A_LINE)) == 0) {
		outcome = NOT_ASKED;
		why = "another led-handler listens there: LED_LINE has to be led-line's address";
	}
	if (!why)
		return ANSWERED;
	snprintf(answer, ANSWER_MAX, "%s led-line at %.120s: %s",
		outcome == UNKNOWN ? "no answer from" : "ERR no",
		address_text(line->address, where), why);
	return outcome;
}

/* Asks led-line, which counts everybody's lines, whether the log has room for a refusal. */
static bool log_has_room(const struct line *line, const struct arrival_clock *clock)
{
	const struct request status = {.verb = VERB_STATUS, .at = arrival_ms(clock, -1)};
	char answer[ANSWER_MAX];
	bool logged = true;

	if (!ask_line(line, &status))
		take_answer(line, answer, &logged);
	return logged;
}

static int serve(const struct connection *connection, const struct address *address)
{
	uint64_t deadline = now_ms() + COMMAND_SILENCE_MS;
	struct command command = {0};
	char quoted[COMMAND_QUOTE_MAX], who[ADDRESS_PEER_MAX], answer[ANSWER_MAX];
	struct line line = {.address = address, .fd = -1, .why = "no address"};
	const char *why = NO_COMMAND, *unconfined = NULL;
	enum outcome outcome = ANSWERED;
	struct arrival_clock clock;
	const struct linger at_once = {.l_onoff = 1};
	bool ended = false, logged = true, stays = false;
	struct request request;

	if (!connection->allowed || wait_for_input(connection->in, deadline)) {
		/* A client that says nothing, and goes, does not even start led-line. */
		if (!connection->allowed || !has_ended(connection->in))
			connect_line(&line);
		/* What else it takes is made while led-line wakes up. */
		arrival_clock_open(&clock);
		open_log();
		/* Before anything that a stranger sent is read. */
		unconfined = confine_to_descriptors();
		why = ALLOW_REFUSAL;
		if (connection->allowed)
			why = read_command(connection->in, deadline, &command, &ended);
		if (!why)
			why = command_parse(&command, &request);
	}
	if (why) {
		snprintf(answer, sizeof answer, "ERR %s", why);
	} else {
		request.at = arrival_ms(&clock, connection->in);
		outcome = carry_out(&line, &request, answer, &logged);
	}

	if (outcome == UNKNOWN) {
		/* An orderly end would tell a button that the command was taken: a reset does not.
		 */
		setsockopt(connection->out, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	} else {
		write_answer(connection->out, answer);
		/* A client that waits for the end of the stream need not wait for the log. */
		stays = shutdown(connection->out, SHUT_WR) == 0 && why && !ended;
	}
	/*
	 * A connection that says nothing, a port scan, is not worth a line; not at debug level
	 * either, since LogLevelMax= does not reach what journald reads when we are gone.
	 */
	if (!command.begun && connection->allowed)
		logged = false;
	else if (why)
		logged = log_has_room(&line, &clock);
	if (unconfined && logged)
		syslog(LOG_DEBUG, "not confined: %s", unconfined);
	address_peer_text(&connection->peer, who);
	if (logged && !connection->allowed)
		syslog(log_level(), "%s: %s", who, answer);
	else if (logged)
		syslog(outcome == ANSWERED ? log_level() : LOG_ERR, "%s sent \"%s\": %s", who,
			command_quote(&command, quoted), answer);
	if (stays)
		drain(connection->in);
	return outcome == ANSWERED ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void print_help(void)
{
	printf("Usage: led-handler [--line=ADDR] [--allow=LIST]\n"
	       "\n"
	       "Reads one command from a connection, has led-line carry it out, and answers.\n"
	       "The connection is descriptor 3 if the service manager passed it, else standard\n"
	       "input and output: echo LED ON | led-handler\n"
	       "\n"
	       "Commands: LED ON, LED OFF, LED TOGGLE, LED STATUS\n"
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
