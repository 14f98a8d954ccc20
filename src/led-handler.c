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
#include "arrival.h"
#include "command.h"
#include "confine.h"
#include "setting.h"

/* The whole conversation with led-line, so that the client has its ERR in under 5 s. */
#define LINE_DEADLINE_MS 4000

/* The end of the process, whatever may hold it up. */
#define PROCESS_SECONDS 20

/* The first descriptor that the service manager passes: sd_listen_fds(3). */
#define LISTEN_FDS_START 3

struct connection {
	int in, out;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The descriptor from the service manager if there is one, else standard input and output. */
static struct connection get_connection(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");

	if (pid && fds && atol(pid) == (long)getpid() && atol(fds) == 1)
		return (struct connection){LISTEN_FDS_START, LISTEN_FDS_START};
	return (struct connection){STDIN_FILENO, STDOUT_FILENO};
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
 * deadline: for all of it, as of now_ms()
 * ended: set when the client can send nothing more
 * Returns NULL, or the reason why what came is no command whatever it says.
 */
static const char *read_command(int fd, uint64_t deadline, struct command *command, bool *ended)
{
	char bytes[1024];
	uint64_t quiet;
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

		quiet = now_ms() + (command->terminated ? 0 : COMMAND_QUIET_MS);
		if (!wait_for_input(fd, quiet < deadline ? quiet : deadline))
			return command->terminated || quiet < deadline
				       ? NULL
				       : "the command was not complete after 5 s";
	}
}

/* What there is of led-line: a connection, or -1 and the reason why there is none. */
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
 * Sends the command, and takes the answer without its newline.
 *
 * Returns NULL, or the reason why there is none.
 */
static const char *talk_to_line(
	const struct line *line, enum verb verb, uint64_t at, char answer[ANSWER_MAX])
{
	uint64_t deadline = now_ms() + LINE_DEADLINE_MS - line->took;
	size_t length = 0;
	ssize_t n;

	if (line->fd < 0)
		return line->why;
	n = snprintf(answer, ANSWER_MAX, "%s @%llu\n", verb_text(verb), (unsigned long long)at);
	/* Where it has closed the connection already, it may have said why. */
	if (send(line->fd, answer, (size_t)n, MSG_NOSIGNAL) != n && errno != EPIPE)
		return strerror(errno);

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
	answer[strcspn(answer, "\n")] = '\0';
	return NULL;
}

/*
 * Has led-line carry out the command.
 *
 * answer: set to led-line's answer, or to an ERR of our own
 * Returns 0, or -1 when led-line is out of reach.
 */
static int ask_line(const struct line *line, enum verb verb, uint64_t at, char answer[ANSWER_MAX])
{
	const struct address *address = line->address;
	const char *why = talk_to_line(line, verb, at, answer);

	if (!why)
		return 0;
	if (*address->path)
		snprintf(answer, ANSWER_MAX, "ERR no led-line at %s: %s", address->path, why);
	else
		snprintf(answer, ANSWER_MAX, "ERR no led-line at %.100s:%s: %s", address->host,
			address->port, why);
	return -1;
}

/*
 * Writes the answer as a line. Whoever does not want it any more need not have it,
 * and whoever does not read it does not hold us up: a socket has room for it.
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
 * Opens the log for good. Its lines are stamped with local time, and its own look at the time
 * zone's file would come too late: refused, it takes UTC. Where journald is the log, which goes
 * by its own clock, that will do.
 */
static void open_log(void)
{
	static const char JOURNALD[] = "/run/systemd/journal/dev-log";
	char target[sizeof JOURNALD] = "";

	if (readlink(_PATH_LOG, target, sizeof target) != sizeof JOURNALD - 1 ||
		strcmp(target, JOURNALD) != 0)
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

static int serve(struct connection connection, const struct address *address)
{
	uint64_t deadline = now_ms() + COMMAND_DEADLINE_MS;
	struct command command = {0};
	char quoted[COMMAND_QUOTE_MAX], who[ADDRESS_PEER_MAX], answer[ANSWER_MAX];
	struct address_peer peer;
	struct line line = {.address = address, .fd = -1, .why = "no address"};
	const char *why = "no command within 5 s", *unconfined = NULL;
	struct arrival_clock clock;
	bool ended = false, stays;
	int waiting = 0;
	enum verb verb;
	int r = 0;

	address_get_peer(connection.in, &peer); /* as long as it is there */
	if (wait_for_input(connection.in, deadline)) {
		/* Who says nothing, and goes, does not even start led-line. */
		if (ioctl(connection.in, FIONREAD, &waiting) < 0 || waiting > 0)
			connect_line(&line);
		/* What else it takes is made while led-line wakes up. */
		arrival_clock_open(&clock);
		open_log();
		/* Before anything that a stranger sent is read. */
		unconfined = confine_to_descriptors();
		why = read_command(connection.in, deadline, &command, &ended);
		if (!why)
			why = command_parse(&command, &verb, NULL);
	}
	if (why)
		snprintf(answer, sizeof answer, "ERR %s", why);
	else
		r = ask_line(&line, verb, arrival_ms(&clock, connection.in), answer);

	write_answer(connection.out, answer);
	/* Who waits for the end of the stream need not wait for the log. */
	stays = shutdown(connection.out, SHUT_WR) == 0 && why && !ended;
	/*
	 * Who connects and says nothing, a port scan, is not worth a line; not at debug level
	 * either, since LogLevelMax= does not reach what journald reads when we are gone.
	 */
	if (command.stream > 0) {
		if (unconfined)
			syslog(LOG_DEBUG, "not confined: %s", unconfined);
		syslog(r < 0 ? LOG_ERR : log_level(), "%s sent \"%s\": %s",
			address_peer_text(&peer, who), command_quote(&command, quoted), answer);
	}
	if (stays)
		drain(connection.in);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void print_help(void)
{
	printf("Usage: led-handler [--line=ADDR]\n"
	       "\n"
	       "Reads one command from a connection, has led-line carry it out, and answers.\n"
	       "The connection is descriptor 3 if the service manager passed it, else standard\n"
	       "input and output: echo LED ON | led-handler\n"
	       "\n"
	       "Commands: LED ON, LED OFF, LED TOGGLE, LED STATUS\n"
	       "\n"
	       "      --line=ADDR  where led-line listens: /path, HOST:PORT or [IPv6]:PORT\n"
	       "                   (default: $LED_LINE, else " LINE_SOCKET ")\n"
	       "      --help       show this help\n"
	       "      --version    show the version\n"
	       "\n"
	       "See led-handler(8).\n");
}

int main(int argc, char *argv[])
{
	static const struct option OPTIONS[] = {
		{"line", required_argument, NULL, 'l'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	struct setting where = {"--line", "LED_LINE", LINE_SOCKET, NULL};
	struct address line;
	const char *why;
	int c;

	while ((c = getopt_long(argc, argv, "", OPTIONS, NULL)) >= 0) {
		switch (c) {
		case 'l':
			setting_take(&where, optarg);
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
	if (why)
		setting_error(&where, why);

	signal(SIGPIPE, SIG_IGN); /* standard output may be a pipe */
	alarm(PROCESS_SECONDS);
	return serve(get_connection(), &line);
}
