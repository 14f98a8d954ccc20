/* SPDX-License-Identifier: MIT */

/* led-mqtt: LEDs and buttons of this machine on the topics of an MQTT broker. */

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "address.h"
#include "arrival.h"
#include "broker.h"
#include "confine.h"
#include "descriptors.h"
#include "discovery.h"
#include "follower.h"
#include "forget.h"
#include "limit.h"
#include "listen.h"
#include "log.h"
#include "orders.h"
#include "presses.h"
#include "retained.h"
#include "setting.h"
#include "settings.h"
#include "timer.h"
#include "topics.h"

#define SOCKET "/run/led/mqtt.sock"

#define ONLINE "online"
#define OFFLINE "offline"

/* The status is updated this long after the first change, once for a batch of changes. */
#define STATUS_USEC 50000
#define ACCURACY_USEC 10000

/* How long a stop waits for the broker to acknowledge what is on its way. */
#define STOP_USEC 1000000

/* With so many commands waiting for led-line, no more are read from the broker. */
#define ORDERS_ENOUGH (ORDERS_MAX / 4)

enum {
	BROKER,
	BASE,
	HOST,
	GROUPS,
	SEND,
	USER,
	PASSWORD_FILE,
	CAFILE,
	CERT,
	KEY,
	DISCOVERY,
	BUTTONS,
	LINE,
	LISTEN,
	SETTINGS,
};

struct options {
	struct setting settings[SETTINGS];
	bool forget;
	char host[TOPIC_PART_MAX + 2]; /* this machine's name, where it is needed */
	struct topics topics;
	struct broker_options broker;
	struct names groups, buttons;
	struct address line, listen;
	char *password;
	char id[TOPIC_MAX], will_topic[TOPIC_MAX], send[2 * TOPIC_MAX];
	char discovery[DISCOVERY_TOPIC_MAX]; /* its topic, or "" */
};

struct program {
	sd_event *event;
	const struct options *options;
	struct limit *limit;
	struct arrival_clock clock;
	struct broker *broker;
	struct retained *retained;
	struct follower *follower;
	struct orders *orders;
	struct presses *presses;
	sd_event_source *status, *stop;
	bool stopping;
	struct discovery_list leds, buttons; /* that are or were there */
};

static void print_help(void)
{
	printf("Usage: led-mqtt [OPTION]...\n"
	       "\n"
	       "Connects the LEDs of led-line, and buttons, to an MQTT broker.\n"
	       "\n"
	       "      --broker=URL     mqtt://HOST or mqtts://HOST, and :PORT behind it\n"
	       "                       (default: $MQTT_BROKER, else mqtt://127.0.0.1)\n"
	       "      --base=TOPIC     the topic above all others (default: $MQTT_BASE, else led)\n"
	       "      --host=NAME      the topic of this machine\n"
	       "                       (default: $MQTT_HOST, else the machine's name)\n"
	       "      --groups=NAMES   groups that this machine is in, with blanks between them\n"
	       "                       (default: $MQTT_GROUPS, else all)\n"
	       "      --send=TOPIC     where a button's commands go: group/GROUP or HOST/NAME\n"
	       "                       (default: $MQTT_SEND, else group/all)\n"
	       "      --user=NAME      the user at the broker (default: $MQTT_USER, else none)\n"
	       "      --password-file=PATH\n"
	       "                       a file whose first line is the password\n"
	       "                       (default: $MQTT_PASSWORD_FILE, else none)\n"
	       "      --cafile=PATH    whose certificates the broker's has to be of, for mqtts\n"
	       "                       (default: $MQTT_CAFILE, else /etc/ssl/certs)\n"
	       "      --cert=PATH, --key=PATH\n"
	       "                       a certificate for this machine, and its key\n"
	       "                       (default: $MQTT_CERT, $MQTT_KEY, else none)\n"
	       "      --discovery=TOPIC\n"
	       "                       where Home Assistant looks for devices, or \"\"\n"
	       "                       (default: $MQTT_DISCOVERY, else homeassistant)\n"
	       "      --buttons=NAMES  buttons for Home Assistant, with blanks between them\n"
	       "                       (default: $MQTT_BUTTONS, else none)\n"
	       "      --line=ADDR      where led-line is: a path or a numeric address\n"
	       "                       (default: $LED_LINE, else " LINE_SOCKET ")\n"
	       "      --listen=PATH    the socket for buttons; not used when the service manager\n"
	       "                       passes one (default: $MQTT_LISTEN, else " SOCKET ")\n"
	       "      --forget         clear the topics of this machine, and exit\n"
	       "      --help           show this help\n"
	       "      --version        show the version\n"
	       "\n"
	       "See led-mqtt(8).\n");
}

static void parse_argv(int argc, char *argv[], struct options *options)
{
	enum { FORGET = SETTINGS, HELP, VERSION_, ALL };
	struct option long_options[ALL + 1] = {
		[FORGET] = {"forget", no_argument, NULL, FORGET},
		[HELP] = {"help", no_argument, NULL, HELP},
		[VERSION_] = {"version", no_argument, NULL, VERSION_},
	};
	int c;

	for (int i = 0; i < SETTINGS; i++)
		long_options[i] = (struct option){
			options->settings[i].option + strlen("--"), required_argument, NULL, i};
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
		switch (c) {
		case FORGET:
			options->forget = true;
			break;
		case HELP:
			print_help();
			exit(EXIT_SUCCESS);
		case VERSION_:
			printf("led-mqtt %s\n", VERSION);
			exit(EXIT_SUCCESS);
		case '?':
			exit(2);
		default:
			setting_take(&options->settings[c], optarg);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "led-mqtt: unexpected argument '%s'\n", argv[optind]);
		exit(2);
	}
}

/* Ends the program if something is wrong with a setting. */
static void insist(const struct setting *setting, const char *why)
{
	if (why)
		setting_error(setting, why);
}

static const char *value_of(const struct setting *setting)
{
	return *setting->value ? setting->value : NULL;
}

/* The kernel's name for this machine may have anything in it. */
static void read_host(struct options *options)
{
	struct setting *setting = &options->settings[HOST];

	if (!setting->source) {
		if (gethostname(options->host, sizeof options->host - 1) < 0 ||
			settings_check_host(options->host))
			setting_error(setting, "this machine's name cannot be a part of a topic: "
					       "set MQTT_HOST");
		setting->value = options->host;
	}
	insist(setting, settings_check_host(setting->value));
}

static void read_file_name(const struct setting *setting)
{
	if (*setting->value && access(setting->value, R_OK) < 0)
		setting_error(setting, strerror(errno));
}

static void read_environment(struct options *options)
{
	struct setting *settings = options->settings;
	struct sockaddr_storage storage;
	const char *variable;

	for (int i = 0; i < SETTINGS; i++)
		setting_complete(&settings[i]);
	/* Unlike others, this one has a meaning when it is empty. */
	variable = getenv(settings[DISCOVERY].variable);
	if (!settings[DISCOVERY].source && variable)
		settings[DISCOVERY].value = variable;

	insist(&settings[BROKER],
		settings_read_broker(settings[BROKER].value, &options->broker.address));
	insist(&settings[BASE], settings_check_base(settings[BASE].value));
	read_host(options);
	insist(&settings[GROUPS], settings_read_groups(settings[GROUPS].value, &options->groups));
	insist(&settings[SEND], settings_check_send(settings[SEND].value));
	if (*settings[PASSWORD_FILE].value)
		insist(&settings[PASSWORD_FILE],
			settings_read_password(settings[PASSWORD_FILE].value, &options->password));
	if (options->password && !value_of(&settings[USER]))
		setting_error(&settings[USER], "a password needs a user");
	read_file_name(&settings[CAFILE]);
	read_file_name(&settings[CERT]);
	read_file_name(&settings[KEY]);
	if (!*settings[CERT].value != !*settings[KEY].value)
		setting_error(&settings[*settings[CERT].value ? KEY : CERT],
			"a certificate and its key go together");
	insist(&settings[DISCOVERY], settings_check_discovery(settings[DISCOVERY].value));
	insist(&settings[BUTTONS],
		settings_read_buttons(settings[BUTTONS].value, &options->buttons));
	insist(&settings[LINE], address_parse(settings[LINE].value, &options->line));
	if (address_sockaddr(&options->line, &storage) == 0)
		setting_error(&settings[LINE], "led-line is at a path or a numeric address");
	insist(&settings[LISTEN], address_parse(settings[LISTEN].value, &options->listen));
	if (!*options->listen.path)
		setting_error(&settings[LISTEN], "buttons connect to the path of a socket");
}

/* What follows from the settings. */
static void derive(struct options *options)
{
	const struct setting *settings = options->settings;

	options->topics = (struct topics){settings[BASE].value, settings[HOST].value};
	snprintf(options->send, sizeof options->send, "%s/%s", settings[BASE].value,
		settings[SEND].value);
	topics_write(&options->topics, "", "availability", options->will_topic);
	if (*settings[DISCOVERY].value)
		discovery_topic(settings[DISCOVERY].value, &options->topics, options->discovery);
	/*
	 * The same at each connection. With it, the broker ends a connection that broke, and its
	 * will, before it lets the new one in.
	 */
	snprintf(options->id, sizeof options->id, "led-mqtt%s/%s/%s",
		options->forget ? "-forget" : "", settings[BASE].value, settings[HOST].value);
	options->broker.id = options->id;
	options->broker.user = value_of(&settings[USER]);
	options->broker.password = options->password;
	options->broker.ca_file = value_of(&settings[CAFILE]);
	options->broker.cert = value_of(&settings[CERT]);
	options->broker.key = value_of(&settings[KEY]);
	if (!options->forget) {
		options->broker.will_topic = options->will_topic;
		options->broker.will = OFFLINE;
	}
}

static void tell_manager(struct program *program)
{
	timer_start_if_stopped(program->status, STATUS_USEC);
}

static int on_status(sd_event_source *source, uint64_t usec, void *userdata)
{
	const struct program *program = userdata;
	const struct followed_led *leds;
	unsigned n = follower_leds(program->follower, &leds);
	const char *trouble = follower_trouble(program->follower);

	(void)source;
	(void)usec;
	sd_notifyf(0, "STATUS=%s; %u %s%s%s; %lu commands, %lu presses",
		broker_text(program->broker), n, n == 1 ? "LED" : "LEDs", *trouble ? "; " : "",
		trouble, orders_done(program->orders), presses_done(program->presses));
	return 0;
}

/* --- what is retained ------------------------------------------------------------------- */

static const struct followed_led *find_led(const struct program *program, const char *name)
{
	const struct followed_led *leds;
	unsigned n = follower_leds(program->follower, &leds);

	for (unsigned i = 0; i < n; i++)
		if (strcmp(leds[i].name, name) == 0)
			return &leds[i];
	return NULL;
}

/* Whatever else is retained on topics of LEDs, those of led-line have their places. */
static void make_room(struct program *program)
{
	struct discovery_list *leds = &program->leds;
	unsigned i = 0;

	while (find_led(program, leds->items[i].name))
		i++;
	leds->items[i] = leds->items[--leds->n];
}

/* Adds an LED that is there, or has left something at the broker. */
static void know(struct program *program, const char *name)
{
	if (discovery_has(&program->leds, name))
		return;
	if (program->leds.n == DISCOVERY_MAX && find_led(program, name))
		make_room(program);
	if (discovery_add(&program->leds, name, false) && !topics_is_led(name))
		syslog(LOG_WARNING, "LED %s: this name is a topic's, so it is not published", name);
}

static void set_led(
	struct program *program, const char *name, const char *state, const char *availability)
{
	const struct topics *topics = &program->options->topics;
	char topic[TOPIC_MAX];

	if (state)
		retained_set(program->retained, topics_write(topics, name, "", topic), state);
	retained_set(
		program->retained, topics_write(topics, name, "availability", topic), availability);
}

static void set_discovery(struct program *program)
{
	const struct options *options = program->options;
	char *payload;

	if (!*options->discovery)
		return;
	payload = discovery_write(&options->topics, &program->leds, &program->buttons);
	if (payload)
		retained_set(program->retained, options->discovery, payload);
	free(payload);
}

/* Has the broker know what led-line's LEDs are and show, and no others. */
static void mirror(struct program *program)
{
	const struct followed_led *leds;
	unsigned n = follower_leds(program->follower, &leds);

	for (unsigned i = 0; i < n; i++)
		know(program, leds[i].name);
	for (unsigned i = 0; i < program->leds.n; i++) {
		struct discovery_item *known = &program->leds.items[i];
		const struct followed_led *led = find_led(program, known->name);

		if (!topics_is_led(known->name) || (!led && n == 0))
			continue;
		known->gone = !led;
		if (!led)
			set_led(program, known->name, "", "");
		else if (led->state == LED_MISSING)
			set_led(program, led->name, NULL, OFFLINE);
		else if (led->state != LED_UNKNOWN)
			set_led(program, led->name, led->state == LED_ON ? "ON" : "OFF", ONLINE);
	}
	if (n > 0 || program->buttons.n > 0)
		set_discovery(program);
}

/* What Home Assistant knows from before: buttons that are not in MQTT_BUTTONS any more are gone. */
static void take_discovery(struct program *program, const char *payload, size_t length)
{
	const char *end = payload + length;
	char name[COMMAND_NAME_MAX + 1];

	while ((payload = discovery_next_button(payload, end, name)))
		discovery_add(&program->buttons, name, true);
	mirror(program);
}

static void on_leds(void *userdata)
{
	struct program *program = userdata;

	if (!program->stopping)
		mirror(program);
	tell_manager(program);
}

/* --- the broker ------------------------------------------------------------------------- */

static void on_up(void *userdata)
{
	struct program *program = userdata;
	const struct options *options = program->options;
	const struct topics *topics = &options->topics;
	char filter[2 * TOPIC_MAX];

	broker_subscribe(
		program->broker, topics_write(topics, "+", "set", filter), BROKER_COMMANDS);
	for (unsigned i = 0; i < options->groups.n; i++) {
		snprintf(filter, sizeof filter, "%s/group/%s/set", topics->base,
			options->groups.names[i]);
		broker_subscribe(program->broker, filter, BROKER_COMMANDS);
	}
	broker_subscribe(program->broker, topics_write(topics, "+", "", filter), BROKER_RETAINED);
	broker_subscribe(program->broker, topics_write(topics, "+", "availability", filter),
		BROKER_RETAINED);
	if (*options->discovery)
		broker_subscribe(program->broker, options->discovery, BROKER_RETAINED);
	/* Who sees this machine online can send it commands. */
	retained_up(program->retained);
	tell_manager(program);
}

/* A command for one LED, or with name "" for all. */
static void take_command(struct program *program, const char *topic, const char *name,
	const void *payload, size_t length)
{
	struct request request;
	const char *why = topics_read_command(payload, length, &request);

	if (why) {
		if (limit_take(program->limit))
			syslog(LOG_INFO, "%s: %s", topic, why);
		return;
	}
	strcpy(request.name, name);
	request.at = arrival_ms(&program->clock, broker_socket(program->broker));
	orders_add(program->orders, &request);
	broker_pause(program->broker, orders_waiting(program->orders) >= ORDERS_ENOUGH);
}

static void on_message(
	void *userdata, const char *topic, const void *payload, size_t length, bool is_retained)
{
	struct program *program = userdata;
	char name[COMMAND_NAME_MAX + 1];

	switch (topics_read(&program->options->topics, topic, name)) {
	case TOPIC_SET:
	case TOPIC_GROUP_SET:
		/* What was retained is not news: it may be of last year. */
		if (!is_retained)
			take_command(program, topic, name, payload, length);
		break;
	case TOPIC_AVAILABILITY:
	case TOPIC_LED:
	case TOPIC_LED_AVAILABILITY:
		if (retained_seen(program->retained, topic, payload, length))
			break;
		/* One that an earlier process left, or led-line is not there yet. */
		if (is_retained && length > 0 && *name && !discovery_has(&program->leds, name)) {
			know(program, name);
			mirror(program);
		}
		break;
	case TOPIC_OTHER:
		if (is_retained && strcmp(topic, program->options->discovery) == 0)
			take_discovery(program, payload, length);
		break;
	}
}

/* Ends when the broker has everything. Not at once: this may be within a callback of the broker. */
static void stop_if_done(struct program *program)
{
	if (program->stopping &&
		(!broker_is_up(program->broker) || (retained_is_done(program->retained) &&
							   !presses_are_waiting(program->presses))))
		timer_start(program->stop, 0);
}

static void on_acknowledged(void *userdata, int id, const char *why)
{
	struct program *program = userdata;

	retained_acknowledged(program->retained, id, why);
	presses_acknowledged(program->presses, id, why);
	stop_if_done(program);
	tell_manager(program);
}

static void on_down(void *userdata)
{
	struct program *program = userdata;

	retained_down(program->retained);
	presses_down(program->presses);
	stop_if_done(program);
}

static void on_broker_changed(void *userdata)
{
	tell_manager(userdata);
}

static const struct broker_events EVENTS = {
	.up = on_up,
	.message = on_message,
	.acknowledged = on_acknowledged,
	.down = on_down,
	.changed = on_broker_changed,
};

static void on_orders(void *userdata)
{
	struct program *program = userdata;

	broker_pause(program->broker, orders_waiting(program->orders) >= ORDERS_ENOUGH);
	tell_manager(program);
}

/* --- start and stop --------------------------------------------------------------------- */

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct program *program = userdata;

	(void)source;
	(void)info;
	sd_notify(0, "STOPPING=1");
	program->stopping = true;
	presses_stop(program->presses);
	retained_set(program->retained, program->options->will_topic, OFFLINE);
	timer_start(program->stop, STOP_USEC);
	stop_if_done(program);
	return 0;
}

static int on_stop(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)usec;
	(void)userdata;
	return sd_event_exit(sd_event_source_get_event(source), EXIT_SUCCESS);
}

/* Takes the sockets that the service manager passes, else opens our own. */
static int add_sockets(struct program *program)
{
	const struct address *address = &program->options->listen;
	const char *why = NULL;
	int n = sd_listen_fds(true), fds[LISTEN_MAX], r = n;

	for (int i = 0; i < n && r >= 0; i++)
		r = presses_add_socket(program->presses, SD_LISTEN_FDS_START + i);
	if (n != 0)
		return r;
	if (listen_on(address, fds, &why) < 0) {
		syslog(LOG_ERR, "cannot listen on %s: %s", address->path, why);
		return -EADDRNOTAVAIL;
	}
	return presses_add_socket(program->presses, fds[0]);
}

static int set_up(struct program *program)
{
	const struct options *options = program->options;
	int r;

	r = sd_event_default(&program->event);
	if (r >= 0)
		r = sd_event_set_watchdog(program->event, true);
	/* Blocked from here on, in the broker's threads too. */
	if (r >= 0)
		r = sd_event_add_signal(program->event, NULL, SIGTERM | SD_EVENT_SIGNAL_PROCMASK,
			on_signal, program);
	if (r >= 0)
		r = sd_event_add_signal(program->event, NULL, SIGINT | SD_EVENT_SIGNAL_PROCMASK,
			on_signal, program);
	if (r >= 0)
		r = timer_add(program->event, &program->status, ACCURACY_USEC, on_status, program);
	if (r >= 0)
		r = timer_add(program->event, &program->stop, ACCURACY_USEC, on_stop, program);
	if (r < 0)
		return r;
	arrival_clock_open(&program->clock);
	program->limit = limit_create(program->event, "messages");
	program->broker = broker_create(program->event, &options->broker, &EVENTS, program);
	program->retained = retained_create(program->event, program->broker, program->limit);
	program->follower = follower_create(program->event, &options->line, on_leds, program);
	program->orders = orders_create(program->event, &options->line, &program->clock,
		program->follower, program->limit, on_orders, program);
	program->presses = presses_create(
		program->event, program->broker, &options->topics, options->send, program->limit);
	if (!program->limit || !program->broker || !program->retained || !program->follower ||
		!program->orders || !program->presses)
		return -ENOMEM;
	retained_set(program->retained, options->will_topic, ONLINE);
	for (unsigned i = 0; i < options->buttons.n; i++)
		discovery_add(&program->buttons, options->buttons.names[i], false);
	mirror(program);
	return add_sockets(program);
}

static int run(struct program *program)
{
	int r = set_up(program);

	if (r >= 0) {
		sd_notify(0, "READY=1");
		tell_manager(program);
		r = sd_event_loop(program->event);
	}
	if (r < 0 && r != -EADDRNOTAVAIL)
		syslog(LOG_ERR, "%s", strerror(-r));
	if (program->broker)
		broker_disconnect(program->broker);
	presses_destroy(program->presses);
	orders_destroy(program->orders);
	follower_destroy(program->follower);
	retained_destroy(program->retained);
	broker_destroy(program->broker);
	limit_destroy(program->limit);
	arrival_clock_close(&program->clock);
	sd_event_source_disable_unref(program->status);
	sd_event_source_disable_unref(program->stop);
	sd_event_unref(program->event);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	struct options options = {
		.settings = {
			[BROKER] = {"--broker", "MQTT_BROKER", "mqtt://127.0.0.1", NULL},
			[BASE] = {"--base", "MQTT_BASE", "led", NULL},
			[HOST] = {"--host", "MQTT_HOST", "", NULL},
			[GROUPS] = {"--groups", "MQTT_GROUPS", "all", NULL},
			[SEND] = {"--send", "MQTT_SEND", "group/all", NULL},
			[USER] = {"--user", "MQTT_USER", "", NULL},
			[PASSWORD_FILE] = {"--password-file", "MQTT_PASSWORD_FILE", "", NULL},
			[CAFILE] = {"--cafile", "MQTT_CAFILE", "", NULL},
			[CERT] = {"--cert", "MQTT_CERT", "", NULL},
			[KEY] = {"--key", "MQTT_KEY", "", NULL},
			[DISCOVERY] = {"--discovery", "MQTT_DISCOVERY", "homeassistant", NULL},
			[BUTTONS] = {"--buttons", "MQTT_BUTTONS", "", NULL},
			[LINE] = {"--line", "LED_LINE", LINE_SOCKET, NULL},
			[LISTEN] = {"--listen", "MQTT_LISTEN", SOCKET, NULL},
		}};
	struct program program = {.options = &options, .clock = {-1}};
	const char *why;
	int status;

	descriptors_fill();
	parse_argv(argc, argv, &options);
	read_environment(&options);
	derive(&options);

	log_open("led-mqtt");
	why = confine_to_program();
	if (why)
		syslog(LOG_DEBUG, "not confined: %s", why);
	status = options.forget ? forget(&options.broker, &options.topics, options.discovery)
				: run(&program);
	free(options.groups.text);
	free(options.buttons.text);
	free(options.password);
	return status;
}
