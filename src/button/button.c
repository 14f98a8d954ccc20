/* SPDX-License-Identifier: MIT */

/*
 * button: each press of a button sends the next command of a list to the LED's server.
 *
 * This is the loop around what decides: switch.h says what the contact's events mean, delivery.h
 * has the presses sent.
 */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "absence.h"
#include "address.h"
#include "chips.h"
#include "clock.h"
#include "command-list.h"
#include "confine.h"
#include "contact.h"
#include "deferred.h"
#include "delivery.h"
#include "descriptors.h"
#include "log.h"
#include "resolver.h"
#include "service.h"
#include "settings.h"
#include "status.h"
#include "switch.h"
#include "timer.h"
#include "variables.h"

#define DEADLINE_ACCURACY_USEC 100

/* After this many events, other sources of the event loop have their turn. */
#define EVENTS_A_TURN 64

/* --- settings --------------------------------------------------------------------------- */

enum {
	BUTTON,
	CONNECT,
	COMMANDS, /* and the lists of the other occasions */
	HOLD = COMMANDS + OCCASIONS,
	DEBOUNCE,
	FILTER,
	RETRY,
	N_SETTINGS,
};

struct options {
	struct contact *contact;
	struct address server;
	struct command_list lists[OCCASIONS];
	unsigned numbers[N_SETTINGS];
};

static const struct setting SETTINGS[N_SETTINGS];

static const char *take_button(const struct setting *setting, const char *value, void *options)
{
	struct contact **contact = &((struct options *)options)->contact;
	const char *why = NULL;

	contact_destroy(*contact);
	*contact = contact_create(value, &why);
	return why;
}

static const char *take_server(const struct setting *setting, const char *value, void *options)
{
	return address_parse(value, &((struct options *)options)->server);
}

static const char *take_command(const struct setting *setting, const char *value, void *options)
{
	struct command_list *lists = ((struct options *)options)->lists;

	return command_list_add(&lists[setting - SETTINGS - COMMANDS], value);
}

static const char *take_number(const struct setting *setting, const char *value, void *options)
{
	static const unsigned LIMITS[N_SETTINGS] = {
		[HOLD] = 60000, [DEBOUNCE] = 10000, [FILTER] = 10000, [RETRY] = 86400};
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (errno || *end || !isdigit((unsigned char)*value))
		return "not a number";
	if (number > LIMITS[setting - SETTINGS])
		return "too large";
	((struct options *)options)->numbers[setting - SETTINGS] = (unsigned)number;
	return NULL;
}

static const struct setting SETTINGS[N_SETTINGS] = {
	[BUTTON] = {"--button", "SPEC", "BUTTON", "gpio:GPIO4", SETTING_VALUE, take_button,
		"gpio:LINE or gpio:CHIP/OFFSET, with ,active-high after it; input:DEVICE, with "
		",KEY and ,grab after it; or fifo:PATH",
		NULL},
	[CONNECT] = {"--connect", "ADDR", "BUTTON_CONNECT", "127.0.0.1:5555", SETTING_VALUE,
		take_server, "the server: HOST:PORT, [IPv6]:PORT or /path", NULL},
	[COMMANDS + ON_PRESS] = {"--command", "TEXT", "BUTTON_COMMANDS", "LED ON,LED OFF",
		SETTING_LIST, take_command, "a command; again for each of the list", NULL},
	[COMMANDS + ON_RELEASE] = {"--release-command", "TEXT", "BUTTON_RELEASE_COMMANDS", NULL,
		SETTING_LIST, take_command,
		"a command for a release; again for each of the list. LED OFF after a press's LED "
		"ON makes the LED follow a switch; CONTACT NAME OFF after CONTACT NAME ON reports "
		"a contact",
		NULL},
	[COMMANDS + ON_LONG_PRESS] = {"--long-command", "TEXT", "BUTTON_LONG_COMMANDS", NULL,
		SETTING_LIST, take_command,
		"a command for a long press; again for each of the list", NULL},
	[HOLD] = {"--long", "MS", "BUTTON_LONG", "600", SETTING_VALUE, take_number,
		"how long a long press is", NULL},
	[DEBOUNCE] = {"--debounce", "MS", "BUTTON_DEBOUNCE", "15", SETTING_VALUE, take_number,
		"quiet that ends a contact's bouncing", NULL},
	[FILTER] = {"--filter", "MS", "BUTTON_FILTER", "0", SETTING_VALUE, take_number,
		"how long the contact has to be closed to be a press", NULL},
	[RETRY] = {"--retry", "SECONDS", "BUTTON_RETRY", "10", SETTING_VALUE, take_number,
		"how long to go on trying to deliver a press; a position waits for as long as it "
		"takes",
		NULL},
};

static const struct settings_table TABLE = {"button",
	"Sends the next command of a list to the LED's server at each press of a button.",
	"button.service(8)", SETTINGS, N_SETTINGS};

static struct switch_options switch_options(const struct options *options)
{
	return (struct switch_options){
		.quiet = options->numbers[DEBOUNCE] * 1000ULL,
		.filter = options->numbers[FILTER] * 1000ULL,
		.hold = options->numbers[HOLD] * 1000ULL,
		.has_release = options->lists[ON_RELEASE].n > 0,
		.has_long = options->lists[ON_LONG_PRESS].n > 0,
		.has_position = command_lists_have_position(options->lists),
	};
}

/* --- the program ------------------------------------------------------------------------ */

struct program {
	sd_event *event;
	struct contact *contact;
	struct absence absence;
	struct switch_state state;
	struct delivery *delivery;
	struct status *status;
	sd_event_source *io, *more, *deadline, *devices, *inputs, *reopen;
};

static void write_status(void *userdata, char text[STATUS_MAX])
{
	const struct program *program = userdata;
	char delivered[DELIVERY_STATUS_MAX];

	snprintf(text, STATUS_MAX, "%s: %s%s%s", contact_spec(program->contact),
		program->absence.why, *program->absence.why ? "; " : "",
		delivery_status(program->delivery, delivered));
}

/* The button is missing: it is looked for until it is there. */
static void lose_button(struct program *program, int error, const char *why)
{
	program->io = sd_event_source_disable_unref(program->io);
	contact_close(program->contact);
	if (absence_go_on(&program->absence, error, why, clock_usec()))
		syslog(LOG_WARNING, "button %s: %s; waiting for it", contact_spec(program->contact),
			why);
	status_changed(program->status);
	delivery_lose(program->delivery);
	timer_start(program->reopen, ABSENCE_RETRY_USEC);
}

/* All events until now are known: sends what they are an occasion for. */
static void take_occasions(struct program *program, uint64_t now)
{
	enum occasion occasion;

	while (switch_next(&program->state, now, &occasion))
		delivery_take(program->delivery, occasion);
}

static void take_event(struct program *program, struct contact_event event)
{
	take_occasions(program, event.at);
	switch_take(&program->state, event);
	take_occasions(program, event.at);
}

static void read_button(struct program *program)
{
	char why[CONTACT_WHY_MAX];
	struct contact_event event;
	uint64_t now = clock_usec();
	int r = 1;

	for (int n = 0; r > 0 && n < EVENTS_A_TURN; n++) {
		r = contact_next(program->contact, &event, why);
		if (r > 0)
			take_event(program, event);
	}
	if (r > 0) {
		deferred_start(program->more);
	} else if (r == 0) {
		take_occasions(program, now);
		timer_start_at(program->deadline, switch_deadline(&program->state, now));
	} else {
		lose_button(program, r, why);
	}
}

static int on_more(sd_event_source *source, void *userdata)
{
	struct program *program = userdata;

	if (program->io)
		read_button(program);
	return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	return on_more(source, userdata);
}

static int on_button(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	read_button(userdata);
	return 0;
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
	if (absence_end(&program->absence))
		syslog(LOG_NOTICE, "button %s is there", contact_spec(program->contact));
	status_changed(program->status);
	switch_begin(&program->state, contact_bounces(program->contact),
		contact_is_closed(program->contact));
	take_occasions(program, clock_usec());
}

/* A device was added or removed. To read our button shows whether it was another one. */
static int on_device(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	struct program *program = userdata;

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
	find_button(userdata);
	return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct program *program = userdata;

	sd_notify(0, "STOPPING=1");
	delivery_stop(program->delivery);
	return 0;
}

static int add_sources(struct program *program)
{
	sd_event *event;
	int r = service_create(&program->event, on_signal, program);

	event = program->event;
	if (r >= 0)
		r = timer_add(event, &program->reopen, ABSENCE_ACCURACY_USEC, on_reopen, program);
	if (r >= 0)
		r = timer_add(
			event, &program->deadline, DEADLINE_ACCURACY_USEC, on_deadline, program);
	/* With the lowest priority: it would otherwise run before all others. */
	if (r >= 0)
		r = deferred_add(event, &program->more, SD_EVENT_PRIORITY_IDLE, on_more, program);
	return r < 0 ? r : chips_watch(event, &program->devices, on_device, program);
}

static int run(struct program *program, const struct options *options)
{
	struct switch_options its = switch_options(options);
	int r = add_sources(program);

	if (r < 0)
		return r;
	program->status = status_create(program->event, write_status, program);
	if (!program->status)
		return -ENOMEM;
	program->delivery = delivery_create(program->event, &options->server, options->lists,
		options->numbers[RETRY] * 1000000ULL, program->status);
	if (!program->delivery)
		return -ENOMEM;
	switch_init(&program->state, &its);

	find_button(program);
	status_ready(program->status);
	return sd_event_loop(program->event);
}

static void finish(struct program *program)
{
	delivery_destroy(program->delivery);
	sd_event_source_disable_unref(program->io);
	sd_event_source_disable_unref(program->more);
	sd_event_source_disable_unref(program->deadline);
	sd_event_source_disable_unref(program->devices);
	sd_event_source_disable_unref(program->inputs);
	sd_event_source_disable_unref(program->reopen);
	status_destroy(program->status);
	contact_destroy(program->contact);
	sd_event_unref(program->event);
}

int main(int argc, char *argv[])
{
	struct options options = {0};
	struct program program = {0};
	struct settings settings;
	int r;

	descriptors_fill();
	settings_read(&settings, &TABLE, argv, &options);
	settings_exit_if_wrong(&settings);
	log_open("button");
	variables_warn(environ);
	resolver_load();
	confine_log(confine_to_program());
	program.contact = options.contact;
	r = run(&program, &options);
	if (r < 0)
		syslog(LOG_ERR, "%s", strerror(-r));
	finish(&program);
	settings_free(&settings);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
