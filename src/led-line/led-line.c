/* SPDX-License-Identifier: MIT */

/* led-line: holds the LED's line, and carries out the commands that come to its sockets. */

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "address.h"
#include "allow.h"
#include "confine.h"
#include "descriptors.h"
#include "holder.h"
#include "led.h"
#include "listen.h"
#include "log.h"
#include "server.h"
#include "setting.h"
#include "store.h"

#define LISTEN_ADDRESSES 16

struct options {
	struct setting led, initial, allow;
	struct address listen[LISTEN_ADDRESSES];
	unsigned n_listen;
};

struct program {
	sd_event *event;
	struct holder *holder;
	struct server *server;
	unsigned n_sockets;
	struct made {
		const char *path;
		struct stat st;
	} made[LISTEN_ADDRESSES]; /* sockets with paths, ours to remove */
	unsigned n_made;
	bool let_go;    /* a descriptor from the store was not for us, and was removed */
	bool explained; /* the reason why the program ends is logged already */
};

static void print_help(void)
{
	printf("Usage: led-line [OPTION]...\n"
	       "\n"
	       "Holds the line of an LED and carries out LED ON, LED OFF, LED TOGGLE and\n"
	       "LED STATUS, one command per connection.\n"
	       "\n"
	       "      --led=SPEC      gpio:LINE, gpio:CHIP/OFFSET (,active-low behind it),\n"
	       "                      leds:NAME or log (default: $LED, else gpio:GPIO17)\n"
	       "      --initial=WHAT  off, on or last: the LED's first state\n"
	       "                      (default: $LED_INITIAL, else off)\n"
	       "      --listen=ADDR   /path, HOST:PORT, [IPv6]:PORT or PORT; again for more\n"
	       "                      (default: $LED_LISTEN, with blanks between them, else\n"
	       "                      " LINE_SOCKET "); not used when the service manager\n"
	       "                      passes sockets or standard input is one\n"
	       "      --allow=LIST    who may connect over the network: private, any, or prefixes\n"
	       "                      such as 203.0.113.0/24, with blanks between them\n"
	       "                      (default: $LED_ALLOW, else private)\n"
	       "      --help          show this help\n"
	       "      --version       show the version\n"
	       "\n"
	       "See led-line(8).\n");
}

static void add_listen(struct options *options, const struct setting *setting)
{
	const char *why = "too many addresses";

	if (options->n_listen < LISTEN_ADDRESSES)
		why = address_parse(setting->value, &options->listen[options->n_listen++]);
	if (why)
		setting_error(setting, why);
}

/* The addresses of a list with blanks between them. */
static void add_listen_list(struct options *options, const char *list)
{
	char *copy = strdup(list), *rest = copy, *text;

	while ((text = strsep(&rest, " \t"))) {
		const struct setting one = {"--listen", "LED_LISTEN", text, "LED_LISTEN"};

		if (*text)
			add_listen(options, &one);
	}
	free(copy);
}

/* The environment sets what no option has set. */
static void read_environment(struct options *options)
{
	struct setting listen = {"--listen", "LED_LISTEN", LINE_SOCKET, NULL};

	setting_complete(&options->led);
	setting_complete(&options->initial);
	setting_complete(&options->allow);
	setting_complete(&listen);
	if (options->n_listen == 0)
		add_listen_list(options, listen.value);
	if (options->n_listen == 0)
		setting_error(&listen, "no address");
}

static void parse_argv(int argc, char *argv[], struct options *options)
{
	enum { LED = 1, INITIAL, LISTEN, ALLOW, HELP, VERSION_ };
	static const struct option OPTIONS[] = {
		{"led", required_argument, NULL, LED},
		{"initial", required_argument, NULL, INITIAL},
		{"listen", required_argument, NULL, LISTEN},
		{"allow", required_argument, NULL, ALLOW},
		{"help", no_argument, NULL, HELP},
		{"version", no_argument, NULL, VERSION_},
		{0},
	};
	struct setting listen = {"--listen", "LED_LISTEN", NULL, NULL};
	int c;

	while ((c = getopt_long(argc, argv, "", OPTIONS, NULL)) >= 0) {
		switch (c) {
		case LED:
			setting_take(&options->led, optarg);
			break;
		case INITIAL:
			setting_take(&options->initial, optarg);
			break;
		case LISTEN:
			setting_take(&listen, optarg);
			add_listen(options, &listen);
			break;
		case ALLOW:
			setting_take(&options->allow, optarg);
			break;
		case HELP:
			print_help();
			exit(EXIT_SUCCESS);
		case VERSION_:
			printf("led-line %s\n", VERSION);
			exit(EXIT_SUCCESS);
		default:
			exit(2);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "led-line: unexpected argument '%s'\n", argv[optind]);
		exit(2);
	}
}

static enum initial parse_initial(const struct setting *setting)
{
	if (strcmp(setting->value, "off") == 0)
		return INITIAL_OFF;
	if (strcmp(setting->value, "on") == 0)
		return INITIAL_ON;
	if (strcmp(setting->value, "last") == 0)
		return INITIAL_LAST;
	setting_error(setting, "it is off, on or last");
}

static bool is_listening(int fd)
{
	return sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) > 0;
}

static int serve(struct program *program, int fd)
{
	int r = server_add_socket(program->server, fd);

	if (r >= 0)
		program->n_sockets++;
	return r;
}

/* Closes a descriptor from the store that we have no use for. */
static void let_go(struct program *program, int fd, const char *name)
{
	if (!store_knows(name))
		syslog(LOG_NOTICE, "closing the unknown descriptor \"%s\"", name);
	else
		syslog(LOG_DEBUG, "closing \"%s\", which belongs to another LED", name);
	close(fd);
	store_remove(name);
	program->let_go = true;
}

/*
 * Takes the descriptors that the service manager passes: listening sockets, and those that an
 * earlier process stored. A descriptor of another LED, or of a newer version, is closed and
 * removed from the store. This comes before a line is requested: it may still hold that line.
 */
static int take_passed(struct program *program, char *const *names, int n)
{
	int r = 0;

	for (int i = 0; i < n; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		if (r >= 0 && is_listening(fd)) {
			r = serve(program, fd);
		} else if (!holder_inherit(program->holder, fd, names[i])) {
			let_go(program, fd, names[i]);
		}
	}
	if (program->let_go)
		store_flush();
	return r;
}

/* Opens a socket of our own. Returns 0, or a negative errno and has said why. */
static int listen_ourselves(struct program *program, const struct address *address)
{
	char text[ADDRESS_TEXT_MAX];
	int fds[LISTEN_MAX], n, r = 0;
	const char *why = "no address";

	n = listen_on(address, fds, &why);
	if (n < 0) {
		syslog(LOG_ERR, "cannot listen on %s: %s", address_text(address, text), why);
		program->explained = true;
		return -EADDRNOTAVAIL;
	}
	if (*address->path) {
		struct made *made = &program->made[program->n_made++];

		made->path = address->path;
		lstat(made->path, &made->st);
	}
	for (int i = 0; i < n && r >= 0; i++)
		r = serve(program, fds[i]);
	return r;
}

/* Whether sockets were passed: among the service manager's n descriptors, or by inetd. */
static bool has_sockets(int n)
{
	for (int i = 0; i < n; i++)
		if (is_listening(SD_LISTEN_FDS_START + i))
			return true;
	return is_listening(STDIN_FILENO);
}

/*
 * Confines the process. With passed sockets it connects to nothing but the log, so connecting is
 * forbidden: a passed socket belongs to the network of its maker, and could reach hosts that the
 * unit must not (PrivateNetwork=).
 */
static void confine(bool has_its_sockets)
{
	const char *why =
		has_its_sockets && log_connect() ? confine_to_server() : confine_to_program();

	if (why)
		syslog(LOG_DEBUG, "not confined: %s", why);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct program *program = userdata;

	(void)source;
	(void)info;
	sd_notify(0, "STOPPING=1");
	server_stop(program->server);
	return 0;
}

static int set_up(struct program *program, const struct options *options, struct led *led,
	enum initial initial)
{
	char **names = NULL;
	int n, r;

	/* First of all: later, a descriptor of ours could be taken for a passed one. */
	n = sd_listen_fds_with_names(true, &names);
	if (n < 0)
		return n;
	confine(has_sockets(n));

	r = sd_event_default(&program->event);
	if (r >= 0)
		r = sd_event_set_watchdog(program->event, true);
	if (r < 0)
		return r;
	program->holder = holder_create(program->event, led, initial);
	if (!program->holder)
		return -ENOMEM;
	program->server = server_create(
		program->event, options->allow.value, holder_carry_out, program->holder);
	if (!program->server)
		return -ENOMEM;
	r = sd_event_add_signal(
		program->event, NULL, SIGTERM | SD_EVENT_SIGNAL_PROCMASK, on_signal, program);
	if (r >= 0)
		r = sd_event_add_signal(program->event, NULL, SIGINT | SD_EVENT_SIGNAL_PROCMASK,
			on_signal, program);
	if (r < 0)
		return r;

	r = take_passed(program, names, n);
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
	if (r >= 0 && program->n_sockets == 0 && is_listening(STDIN_FILENO))
		r = serve(program, STDIN_FILENO);
	if (r >= 0 && program->n_sockets == 0)
		for (unsigned i = 0; i < options->n_listen && r >= 0; i++)
			r = listen_ourselves(program, &options->listen[i]);
	if (r < 0)
		return r;
	holder_start(program->holder, program->let_go);
	return 0;
}

/* Removes a socket's path if it is still ours. */
static void remove_made(const struct made *made)
{
	struct stat st;

	if (lstat(made->path, &st) == 0 && st.st_dev == made->st.st_dev &&
		st.st_ino == made->st.st_ino)
		unlink(made->path);
}

int main(int argc, char *argv[])
{
	struct options options = {
		.led = {"--led", "LED", "gpio:GPIO17", NULL},
		.initial = {"--initial", "LED_INITIAL", "off", NULL},
		.allow = {"--allow", "LED_ALLOW", "private", NULL},
	};
	struct program program = {0};
	enum initial initial;
	struct led *led;
	const char *why;
	bool allowed;
	int r;

	descriptors_fill();
	parse_argv(argc, argv, &options);
	read_environment(&options);
	initial = parse_initial(&options.initial);
	why = allow_peer(options.allow.value, NULL, &allowed);
	if (why)
		setting_error(&options.allow, why);
	led = led_create(options.led.value, &why);
	if (!led)
		setting_error(&options.led, why);

	log_open("led-line");
	r = set_up(&program, &options, led, initial);
	if (r >= 0) {
		sd_notify(0, "READY=1");
		r = sd_event_loop(program.event);
	}
	if (r < 0 && !program.explained)
		syslog(LOG_ERR, "%s", strerror(-r));

	server_destroy(program.server);
	for (unsigned i = 0; i < program.n_made; i++)
		remove_made(&program.made[i]);
	holder_destroy(program.holder);
	led_destroy(led);
	sd_event_unref(program.event);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
