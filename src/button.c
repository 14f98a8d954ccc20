/* SPDX-License-Identifier: MIT */

/* button: each press of a button sends the next command of a list to the LED's server. */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "../hal/button.h"
#include "address.h"
#include "command.h"
#include "debounce.h"
#include "delivery.h"
#include "log.h"

/* A button that is missing is looked for this often. */
#define REOPEN_USEC 2000000
#define ACCURACY_USEC 500000

#define COMMANDS_MAX 32

struct options {
	const char *button, *connect;
	const char *commands[COMMANDS_MAX];
	unsigned n_commands;
	unsigned debounce_ms, retry_s;
};

struct program {
	sd_event *event;
	struct button *button;
	struct debounce debounce;
	uint64_t quiet_usec;
	struct delivery *delivery;
	sd_event_source *io, *reopen;
	char trouble[BUTTON_WHY_MAX]; /* why there is no button, or "" */
	char counts[512];
};

static void print_help(void)
{
	printf("Usage: button [OPTION]...\n"
	       "\n"
	       "Sends the next command of a list to the LED's server at each press of a button.\n"
	       "\n"
	       "      --button=SPEC    gpio:LINE, gpio:CHIP/OFFSET (,active-high behind it), or\n"
	       "                       fifo:PATH (default: $BUTTON, else gpio:GPIO4)\n"
	       "      --connect=ADDR   the server: HOST:PORT, [IPv6]:PORT or /path\n"
	       "                       (default: $BUTTON_CONNECT, else 127.0.0.1:5555)\n"
	       "      --command=TEXT   a command; again for each of the list\n"
	       "                       (default: $BUTTON_COMMANDS, with commas between them,\n"
	       "                       else LED ON, LED OFF)\n"
	       "      --debounce=MS    quiet that ends a contact's bouncing\n"
	       "                       (default: $BUTTON_DEBOUNCE, else 15)\n"
	       "      --retry=SECONDS  how long to go on trying to deliver a press\n"
	       "                       (default: $BUTTON_RETRY, else 10)\n"
	       "      --help           show this help\n"
	       "      --version        show the version\n"
	       "\n"
	       "See button.service(8).\n");
}

/* Says what is wrong with an option or its variable, and ends the program. */
__attribute__((noreturn)) static void usage_error(
	const char *option, const char *value, const char *why)
{
	fprintf(stderr, "button: %s=%s: %s\n", option, value, why);
	exit(2);
}

static unsigned read_number(const char *option, const char *text, unsigned limit)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || value > limit)
		usage_error(option, text, "not a number, or too large");
	return (unsigned)value;
}

static void add_command(struct options *options, const char *option, const char *text)
{
	if (options->n_commands == COMMANDS_MAX)
		usage_error(option, text, "too many commands");
	if (!*text || strlen(text) > COMMAND_MAX)
		usage_error(option, text, "a command has 1 to 64 bytes");
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			usage_error(option, text, "a command has no control characters");
	options->commands[options->n_commands++] = text;
}

/* Cuts a list with commas into commands, in place. */
static void add_commands(struct options *options, const char *option, char *list)
{
	char *rest = list, *text;

	while ((text = strsep(&rest, ",")))
		add_command(options, option, text + strspn(text, " "));
}

static void read_environment(struct options *options)
{
	const char *value;

	if ((value = getenv("BUTTON")) && *value)
		options->button = value;
	if ((value = getenv("BUTTON_CONNECT")) && *value)
		options->connect = value;
	if ((value = getenv("BUTTON_DEBOUNCE")) && *value)
		options->debounce_ms = read_number("BUTTON_DEBOUNCE", value, 10000);
	if ((value = getenv("BUTTON_RETRY")) && *value)
		options->retry_s = read_number("BUTTON_RETRY", value, 86400);
}

static void parse_argv(int argc, char *argv[], struct options *options)
{
	enum { BUTTON = 1, CONNECT, COMMAND, DEBOUNCE, RETRY, HELP, VERSION_ };
	static const struct option OPTIONS[] = {
		{"button", required_argument, NULL, BUTTON},
		{"connect", required_argument, NULL, CONNECT},
		{"command", required_argument, NULL, COMMAND},
		{"debounce", required_argument, NULL, DEBOUNCE},
		{"retry", required_argument, NULL, RETRY},
		{"help", no_argument, NULL, HELP},
		{"version", no_argument, NULL, VERSION_},
		{0},
	};
	char *list;
	int c;

	while ((c = getopt_long(argc, argv, "", OPTIONS, NULL)) >= 0) {
		switch (c) {
		case BUTTON:
			options->button = optarg;
			break;
		case CONNECT:
			options->connect = optarg;
			break;
		case COMMAND:
			add_command(options, "--command", optarg);
			break;
		case DEBOUNCE:
			options->debounce_ms = read_number("--debounce", optarg, 10000);
			break;
		case RETRY:
			options->retry_s = read_number("--retry", optarg, 86400);
			break;
		case HELP:
			print_help();
			exit(EXIT_SUCCESS);
		case VERSION_:
			printf("button %s\n", VERSION);
			exit(EXIT_SUCCESS);
		default:
			exit(2);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "button: unexpected argument '%s'\n", argv[optind]);
		exit(2);
	}
	list = getenv("BUTTON_COMMANDS");
	if (options->n_commands == 0 && list && *list)
		add_commands(options, "BUTTON_COMMANDS", list);
	if (options->n_commands == 0) {
		add_command(options, "--command", "LED ON");
		add_command(options, "--command", "LED OFF");
	}
}

static void tell_manager(const struct program *program)
{
	sd_notifyf(0, "STATUS=%s: %s%s%s", button_spec(program->button), program->trouble,
		*program->trouble ? "; " : "", program->counts);
}

static void on_delivery(void *userdata, const struct delivery_counts *counts)
{
	struct program *program = userdata;

	snprintf(program->counts, sizeof program->counts,
		"%lu presses, %lu delivered, %lu dropped, %u waiting%s%s", counts->pressed,
		counts->delivered, counts->dropped, counts->waiting, *counts->last ? "; " : "",
		counts->last);
	tell_manager(program);
}

/* The button is missing: said once, and looked for until it is there. */
static void lose_button(struct program *program, const char *why)
{
	program->io = sd_event_source_disable_unref(program->io);
	button_close(program->button);
	if (strcmp(program->trouble, why) != 0)
		syslog(LOG_WARNING, "button %s: %s; waiting for it", button_spec(program->button),
			why);
	snprintf(program->trouble, sizeof program->trouble, "%s", why);
	tell_manager(program);
	sd_event_source_set_time_relative(program->reopen, REOPEN_USEC);
	sd_event_source_set_enabled(program->reopen, SD_EVENT_ONESHOT);
}

static int on_button(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct program *program = userdata;
	struct button_event event;
	char why[BUTTON_WHY_MAX];
	int r;

	(void)source;
	(void)fd;
	while ((r = button_next(program->button, &event, why)) > 0) {
		if (button_bounces(program->button)
				? debounce_edge(&program->debounce, event.at, event.pressed)
				: event.pressed)
			delivery_press(program->delivery);
	}
	if (r < 0)
		lose_button(program, why);
	else if (events & (EPOLLERR | EPOLLHUP))
		lose_button(program, "the device is gone");
	return 0;
}

static void find_button(struct program *program)
{
	char why[BUTTON_WHY_MAX];
	int r = button_open(program->button, why);

	if (r >= 0) {
		debounce_init(
			&program->debounce, program->quiet_usec, button_pressed(program->button));
		r = sd_event_add_io(program->event, &program->io, button_fd(program->button),
			EPOLLIN, on_button, program);
		if (r < 0)
			snprintf(why, sizeof why, "%s", strerror(-r));
	}
	if (r < 0) {
		lose_button(program, why);
		return;
	}
	if (*program->trouble)
		syslog(LOG_NOTICE, "button %s is there", button_spec(program->button));
	*program->trouble = '\0';
	tell_manager(program);
}

static int on_reopen(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	find_button(userdata);
	return 0;
}

static int run(struct program *program, const struct options *options, const struct address *server)
{
	int r;

	r = sd_event_default(&program->event);
	if (r >= 0)
		r = sd_event_set_watchdog(program->event, true);
	if (r >= 0)
		r = sd_event_set_signal_exit(program->event, true);
	if (r >= 0)
		r = sd_event_add_time_relative(program->event, &program->reopen, CLOCK_MONOTONIC, 0,
			ACCURACY_USEC, on_reopen, program);
	if (r >= 0)
		r = sd_event_source_set_enabled(program->reopen, SD_EVENT_OFF);
	if (r < 0)
		return r;
	program->delivery = delivery_create(program->event, server, options->commands,
		options->n_commands, options->retry_s * 1000000ULL, on_delivery, program);
	if (!program->delivery)
		return -ENOMEM;
	program->quiet_usec = options->debounce_ms * 1000ULL;
	snprintf(program->counts, sizeof program->counts, "no press yet");

	find_button(program);
	sd_notify(0, "READY=1");
	r = sd_event_loop(program->event);
	sd_notify(0, "STOPPING=1");
	return r;
}

int main(int argc, char *argv[])
{
	struct options options = {
		.button = "gpio:GPIO4",
		.connect = "127.0.0.1:5555",
		.debounce_ms = 15,
		.retry_s = 10,
	};
	struct program program = {0};
	struct address server;
	const char *why;
	int r;

	read_environment(&options);
	parse_argv(argc, argv, &options);
	why = address_parse(options.connect, &server);
	if (why)
		usage_error("--connect", options.connect, why);
	program.button = button_create(options.button, &why);
	if (!program.button)
		usage_error("--button", options.button, why);

	log_open("button");
	r = run(&program, &options, &server);
	if (r < 0)
		syslog(LOG_ERR, "%s", strerror(-r));

	delivery_destroy(program.delivery);
	sd_event_source_disable_unref(program.io);
	sd_event_source_disable_unref(program.reopen);
	button_destroy(program.button);
	sd_event_unref(program.event);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
