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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "arrival.h"
#include "command.h"
#include "setting.h"

/* The whole conversation with led-line, so that the client has its ERR in under 5 s. */
#define LINE_DEADLINE_MS 4000

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

/*
 * Reads until the command has ended: a terminator, the end of the stream, quiet.
 *
 * ended: set when the client can send nothing more
 * Returns NULL, or the reason why what came is no command whatever it says.
 */
static const char *read_command(int fd, struct command *command, bool *ended)
{
	uint64_t deadline = now_ms() + COMMAND_DEADLINE_MS, now;
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	int wait = COMMAND_DEADLINE_MS;
	char bytes[1024];
	ssize_t n;
	int r;

	for (;;) {
		r = poll(&ready, 1, wait);
		if (r < 0 && errno == EINTR)
			continue;
		if (r == 0 && command->stream == 0)
			return "no command within 5 s";
		if (r == 0 && !command->terminated && wait < COMMAND_QUIET_MS)
			return "the command was not complete after 5 s";
		if (r == 0)
			return NULL;

		n = read(fd, bytes, sizeof bytes);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0) {
			*ended = true;
			return n == 0 || command->terminated ? NULL : "the connection broke";
		}
		/* A read that was filled may have left what stands behind the terminator. */
		if (command_feed(command, bytes, (size_t)n)) {
			if ((size_t)n < sizeof bytes || command->too_long || command->trailing)
				return NULL;
			wait = 0;
			continue;
		}
		now = now_ms();
		wait = now >= deadline ? 0 : (int)(deadline - now);
		if (wait > COMMAND_QUIET_MS)
			wait = COMMAND_QUIET_MS;
	}
}

/*
 * Has led-line carry out the command.
 *
 * answer: set to led-line's answer, or to an ERR of our own
 * Returns 0, or -1 when led-line is out of reach.
 */
static int ask_line(
	const struct address *line, enum verb verb, uint64_t at, char answer[ANSWER_MAX])
{
	uint64_t deadline = now_ms() + LINE_DEADLINE_MS, now;
	const char *why = "no address";
	char request[ANSWER_MAX];
	size_t length = 0;
	ssize_t n;
	int fd;

	fd = address_connect(line, LINE_DEADLINE_MS, &why);
	if (fd < 0)
		goto failed;
	why = "it closed the connection without an answer";

	n = snprintf(
		request, sizeof request, "%s @%llu\n", verb_text(verb), (unsigned long long)at);
	if (send(fd, request, (size_t)n, MSG_NOSIGNAL) != n) {
		why = strerror(errno);
		goto failed;
	}

	do {
		now = now_ms();
		if (now >= deadline) {
			why = "it does not answer";
			goto failed;
		}
		address_set_timeout(fd, (int)(deadline - now));
		n = read(fd, answer + length, ANSWER_MAX - 1 - length);
		if (n < 0 && errno == EAGAIN)
			why = "it does not answer";
		else if (n < 0)
			why = strerror(errno);
		if (n <= 0)
			goto failed;
		length += (size_t)n;
	} while (!memchr(answer, '\n', length) && length < ANSWER_MAX - 1);

	answer[length] = '\0';
	answer[strcspn(answer, "\n")] = '\0';
	close(fd);
	return 0;

failed:
	if (fd >= 0)
		close(fd);
	if (*line->path)
		snprintf(answer, ANSWER_MAX, "ERR no led-line at %s: %s", line->path, why);
	else
		snprintf(answer, ANSWER_MAX, "ERR no led-line at %.100s:%s: %s", line->host,
			line->port, why);
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
	uint64_t deadline = now_ms() + COMMAND_DRAIN_MS, now;
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	char bytes[4096];

	if (shutdown(fd, SHUT_WR) < 0)
		return;
	while ((now = now_ms()) < deadline && poll(&ready, 1, (int)(deadline - now)) > 0)
		if (read(fd, bytes, sizeof bytes) <= 0)
			return;
}

/*
 * The level of a command's line. As a unit we log above the level of what the manager says
 * about each connection, so that the unit can leave that out: INVOCATION_ID, systemd.exec(5).
 */
static int log_level(void)
{
	return getenv("INVOCATION_ID") ? LOG_NOTICE : LOG_INFO;
}

static int serve(struct connection connection, const struct address *line)
{
	struct command command = {0};
	char quoted[COMMAND_QUOTE_MAX], peer[ADDRESS_PEER_MAX], answer[ANSWER_MAX];
	enum verb verb;
	struct arrival_clock clock;
	const char *why;
	bool ended = false;
	int r = 0;

	arrival_clock_open(&clock);
	address_of_peer(connection.in, peer); /* as long as it is there */
	why = read_command(connection.in, &command, &ended);
	if (!why)
		why = command_parse(&command, &verb, NULL);
	if (why)
		snprintf(answer, sizeof answer, "ERR %s", why);
	else
		r = ask_line(line, verb, arrival_ms(&clock, connection.in), answer);

	write_answer(connection.out, answer);
	/*
	 * Who connects and says nothing, a port scan, is not worth a line; not at debug level
	 * either, since LogLevelMax= does not reach what journald reads when we are gone.
	 */
	if (command.stream > 0)
		syslog(r < 0 ? LOG_ERR : log_level(), "%s sent \"%s\": %s", peer,
			command_quote(&command, quoted), answer);
	if (why && !ended)
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
	openlog("led-handler", LOG_PID, LOG_DAEMON);
	return serve(get_connection(), &line);
}
