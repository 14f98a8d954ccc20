/* SPDX-License-Identifier: MIT */
#include "broker.h"

#include <errno.h>
#include <fcntl.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <syslog.h>
#include <unistd.h>

#include "backoff.h"
#include "clock.h"
#include "timer.h"

/*
 * After this many seconds of silence, the other side is asked whether it is still there. The broker
 * may want another number. It waits for half as long again before it ends the connection.
 */
#define KEEPALIVE 30

/* How long a broker may take to answer a connection that has been made. */
#define CONNACK_USEC 10000000ULL

/* The same for what has been published. */
#define ACKNOWLEDGED_USEC 10000000ULL

/* A connection that lasted this long was a good one: the pauses begin anew. */
#define GOOD_USEC 5000000ULL

/* The largest packet that we take. Brokers with MQTT 5 keep larger ones back. */
#define PACKET_MAX 65536

/* Nothing here needs to be exact: the kernel may join wake-ups. */
#define ACCURACY_USEC 250000

/* Where Debian has the certificates that it trusts. */
#define CA_PATH "/etc/ssl/certs"

#define WHY_MAX 256

static const char CLOSED[] = "the broker has closed the connection";
static const char SILENT[] = "the broker does not answer";

/* What a thread does: it connects, and waits. The client is the thread's as long as it runs. */
struct attempt {
	struct mosquitto *client;
	mosquitto_property *properties;
	const struct broker_options *options;
	int done; /* eventfd(2): the thread has written here, and is gone */
	bool running;
	int result, error;  /* of the library, and errno */
	char said[WHY_MAX]; /* what the library had to say last */
};

enum state { PAUSING, CONNECTING, WAITING /* for the CONNACK */, UP, STOPPED };

struct broker {
	sd_event *event;
	const struct broker_options *options;
	const struct broker_events *events;
	void *userdata;

	enum state state;
	struct attempt *attempt;
	bool is_old;          /* the broker does not know MQTT 5 */
	bool found_to_be_old; /* on this connection */
	sd_event_source *attempted, *io, *timer, *housekeeping;
	bool paused;
	unsigned unacknowledged, subscriptions; /* that the broker has not answered */
	struct backoff backoff;
	uint64_t up_since;    /* microseconds of CLOCK_MONOTONIC */
	uint64_t sent, heard; /* the same: when something was sent, and when something came */
	uint64_t keepalive;   /* microseconds, or 0 */
	char lost[WHY_MAX];   /* why the connection ended, where a callback knows it */
	char warned[WHY_MAX]; /* the reason that was logged last, or "" */
	char text[2UL * WHY_MAX + sizeof(struct broker_address)];
};

static struct mosquitto *client_of(const struct broker *broker)
{
	return broker->attempt->client;
}

__attribute__((format(printf, 2, 3))) static void set_text(
	struct broker *broker, const char *format, ...)
{
	const struct broker_address *address = &broker->options->address;
	int length = snprintf(broker->text, sizeof broker->text,
		strchr(address->host, ':') ? "%s://[%s]:%d: " : "%s://%s:%d: ",
		address->tls ? "mqtts" : "mqtt", address->host, address->port);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(broker->text + length, sizeof broker->text - (size_t)length, format, arguments);
	va_end(arguments);
	broker->events->changed(broker->userdata);
}

static uint32_t random_number(void)
{
	uint32_t number = 0;

	if (getrandom(&number, sizeof number, GRND_NONBLOCK) < 0)
		number = (uint32_t)clock_usec() * 2654435761U;
	return number;
}

/* The library's own words say more than its codes, about certificates above all. */
static void on_log(struct mosquitto *client, void *userdata, int level, const char *text)
{
	struct broker *broker = userdata;
	char *said = broker->attempt->said;

	(void)client;
	if (level != MOSQ_LOG_ERR)
		return;
	snprintf(said, WHY_MAX, "%s", text);
	for (char *p = said; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

/* Why a function of the library failed. error: errno after that */
static const char *explain(const struct broker *broker, int result, int error)
{
	if (result == MOSQ_ERR_EAI)
		return gai_strerror(error);
	if (result == MOSQ_ERR_KEEPALIVE)
		return SILENT;
	if (*broker->attempt->said)
		return broker->attempt->said;
	if (result == MOSQ_ERR_ERRNO)
		return error ? strerror(error) : CLOSED;
	return mosquitto_strerror(result);
}

/* The connection is over, or was not made. It is made again after a pause. */
static void lose(struct broker *broker, const char *why)
{
	bool was_up = broker->state == UP;
	uint64_t pause;
	char reason[WHY_MAX];
	size_t length =
		(size_t)snprintf(reason, sizeof reason, "%s", *broker->lost ? broker->lost : why);

	/* The library's sentences end with a full stop. */
	if (length > 0 && length < sizeof reason && reason[length - 1] == '.')
		reason[length - 1] = '\0';
	if (was_up && clock_usec() - broker->up_since >= GOOD_USEC && strcmp(reason, SILENT) != 0)
		broker->backoff = (struct backoff){0};
	broker->state = PAUSING;
	broker->io = sd_event_source_disable_unref(broker->io);
	timer_stop(broker->housekeeping);
	mosquitto_destroy(client_of(broker));
	broker->attempt->client = NULL;
	*broker->lost = '\0';

	if (broker->found_to_be_old) {
		broker->found_to_be_old = false;
		timer_start(broker->timer, 0);
		return;
	}
	if (!was_up)
		broker->is_old = false;
	pause = backoff_next(&broker->backoff, random_number());
	timer_start(broker->timer, pause);
	set_text(broker, "%s; trying again", reason);
	if (strcmp(broker->warned, reason) != 0) {
		syslog(LOG_WARNING, "%s", broker->text);
		strcpy(broker->warned, reason);
	}
	broker->events->down(broker->userdata);
}

/* The library counts whole seconds: it is called a second after the silence has lasted too long. */
static void start_housekeeping(struct broker *broker, uint64_t quiet_since)
{
	if (broker->keepalive)
		timer_start_at(broker->housekeeping, quiet_since + broker->keepalive + 1000000);
	else
		timer_stop(broker->housekeeping);
}

static void on_connect(struct mosquitto *client, void *userdata, int code, int flags,
	const mosquitto_property *properties)
{
	struct broker *broker = userdata;
	uint16_t keepalive = KEEPALIVE;

	(void)client;
	(void)flags;
	/* The library takes more than one of them. */
	if (broker->state != WAITING)
		return;
	if (code == MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION && !broker->is_old) {
		broker->is_old = broker->found_to_be_old = true;
		return;
	}
	if (code != 0) {
		snprintf(broker->lost, sizeof broker->lost, "%s",
			broker->is_old ? mosquitto_connack_string(code)
				       : mosquitto_reason_string(code));
		return;
	}
	broker->state = UP;
	broker->up_since = clock_usec();
	mosquitto_property_read_int16(properties, MQTT_PROP_SERVER_KEEP_ALIVE, &keepalive, false);
	broker->keepalive = keepalive * 1000000ULL;
	start_housekeeping(broker, clock_usec());
	broker->unacknowledged = broker->subscriptions = 0;
	timer_stop(broker->timer);
	set_text(broker, "connected");
	syslog(LOG_NOTICE, "%s", broker->text);
	*broker->warned = '\0';
	broker->events->up(broker->userdata);
}

static void on_message(struct mosquitto *client, void *userdata,
	const struct mosquitto_message *message, const mosquitto_property *properties)
{
	struct broker *broker = userdata;

	(void)client;
	(void)properties;
	if (message->qos > 0)
		broker->sent = clock_usec(); /* the library acknowledges it */
	broker->events->message(broker->userdata, message->topic, message->payload,
		(size_t)message->payloadlen, message->retain);
}

static void on_publish(struct mosquitto *client, void *userdata, int id, int code,
	const mosquitto_property *properties)
{
	struct broker *broker = userdata;

	(void)client;
	(void)properties;
	if (broker->unacknowledged > 0)
		broker->unacknowledged--;
	if (broker->unacknowledged > 0)
		timer_start(broker->timer, ACKNOWLEDGED_USEC);
	else
		timer_stop(broker->timer);
	/* Codes from 128 on are refusals. */
	broker->events->acknowledged(
		broker->userdata, id, code >= 128 ? mosquitto_reason_string(code) : NULL);
}

static void on_subscribe(struct mosquitto *client, void *userdata, int id, int n,
	const int *granted, const mosquitto_property *properties)
{
	struct broker *broker = userdata;

	(void)client;
	(void)id;
	(void)properties;
	/* The library takes more than there were subscriptions. */
	if (broker->subscriptions == 0 || n < 1)
		return;
	broker->subscriptions--;
	if (granted[0] >= 128)
		syslog(LOG_WARNING, "the broker refuses a subscription: %s",
			mosquitto_reason_string(granted[0]));
}

/* A broker may say why it ends the connection. */
static void on_disconnect(
	struct mosquitto *client, void *userdata, int code, const mosquitto_property *properties)
{
	struct broker *broker = userdata;

	(void)client;
	(void)properties;
	if (code >= 128 && !*broker->lost)
		snprintf(broker->lost, sizeof broker->lost, "%s", mosquitto_reason_string(code));
}

/* A key with a passphrase would have the library ask at a terminal. */
static int no_passphrase(char *text, int size, int for_writing, void *userdata)
{
	(void)text;
	(void)size;
	(void)for_writing;
	(void)userdata;
	return 0;
}

/* Makes a client for one connection: an old one would send again what it had. */
static int make_client(struct broker *broker)
{
	const struct broker_options *options = broker->options;
	struct attempt *attempt = broker->attempt;
	struct mosquitto *client = mosquitto_new(options->id, true, broker);
	int r = MOSQ_ERR_SUCCESS;

	attempt->client = client;
	*attempt->said = '\0';
	if (!client)
		return MOSQ_ERR_NOMEM;
	mosquitto_log_callback_set(client, on_log);
	mosquitto_connect_v5_callback_set(client, on_connect);
	mosquitto_disconnect_v5_callback_set(client, on_disconnect);
	mosquitto_message_v5_callback_set(client, on_message);
	mosquitto_publish_v5_callback_set(client, on_publish);
	mosquitto_subscribe_v5_callback_set(client, on_subscribe);
	mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_property_free_all(&attempt->properties);
	if (!broker->is_old) {
		mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
		r = mosquitto_property_add_int32(
			&attempt->properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, PACKET_MAX);
	}
	if (r == MOSQ_ERR_SUCCESS && options->user)
		r = mosquitto_username_pw_set(client, options->user, options->password);
	if (r == MOSQ_ERR_SUCCESS && options->will_topic)
		r = mosquitto_will_set(client, options->will_topic, (int)strlen(options->will),
			options->will, 1, true);
	if (r == MOSQ_ERR_SUCCESS && options->address.tls)
		r = mosquitto_tls_set(client, options->ca_file, options->ca_file ? NULL : CA_PATH,
			options->cert, options->key, no_passphrase);
	return r;
}

/*
 * Looks the name up, connects, and sends CONNECT. The library does the first two only while its
 * caller waits, and only with the name it can check the certificate.
 */
static void *run_attempt(void *argument)
{
	struct attempt *attempt = argument;
	const struct broker_address *address = &attempt->options->address;

	attempt->result = mosquitto_connect_bind_v5(attempt->client, address->host, address->port,
		KEEPALIVE, NULL, attempt->properties);
	attempt->error = errno;
	eventfd_write(attempt->done, 1);
	return NULL;
}

static void start_attempt(struct broker *broker)
{
	struct attempt *attempt = broker->attempt;
	pthread_t thread;
	int r = make_client(broker);

	if (r != MOSQ_ERR_SUCCESS) {
		lose(broker, explain(broker, r, errno));
		return;
	}
	r = pthread_create(&thread, NULL, run_attempt, attempt);
	if (r != 0) {
		lose(broker, strerror(r));
		return;
	}
	pthread_detach(thread);
	attempt->running = true;
	broker->state = CONNECTING;
	set_text(broker, "%s",
		*broker->warned ? broker->warned : "looking up its name, and connecting");
}

/* Waits for what the library is to be called for next. */
static void watch(struct broker *broker)
{
	bool has_more = mosquitto_want_write(client_of(broker));
	uint32_t events = has_more ? EPOLLOUT : 0;

	/* Without room for acknowledgements, more to be acknowledged would only fill memory. */
	if (!broker->paused && !(has_more && broker->state == UP))
		events |= EPOLLIN;
	if (broker->state == WAITING)
		events |= EPOLLRDHUP;
	sd_event_source_set_io_events(broker->io, events);
}

/* To be called whenever the library has been called. The connection may be over afterwards. */
static void follow_up(struct broker *broker, int result)
{
	struct mosquitto *client = client_of(broker);
	int error = errno;

	if (broker->state != WAITING && broker->state != UP)
		return;
	/* Versions from 2.0.20 on do not understand the answer of MQTT 3.1.1. */
	if (broker->state == WAITING && !broker->is_old &&
		(result == MOSQ_ERR_PROTOCOL || result == MOSQ_ERR_MALFORMED_PACKET))
		broker->is_old = broker->found_to_be_old = true;
	if (result != MOSQ_ERR_SUCCESS || mosquitto_socket(client) < 0) {
		lose(broker, result == MOSQ_ERR_SUCCESS ? CLOSED : explain(broker, result, error));
		return;
	}
	watch(broker);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct broker *broker = userdata;
	struct mosquitto *client = client_of(broker);
	const int now = 1;
	int r = MOSQ_ERR_SUCCESS;

	(void)source;
	/* The library takes an EAGAIN of before for one of its own, and stops too early. */
	errno = 0;
	if (events & EPOLLOUT) {
		broker->sent = clock_usec();
		r = mosquitto_loop_write(client, 1);
	}
	errno = 0;
	if (r == MOSQ_ERR_SUCCESS && events & ~(uint32_t)EPOLLOUT) {
		broker->heard = clock_usec();
		r = mosquitto_loop_read(client, 1);
	}
	/*
	 * A broker that leaves Nagle's algorithm on, as mosquitto does, holds the next command back
	 * until the kernel has acknowledged these bytes: 40 ms later, unless it is told to do it
	 * now. It has to be told each time: tcp(7).
	 */
	setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &now, sizeof now);
	/* In a TLS handshake, version 2.0.11 does not notice that the other end is gone. */
	if (r == MOSQ_ERR_SUCCESS && broker->state == WAITING &&
		events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		r = MOSQ_ERR_CONN_LOST;
	follow_up(broker, r);
	return 0;
}

static int on_attempted(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct broker *broker = userdata;
	struct attempt *attempt = broker->attempt;
	eventfd_t value;
	int copy, r;

	(void)source;
	(void)events;
	if (eventfd_read(fd, &value) < 0)
		return 0;
	attempt->running = false;
	if (attempt->result != MOSQ_ERR_SUCCESS) {
		lose(broker, explain(broker, attempt->result, attempt->error));
		return 0;
	}
	/* The library closes its socket by itself. A copy has a number that stays ours. */
	copy = fcntl(mosquitto_socket(attempt->client), F_DUPFD_CLOEXEC, 0);
	r = copy < 0 ? -errno
		     : sd_event_add_io(broker->event, &broker->io, copy, EPOLLIN, on_io, broker);
	if (r < 0) {
		if (copy >= 0)
			close(copy);
		lose(broker, strerror(-r));
		return 0;
	}
	sd_event_source_set_io_fd_own(broker->io, true);
	broker->state = WAITING;
	broker->paused = false;
	broker->sent = broker->heard = clock_usec();
	timer_start(broker->timer, CONNACK_USEC);
	follow_up(broker, MOSQ_ERR_SUCCESS);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct broker *broker = userdata;

	(void)source;
	(void)usec;
	if (broker->state == PAUSING)
		start_attempt(broker);
	else if (broker->paused)
		timer_start(broker->timer, ACKNOWLEDGED_USEC);
	else if (broker->state == WAITING || broker->state == UP)
		lose(broker, SILENT);
	return 0;
}

/* There is something to be done only after silence in one direction. */
static int on_housekeeping(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct broker *broker = userdata;
	uint64_t now = clock_usec();
	uint64_t quiet_since = broker->sent < broker->heard ? broker->sent : broker->heard;
	int r = MOSQ_ERR_SUCCESS;

	(void)source;
	(void)usec;
	if (now > quiet_since + broker->keepalive) {
		r = mosquitto_loop_misc(client_of(broker));
		broker->sent = broker->heard = quiet_since = now;
	}
	start_housekeeping(broker, quiet_since);
	follow_up(broker, r);
	return 0;
}

struct broker *broker_create(sd_event *event, const struct broker_options *options,
	const struct broker_events *events, void *userdata)
{
	struct broker *broker = calloc(1, sizeof *broker);
	int r;

	if (!broker)
		return NULL;
	mosquitto_lib_init();
	broker->event = sd_event_ref(event);
	broker->options = options;
	broker->events = events;
	broker->userdata = userdata;
	broker->state = PAUSING;
	broker->attempt = calloc(1, sizeof *broker->attempt);
	if (broker->attempt) {
		broker->attempt->options = options;
		broker->attempt->done = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	}
	r = broker->attempt && broker->attempt->done >= 0
		    ? sd_event_add_io(event, &broker->attempted, broker->attempt->done, EPOLLIN,
			      on_attempted, broker)
		    : -errno;
	if (r >= 0)
		r = timer_add(event, &broker->timer, ACCURACY_USEC, on_timer, broker);
	/* What has come counts, also where this process could not read it in time. */
	if (r >= 0)
		r = sd_event_source_set_priority(broker->timer, SD_EVENT_PRIORITY_NORMAL + 1);
	if (r >= 0)
		r = timer_add(event, &broker->housekeeping, ACCURACY_USEC, on_housekeeping, broker);
	if (r < 0) {
		broker_destroy(broker);
		return NULL;
	}
	timer_start(broker->timer, 0);
	return broker;
}

bool broker_is_up(const struct broker *broker)
{
	return broker->state == UP;
}

int broker_socket(const struct broker *broker)
{
	return mosquitto_socket(client_of(broker));
}

const char *broker_text(const struct broker *broker)
{
	return broker->text;
}

const char *broker_publish(
	struct broker *broker, const char *topic, const char *payload, bool retain, int *id)
{
	int r;

	if (broker->state != UP)
		return broker->text;
	r = mosquitto_publish(
		client_of(broker), id, topic, (int)strlen(payload), payload, 1, retain);
	if (r != MOSQ_ERR_SUCCESS)
		return mosquitto_strerror(r);
	broker->sent = clock_usec();
	if (broker->unacknowledged++ == 0)
		timer_start(broker->timer, ACKNOWLEDGED_USEC);
	/* Of a connection that breaks here, the next event tells: this may be a callback. */
	watch(broker);
	return NULL;
}

void broker_subscribe(struct broker *broker, const char *filter, enum broker_delivery delivery)
{
	static const int OPTIONS[] = {
		[BROKER_COMMANDS] = MQTT_SUB_OPT_SEND_RETAIN_NEVER,
		[BROKER_RETAINED] = MQTT_SUB_OPT_NO_LOCAL,
		[BROKER_EVERYTHING] = 0,
	};

	broker->subscriptions++;
	mosquitto_subscribe_v5(
		client_of(broker), NULL, filter, 1, broker->is_old ? 0 : OPTIONS[delivery], NULL);
	watch(broker);
}

void broker_pause(struct broker *broker, bool paused)
{
	if (broker->paused == paused || broker->state != UP)
		return;
	broker->paused = paused;
	watch(broker);
}

void broker_disconnect(struct broker *broker)
{
	if (broker->state == UP)
		mosquitto_disconnect(client_of(broker));
	broker->state = STOPPED;
	broker->io = sd_event_source_disable_unref(broker->io);
	timer_stop(broker->timer);
	timer_stop(broker->housekeeping);
}

void broker_destroy(struct broker *broker)
{
	if (!broker)
		return;
	sd_event_source_disable_unref(broker->io);
	sd_event_source_disable_unref(broker->attempted);
	sd_event_source_disable_unref(broker->timer);
	sd_event_source_disable_unref(broker->housekeeping);
	/* A thread that still runs uses these: the memory is left for the exit to free. */
	if (broker->attempt && !broker->attempt->running) {
		mosquitto_destroy(client_of(broker));
		mosquitto_property_free_all(&broker->attempt->properties);
		if (broker->attempt->done >= 0)
			close(broker->attempt->done);
		free(broker->attempt);
		mosquitto_lib_cleanup();
	}
	sd_event_unref(broker->event);
	free(broker);
}
