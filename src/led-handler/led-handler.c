/* SPDX-License-Identifier: MIT */

/*
 * led-handler: one connection, one command. It reads the command, has led-line carry it out,
 * returns the answer and exits. It links against libc alone, since every connection pays for its
 * start.
 */

#include <errno.h>
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
#include "clock.h"
#include "command.h"
#include "confine.h"
#include "descriptors.h"
#include "input.h"
#include "keepalive.h"
#include "log.h"
#include "peer.h"
#include "reply.h"
#include "settings.h"
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
	struct peer peer;
	bool allowed;
};

/* The descriptor from the service manager if there is one, else standard input and output. */
static struct connection get_connection(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");

	if (pid && fds && strtoul(pid, NULL, 10) == (unsigned long)getpid() &&
		strcmp(fds, "1") == 0)
		return (struct connection){.in = LISTEN_FDS_START, .out = LISTEN_FDS_START};
	return (struct connection){.in = STDIN_FILENO, .out = STDOUT_FILENO};
}

/*
 * Writes the answer as a line. Best effort: never blocks on a socket, and errors are ignored, since
 * the client may be gone.
 */
static void write_answer(int fd, char answer[ANSWER_MAX])
{
	size_t length = strlen(answer);

	answer[length] = '\n'; /* in place of its NUL, for as long as that takes */
	if (send(fd, answer, length + 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == ENOTSOCK)
		if (write(fd, answer, length + 1) < 0)
			syslog(LOG_DEBUG, "the answer could not be written: %s", strerror(errno));
	answer[length] = '\0';
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

/* A client's command on its way to led-line. */
struct call {
	const struct connection *connection;
	struct reader reader;
	struct request request;
	struct upstream upstream;
	struct arrival_clock clock;
	const char *unconfined; /* why this process is not confined, or NULL */
};

/* Opens all that the command may need, and confines the process before it reads the command. */
static void prepare(struct call *call, const struct address *address)
{
	/* A client that leaves without a command does not even start led-line. */
	if (!call->connection->allowed || !input_has_ended(call->connection->in))
		call->upstream = upstream_connect(address);
	/* led-line wakes up meanwhile. */
	arrival_clock_open(&call->clock);
	open_log();
	call->unconfined = confine_to_descriptors();
}

/* Returns NULL, or why there is no command. */
static const char *read_command(struct call *call)
{
	const struct connection *connection = call->connection;
	const char *why;
	uint64_t now;

	if (!connection->allowed)
		return ALLOW_REFUSAL;
	if (input_read(connection->in, &call->reader) == READING_REFUSED)
		return call->reader.why;
	why = command_parse(&call->reader.command, &call->request);
	/* Only TCP knows when bytes came. */
	if (!why)
		call->request.at = connection->peer.family == AF_UNIX
					   ? arrival_now_ms(&call->clock)
					   : arrival_ms(&call->clock, connection->in, &now);
	return why;
}

/* Sends the answer, or none, so that a client that waits for it need not wait for the log. */
static void send_reply(const struct connection *connection, enum reply_end end, char answer[])
{
	const struct linger at_once = {.l_onoff = 1};

	if (end == REPLY_RESETS) {
		setsockopt(connection->out, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
		return;
	}
	write_answer(connection->out, answer);
	if (end != REPLY_WATCHES)
		shutdown(connection->out, SHUT_WR);
}

static void log_reply(const struct call *call, enum reply_log log, const char *answer)
{
	char quoted[COMMAND_QUOTE_MAX], who[PEER_TEXT_MAX];

	if (log == REPLY_UNLOGGED)
		return;
	if (call->unconfined)
		syslog(LOG_DEBUG, "not confined: %s", call->unconfined);
	peer_text(&call->connection->peer, who);
	if (log == REPLY_LOGS_CLIENT)
		syslog(log_level(), "%s: %s", who, answer);
	else
		syslog(log == REPLY_LOGS_FAILURE ? LOG_ERR : log_level(), "%s sent \"%s\": %s", who,
			command_quote(&call->reader.command, quoted), answer);
}

static int serve(const struct connection *connection, const struct address *address)
{
	struct call call = {.connection = connection,
		.reader.deadline_usec = clock_usec() + COMMAND_SILENCE_MS * 1000ULL,
		.upstream = {.address = address, .fd = -1, .why = "no address"}};
	struct served served = {
		.allowed = connection->allowed, .why = COMMAND_SILENT, .has_room = true};
	char answer[ANSWER_MAX];
	struct reply reply;

	if (!served.allowed || input_wait(connection->in, call.reader.deadline_usec)) {
		prepare(&call, address);
		served.why = read_command(&call);
	}
	served.begun = call.reader.command.begun;
	served.ended = call.reader.ended;
	served.watches = call.request.verb == VERB_WATCH;
	if (served.why) {
		snprintf(answer, sizeof answer, "ERR %s", served.why);
	} else {
		served.outcome =
			upstream_carry_out(&call.upstream, &call.request, answer, &served.has_room);
	}
	reply = reply_decide(&served);
	send_reply(connection, reply.end, answer);
	/* led-line has counted the line of a command already. */
	if (served.why && reply.log != REPLY_UNLOGGED && !upstream_log_has_room(&call.upstream))
		reply.log = REPLY_UNLOGGED;
	log_reply(&call, reply.log, answer);
	if (reply.end == REPLY_WATCHES) {
		alarm(0);
		if (connection->peer.family != AF_UNIX)
			keepalive_start(connection->in);
		watch_pass_on(connection->in, connection->out, call.upstream.fd);
	}
	if (reply.end == REPLY_DRAINS)
		input_drain(connection->in);
	return served.outcome == UPSTREAM_ANSWERED ? EXIT_SUCCESS : EXIT_FAILURE;
}

struct options {
	struct address line;
	const char *allow;
};

static const char *take_line(const struct setting *setting, const char *value, void *options)
{
	return address_parse_line(value, &((struct options *)options)->line);
}

static const char *take_allow(const struct setting *setting, const char *value, void *options)
{
	bool allowed;

	((struct options *)options)->allow = value;
	return allow_peer(value, NULL, &allowed);
}

static const struct setting SETTINGS[] = {
	{"--line", "ADDR", "LED_LINE", LINE_SOCKET, SETTING_VALUE, take_line,
		"where led-line listens: /path, IPv4:PORT or [IPv6]:PORT", NULL},
	{"--allow", "LIST", "LED_ALLOW", "private", SETTING_TEXT, take_allow,
		"who may connect: private, any, or prefixes such as 203.0.113.0/24, with blanks "
		"between them",
		NULL},
};

static const struct settings_table TABLE = {"led-handler",
	"Reads one command from a connection, has led-line carry it out, and answers. The "
	"connection is descriptor 3 if the service manager passed it, else standard input and "
	"output, as in: echo LED ON | led-handler. Commands are LED [NAME] ON, OFF, TOGGLE, "
	"STATUS, PULSE MS or WATCH, LED ALL ON or OFF, LED LIST, and LED LIST KINDS.",
	"led-handler(8)", SETTINGS, sizeof SETTINGS / sizeof *SETTINGS};

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
	dprintf(STDERR_FILENO, "led-handler: %s\n", what);
	exit(2);
}

/*
 * Answers a client although a setting is wrong. Only those who may connect learn what is
 * wrong; while LED_ALLOW is wrong, none may.
 *
 * Returns the exit status.
 */
static int refuse(const struct connection *connection, const struct settings *settings)
{
	char answer[ANSWER_MAX] = "ERR " SETTINGS_SEE_LOG;

	open_log();
	confine_to_descriptors();
	if (connection->allowed)
		settings_error_text(&settings->errors[0], "ERR a setting is wrong", answer);
	write_answer(connection->out, answer);
	shutdown(connection->out, SHUT_WR);
	settings_log(settings);
	input_drain(connection->in);
	return 2;
}

static bool is_socket(int fd)
{
	int type;
	socklen_t size = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
}

int main(int argc, char *argv[])
{
	unsigned closed = descriptors_fill();
	struct connection connection;
	struct settings settings;
	struct options options = {0};

	settings_read(&settings, &TABLE, argv, &options);
	connection = get_connection();
	/* Where standard error is the client's socket, it is no place for messages. */
	if (settings.n_errors > 0 && !is_socket(connection.out))
		settings_exit_if_wrong(&settings);
	check_open(&connection, closed);
	peer_get(connection.in, NULL, &connection.peer);
	/* It was reset before we looked: there is no client any more, and no address. */
	if (connection.peer.family == AF_UNSPEC)
		return EXIT_SUCCESS;
	allow_peer(options.allow, &connection.peer, &connection.allowed);

	signal(SIGPIPE, SIG_IGN); /* standard output may be a pipe */
	alarm(PROCESS_SECONDS);
	if (settings.n_errors > 0)
		return refuse(&connection, &settings);
	return serve(&connection, &options.line);
}
