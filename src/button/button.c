/* SPDX-License-Identifier: MIT */

/* button: each press of a button sends the next command of a list to the LED's server. */

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "address.h"
#include "chips.h"
#include "clock.h"
#include "command.h"
#include "confine.h"
#include "contact.h"
#include "debounce.h"
#include "delivery.h"
#include "denial.h"
#include "descriptors.h"
#include "gesture.h"
#include "log.h"
#include "setting.h"
#include "timer.h"

/* A button that is missing is looked for every 2 seconds, or a little sooner. */
#define REOPEN_USEC 1500000
#define ACCURACY_USEC 500000

/* The status is updated this long after the first change, once for a batch of changes. */
#define STATUS_USEC 50000
#define STATUS_ACCURACY_USEC 10000

#define DEADLINE_ACCURACY_USEC 100

/* After this many events, other sources of the event loop have their turn. */
#define EVENTS_A_TURN 64

/* The settings of the lists of commands. */
static const struct setting LISTS[OCCASIONS] = {
	[ON_PRESS] = {"--command", "BUTTON_COMMANDS", NULL, NULL},
	[ON_RELEASE] = {"--release-command", "BUTTON_RELEASE_COMMANDS", NULL, NULL},
	[ON_LONG_PRESS] = {"--long-command", "BUTTON_LONG_COMMANDS", NULL, NULL},
};

struct options {
	struct setting button, connect, debounce, filter, hold, retry;
	struct commands lists[OCCASIONS];
};

struct program {
	sd_event *event;
	struct contact *contact;
	struct debounce debounce;
	struct gesture gesture;
	uint64_t quiet_usec, filter_usec, hold_usec, retry_usec;
	bool has_release, has_long; /* these occasions have commands */
	bool has_position;          /* the button has been there: closed is its last position */
	bool closed;
	struct delivery *delivery;
	sd_event_source *io, *more, *deadline, *devices, *reopen, *status;
	char trouble[CONTACT_WHY_MAX]; /* why the button is missing, or "" */
	char warned[CONTACT_WHY_MAX];  /* the reason that was logged last, or "" */
	uint64_t denied_since;         /* for denial_is_new() */
	char counts[512];
	sd_event_source *inputs; /* as devices, about /dev/input */
};

static void print_help(void)
{
	printf("Usage: button [OPTION]...\n"
	       "\n"
	       "Sends the next command of a list to the LED's server at each press of a button.\n"
	       "\n"
	       "      --button=SPEC    gpio:LINE, gpio:CHIP/OFFSET (,active-high behind it),\n"
	       "                       input:DEVICE (,KEY and ,grab behind it), or fifo:PATH\n"
	       "                       (default: $BUTTON, else gpio:GPIO4)\n"
	       "      --connect=ADDR   the server: HOST:PORT, [IPv6]:PORT or /path\n"
	       "                       (default: $BUTTON_CONNECT, else 127.0.0.1:5555)\n"
	       "      --command=TEXT   a command; again for each of the list\n"
	       "                       (default: $BUTTON_COMMANDS, with commas between them,\n"
	       "                       else LED ON, LED OFF)\n"
	       "      --release-command=TEXT\n"
	       "                       a command for a release; again for each of the list\n"
	       "                       (default: $BUTTON_RELEASE_COMMANDS, else none)\n"
	       "      --long-command=TEXT\n"
	       "                       a command for a long press; again for each of the list\n"
	       "                       (default: $BUTTON_LONG_COMMANDS, else none)\n"
	       "      --long=MS        how long a long press is (default: $BUTTON_LONG, else 600)\n"
	       "      --debounce=MS    quiet that ends a contact's bouncing\n"
	       "                       (default: $BUTTON_DEBOUNCE, else 15)\n"
	       "      --filter=MS      how long the contact has to be closed to be a press\n"
	       "                       (default: $BUTTON_FILTER, else 0)\n"
	       "      --retry=SECONDS  how long to go on trying to deliver a press\n"
	       "                       (default: $BUTTON_RETRY, else 10)\n"
	       "      --help           show this help\n"
	       "      --version        show the version\n"
	       "\n"
	       "See button.service(8).\n");
}

static unsigned read_number(const struct setting *setting, unsigned limit)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(setting->value, &end, 10);
	if (errno || *end || !isdigit((unsigned char)*setting->value))
		setting_error(setting, "not a number");
	if (value > limit)
		setting_error(setting, "too large");
	return (unsigned)value;
}

static void add_command(struct commands *list, const struct setting *setting)
{
	size_t length = strlen(setting->value);

	if (list->n == COMMANDS_MAX)
		setting_error(setting, "too many commands");
	if (length == 0 || length > COMMAND_MAX)
		setting_error(setting, "a command has 1 to 64 bytes");
	for (const char *p = setting->value; *p; p++)
		if (iscntrl((unsigned char)*p))
			setting_error(setting, "a command has no control characters");
	list->texts[list->n++] = setting->value;
}

/*
 * Splits a comma-separated text into commands. The text is changed, and has to outlive them.
 *
 * setting: which list, and where the text is from
 */
static void add_commands(struct commands *list, struct setting setting, char *text)
{
	char *rest = text;

	while ((text = strsep(&rest, ","))) {
		setting.value = text + strspn(text, " ");
		add_command(list, &setting);
	}
}

/* The environment sets what no option has set. */
static void read_environment(struct options *options)
{
	static char built_in[] = "LED ON,LED OFF";

	setting_complete(&options->button);
	setting_complete(&options->connect);
	setting_complete(&options->debounce);
	setting_complete(&options->filter);
	setting_complete(&options->hold);
	setting_complete(&options->retry);
	for (int i = 0; i < OCCASIONS; i++) {
		struct setting setting = LISTS[i];
		char *text = getenv(setting.variable);

		setting.source = setting.variable;
		if (options->lists[i].n == 0 && text && *text)
			add_commands(&options->lists[i], setting, text);
	}
	if (options->lists[ON_PRESS].n == 0)
		add_commands(&options->lists[ON_PRESS], LISTS[ON_PRESS], built_in);
}

static void parse_argv(int argc, char *argv[], struct options *options)
{
	enum { BUTTON = OCCASIONS, CONNECT, DEBOUNCE, FILTER, LONG, RETRY, HELP, VERSION_ };
	static const struct option OPTIONS[] = {
		{"button", required_argument, NULL, BUTTON},
		{"connect", required_argument, NULL, CONNECT},
		{"command", required_argument, NULL, ON_PRESS},
		{"release-command", required_argument, NULL, ON_RELEASE},
		{"long-command", required_argument, NULL, ON_LONG_PRESS},
		{"debounce", required_argument, NULL, DEBOUNCE},
		{"filter", required_argument, NULL, FILTER},
		{"long", required_argument, NULL, LONG},
		{"retry", required_argument, NULL, RETRY},
		{"help", no_argument, NULL, HELP},
		{"version", no_argument, NULL, VERSION_},
		{0},
	};
	struct setting command;
	int c;

	while ((c = getopt_long(argc, argv, "", OPTIONS, NULL)) >= 0) {
		switch (c) {
		case BUTTON:
			setting_take(&options->button, optarg);
			break;
		case CONNECT:
			setting_take(&options->connect, optarg);
			break;
		case ON_PRESS:
		case ON_RELEASE:
		case ON_LONG_PRESS:
			command = LISTS[c];
			setting_take(&command, optarg);
			add_command(&options->lists[c], &command);
			break;
		case DEBOUNCE:
			setting_take(&options->debounce, optarg);
			break;
		case FILTER:
			setting_take(&options->filter, optarg);
			break;
		case LONG:
			setting_take(&options->hold, optarg);
			break;
		case RETRY:
			setting_take(&options->retry, optarg);
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
}

static int on_device(sd_event_source *source, const struct inotify_event *event, void *userdata);

/* The folder comes with the first input device, and goes with the last one. */
static void watch_inputs(struct program *program)
{
	program->inputs = sd_event_source_disable_unref(program->inputs);
	sd_event_add_inotify(program->event, &program->inputs, "/dev/input",
		IN_CREATE | IN_DELETE | IN_ATTRIB, on_device, program);
}

/* Whether an event is about an input device, or about the folder that they are in. */
static bool is_input(const struct inotify_event *event)
{
	return event->len > 0 && (strncmp(event->name, "event", strlen("event")) == 0 ||
					 strcmp(event->name, "input") == 0);
}

static int on_status(sd_event_source *source, uint64_t usec, void *userdata)
{
	const struct program *program = userdata;

	(void)source;
	(void)usec;
	sd_notifyf(0, "STATUS=%s: %s%s%s", contact_spec(program->contact), program->trouble,
		*program->trouble ? "; " : "", program->counts);
	return 0;
}

static void tell_manager(struct program *program)
{
	timer_start_if_stopped(program->status, STATUS_USEC);
}

static void on_delivery(void *userdata, const struct delivery_counts *counts)
{
	struct program *program = userdata;

	snprintf(program->counts, sizeof program->counts,
		"%lu %s, %lu delivered, %lu dropped, %u waiting%s%s", counts->pressed,
		counts->pressed == 1 ? "press" : "presses", counts->delivered, counts->dropped,
		counts->waiting, *counts->outcome ? "; " : "", counts->outcome);
	tell_manager(program);
}

/* The button is missing: logged once for each reason, and looked for until it is there. */
static void lose_button(struct program *program, int error, const char *why)
{
	program->io = sd_event_source_disable_unref(program->io);
	contact_close(program->contact);
	snprintf(program->trouble, sizeof program->trouble, "%s", why);
	if (!denial_is_new(&program->denied_since, error) && strcmp(program->warned, why) != 0) {
		syslog(LOG_WARNING, "button %s: %s; waiting for it", contact_spec(program->contact),
			why);
		snprintf(program->warned, sizeof program->warned, "%s", why);
	}
	tell_manager(program);
	timer_start(program->reopen, REOPEN_USEC);
}

static void take_press(struct program *program, enum gesture_press press)
{
	if (press != NO_PRESS)
		delivery_press(program->delivery, press == LONG_PRESS ? ON_LONG_PRESS : ON_PRESS);
}

/* The contact has closed or opened. A press that its opening ends comes before the release. */
static void take_change(struct program *program, struct contact_event event)
{
	take_press(program, gesture_take(&program->gesture, event));
	if (!event.closed && program->has_release)
		delivery_press(program->delivery, ON_RELEASE);
	program->closed = event.closed;
}

/* Takes what is certain of a bouncing contact when all its edges until now are known. */
static void take_debounced(struct program *program, uint64_t now)
{
	struct contact_event event;

	while (debounce_next(&program->debounce, now, &event))
		take_change(program, event);
}

static void take_event(struct program *program, struct contact_event event)
{
	if (!contact_bounces(program->contact)) {
		take_change(program, event);
		return;
	}
	take_debounced(program, event.at);
	debounce_edge(&program->debounce, event.at, event.closed);
	take_debounced(program, event.at);
}

/* All events until now have been read: what waited for the time to pass can be decided. */
static void settle(struct program *program, uint64_t now)
{
	uint64_t certain, deadline, hold_deadline;

	take_debounced(program, now);
	certain = debounce_certain(&program->debounce, now);
	take_press(program, gesture_settle(&program->gesture, certain));

	deadline = debounce_deadline(&program->debounce);
	hold_deadline = gesture_deadline(&program->gesture);
	/* While the contact may have opened, only coming to rest decides. */
	if (certain == now && hold_deadline < deadline)
		deadline = hold_deadline;
	timer_start_at(program->deadline, deadline);
}

static void read_button(struct program *program)
{
	char why[CONTACT_WHY_MAX];
	struct contact_event event;
	uint64_t now = clock_usec();
	int r = 1;

	for (int i = 0; i < EVENTS_A_TURN && r > 0; i++) {
		r = contact_next(program->contact, &event, why);
		if (r > 0)
			take_event(program, event);
	}
	if (r > 0)
		sd_event_source_set_enabled(program->more, SD_EVENT_ONESHOT);
	else if (r == 0)
		settle(program, now);
	else
		lose_button(program, r, why);
}

static int on_more(sd_event_source *source, void *userdata)
{
	struct program *program = userdata;

	(void)source;
	if (program->io)
		read_button(program);
	return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)usec;
	return on_more(source, userdata);
}

static int on_button(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	(void)source;
	(void)fd;
	(void)events;
	read_button(userdata);
	return 0;
}

/*
 * The button is there. If it was lost during a press, that press is forgotten. Where releases are
 * sent, its position is sent, unless it is the same as before.
 */
static void begin(struct program *program)
{
	bool closed = contact_is_closed(program->contact);

	debounce_init(&program->debounce, program->quiet_usec, program->filter_usec, closed);
	gesture_init(&program->gesture, program->has_long, program->hold_usec);
	if (program->has_release && (!program->has_position || closed != program->closed))
		delivery_press(program->delivery, closed ? ON_PRESS : ON_RELEASE);
	program->has_position = true;
	program->closed = closed;
}

static void find_button(struct program *program)
{
	char why[CONTACT_WHY_MAX];
	int r;

	watch_inputs(program);
	r = contact_open(program->contact, why);
	if (r >= 0) {
		r = sd_event_add_io(program->event, &program->io, contact_fd(program->contact),
			EPOLLIN, on_button, program);
		if (r < 0)
			snprintf(why, sizeof why, "%s", strerror(-r));
	}
	if (r < 0) {
		lose_button(program, r, why);
		return;
	}
	timer_stop(program->reopen);
	begin(program);
	if (*program->warned)
		syslog(LOG_NOTICE, "button %s is there", contact_spec(program->contact));
	*program->trouble = *program->warned = '\0';
	program->denied_since = 0;
	tell_manager(program);
}

/* A device was added or removed. It may be another one: reading our button tells. */
static int on_device(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	struct program *program = userdata;

	(void)source;
	if (!chips_is_chip(event) && !is_input(event))
		return 0;
	if (program->io)
		read_button(program);
	else
		find_button(program);
	return 0;
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
		r = timer_add(program->event, &program->reopen, ACCURACY_USEC, on_reopen, program);
	if (r >= 0)
		r = timer_add(
			program->event, &program->status, STATUS_ACCURACY_USEC, on_status, program);
	if (r >= 0)
		r = timer_add(program->event, &program->deadline, DEADLINE_ACCURACY_USEC,
			on_deadline, program);
	if (r >= 0)
		r = sd_event_add_defer(program->event, &program->more, on_more, program);
	if (r >= 0)
		r = sd_event_source_set_enabled(program->more, SD_EVENT_OFF);
	/* Lowest priority: a pending defer source would otherwise run before all others. */
	if (r >= 0)
		r = sd_event_source_set_priority(program->more, SD_EVENT_PRIORITY_IDLE);
	if (r >= 0)
		r = chips_watch(program->event, &program->devices, on_device, program);
	if (r < 0)
		return r;
	program->delivery = delivery_create(
		program->event, server, options->lists, program->retry_usec, on_delivery, program);
	if (!program->delivery)
		return -ENOMEM;
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
		.button = {"--button", "BUTTON", "gpio:GPIO4", NULL},
		.connect = {"--connect", "BUTTON_CONNECT", "127.0.0.1:5555", NULL},
		.debounce = {"--debounce", "BUTTON_DEBOUNCE", "15", NULL},
		.filter = {"--filter", "BUTTON_FILTER", "0", NULL},
		.hold = {"--long", "BUTTON_LONG", "600", NULL},
		.retry = {"--retry", "BUTTON_RETRY", "10", NULL},
	};
	struct program program = {0};
	struct address server;
	const char *why;
	int r;

	descriptors_fill();
	parse_argv(argc, argv, &options);
	read_environment(&options);
	program.quiet_usec = read_number(&options.debounce, 10000) * 1000ULL;
	program.filter_usec = read_number(&options.filter, 10000) * 1000ULL;
	program.hold_usec = read_number(&options.hold, 60000) * 1000ULL;
	program.has_release = options.lists[ON_RELEASE].n > 0;
	program.has_long = options.lists[ON_LONG_PRESS].n > 0;
	program.retry_usec = read_number(&options.retry, 86400) * 1000000ULL;
	why = address_parse(options.connect.value, &server);
	if (why)
		setting_error(&options.connect, why);
	program.contact = contact_create(options.button.value, &why);
	if (!program.contact)
		setting_error(&options.button, why);

	log_open("button");
	why = confine_to_program();
	if (why)
		syslog(LOG_DEBUG, "not confined: %s", why);
	r = run(&program, &options, &server);
	if (r < 0)
		syslog(LOG_ERR, "%s", strerror(-r));

	delivery_destroy(program.delivery);
	sd_event_source_disable_unref(program.io);
	sd_event_source_disable_unref(program.more);
	sd_event_source_disable_unref(program.deadline);
	sd_event_source_disable_unref(program.devices);
	sd_event_source_disable_unref(program.inputs);
	sd_event_source_disable_unref(program.reopen);
	sd_event_source_disable_unref(program.status);
	contact_destroy(program.contact);
	sd_event_unref(program.event);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
