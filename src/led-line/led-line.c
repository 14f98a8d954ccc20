/* SPDX-License-Identifier: MIT */

/* led-line: holds the lines of LEDs, and carries out the commands that come to its sockets. */

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
#include "arrival.h"
#include "confine.h"
#include "definition.h"
#include "descriptors.h"
#include "led.h"
#include "leds.h"
#include "listen.h"
#include "log.h"
#include "server.h"
#include "setting.h"
#include "store.h"
#include "watchers.h"

#define LISTEN_ADDRESSES 16

struct options {
	struct setting initial, allow;
	struct definition definitions[LEDS_MAX];
	struct led *leds[LEDS_MAX];
	unsigned n_leds;
	struct address listen[LISTEN_ADDRESSES];
	unsigned n_listen;
};

struct program {
	sd_event *event;
	struct arrival_clock clock;
	struct leds *leds;
	struct watchers *watchers;
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
	       "Holds the lines of LEDs and carries out commands such as LED ON, one per\n"
	       "connection.\n"
	       "\n"
	       "      --led=[NAME=]SPEC\n"
	       "                      an LED; again for more. SPEC is gpio:LINE,\n"
	       "                      gpio:CHIP/OFFSET, leds:NAME or log, and behind it with\n"
	       "                      commas: initial=WHAT, pulse=MS, for gpio active-low, too\n"
	       "                      (default: $LED, with blanks between them, else\n"
	       "                      gpio:GPIO17)\n"
	       "      --initial=WHAT  off, on or last: the first state of an LED without initial=\n"
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

static void add_led(struct options *options, const struct setting *setting)
{
	const char *why = "too many LEDs: there may be 32";
	struct definition *definition = &options->definitions[options->n_leds];

	if (options->n_leds < LEDS_MAX)
		why = definition_parse(setting->value, definition);
	for (unsigned i = 0; i < options->n_leds && !why; i++)
		if (strcmp(options->definitions[i].name, definition->name) == 0)
			why = "another LED has this name; one without a name is called led";
	if (!why)
		options->leds[options->n_leds++] =
			led_create(definition_name(definition), definition->spec, &why);
	if (why)
		setting_error(setting, why);
}

/* Completes a setting whose variable may have several words, and adds each. */
static void add_words(struct options *options, struct setting *setting,
	void (*add)(struct options *options, const struct setting *setting))
{
	struct setting one;
	char *words, *rest;

	setting_complete(setting);
	one = *setting;
	words = rest = strdup(setting->value);
	while ((one.value = strsep(&rest, " \t\n")))
		if (*one.value)
			add(options, &one);
	free(words);
}

/* The environment sets what no option has set. */
static void read_environment(struct options *options)
{
	struct setting listen = {"--listen", "LED_LISTEN", LINE_SOCKET, NULL};
	struct setting led = {"--led", "LED", "gpio:GPIO17", NULL};

	setting_complete(&options->initial);
	setting_complete(&options->allow);
	if (options->n_listen == 0)
		add_words(options, &listen, add_listen);
	if (options->n_listen == 0)
		setting_error(&listen, "no address");
	if (options->n_leds == 0)
		add_words(options, &led, add_led);
	if (options->n_leds == 0)
		setting_error(&led, "no LED");
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
	struct setting led = {"--led", "LED", NULL, NULL};
	int c;

	while ((c = getopt_long(argc, argv, "", OPTIONS, NULL)) >= 0) {
		switch (c) {
		case LED:
			setting_take(&led, optarg);
			add_led(options, &led);
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

/* Completes the LEDs' definitions. */
static void set_initial(struct options *options)
{
	const char *why;
	enum initial initial;

	why = definition_parse_initial(options->initial.value, &initial);
	if (why)
		setting_error(&options->initial, why);
	for (unsigned i = 0; i < options->n_leds; i++)
		if (options->definitions[i].initial == INITIAL_UNSET)
			options->definitions[i].initial = initial;
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
		} else if (!leds_inherit(program->leds, fd, names[i])) {
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

/* Creates the LEDs. Returns 0 or a negative errno. */
static int add_leds(struct program *program, const struct options *options)
{
	int r = 0;

	program->leds = leds_create(program->event, &program->clock);
	if (!program->leds)
		return -ENOMEM;
	for (unsigned i = 0; i < options->n_leds && r >= 0; i++)
		r = leds_add(program->leds, &options->definitions[i], options->leds[i]);
	return r;
}

static int set_up(struct program *program, const struct options *options)
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
	arrival_clock_open(&program->clock);
	if (r >= 0)
		r = add_leds(program, options);
	if (r < 0)
		return r;
	program->watchers = watchers_create(program->event, program->leds);
	if (!program->watchers)
		return -ENOMEM;
	program->server = server_create(program->event, &program->clock, options->allow.value,
		program->leds, program->watchers);
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
	leds_start(program->leds, program->let_go);
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
		.initial = {"--initial", "LED_INITIAL", "off", NULL},
		.allow = {"--allow", "LED_ALLOW", "private", NULL},
	};
	struct program program = {.clock.fd = -1};
	const char *why;
	bool allowed;
	int r;

	descriptors_fill();
	parse_argv(argc, argv, &options);
	read_environment(&options);
	set_initial(&options);
	why = allow_peer(options.allow.value, NULL, &allowed);
	if (why)
		setting_error(&options.allow, why);

	log_open("led-line");
	r = set_up(&program, &options);
	if (r >= 0) {
		sd_notify(0, "READY=1");
		r = sd_event_loop(program.event);
	}
	if (r < 0 && !program.explained)
		syslog(LOG_ERR, "%s", strerror(-r));

	server_destroy(program.server);
	for (unsigned i = 0; i < program.n_made; i++)
		remove_made(&program.made[i]);
	watchers_destroy(program.watchers);
	leds_destroy(program.leds);
	for (unsigned i = 0; i < options.n_leds; i++)
		led_destroy(options.leds[i]);
	arrival_clock_close(&program.clock);
	sd_event_unref(program.event);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
