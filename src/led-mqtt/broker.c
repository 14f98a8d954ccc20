/* SPDX-License-Identifier: MIT */

/*
 * A connection to an MQTT broker.
 *
 * libmosquitto reads and writes packets, but it gets no connection: it has one end of a socket
 * pair, and what passes between the other end and the broker is passed on here. So a thread can
 * connect without blocking anybody, nothing gets to the library that it does not survive
 * (packets.h), it gets one packet after the other, and none while reading is paused.
 */

#include "broker.h"

#include <errno.h>
#include <fcntl.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "arrival.h"
#include "backlog.h"
#include "clock.h"
#include "deferred.h"
#include "packets.h"
#include "random-number.h"
#include "session.h"
#include "task.h"
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

/* Nothing here needs to be exact: the kernel may join wake-ups. */
#define ACCURACY_USEC 250000

/* Packets that are read before others have their turn. */
#define PACKETS_A_TURN 64

/*
 * What is left after a turn comes after clients, new ones too, and signals: a broker may send
 * without end.
 */
#define LOW_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 2)

#define CHUNK_MAX 4096
#define WHY_MAX TRANSPORT_WHY_MAX

/* The first reason code of MQTT that is a refusal. */
#define REFUSALS 128

static const char SILENT[] = "the broker does not answer";
static const char TAKEN_OVER[] =
	"another machine has the same MQTT_HOST, and has taken the session over: set MQTT_HOST";
static const char MAYBE_TAKEN_OVER[] = "the broker closes one connection after the other: another "
				       "machine may have the same MQTT_HOST";

/* The work of a task: it connects. */
struct attempt {
	struct transport_options options;
	char *texts[3]; /* of the options */
	struct transport transport;
	char why[WHY_MAX];
};

enum state { PAUSING, CONNECTING, WAITING /* for the CONNACK */, UP, STOPPED };

struct broker {
	sd_event *event;
	const struct broker_options *options;
	const struct broker_events *events;
	void *userdata;

	enum state state;
	struct session session;
	struct task *attempt; /* to connect; or NULL */
	struct transport transport;
	struct mosquitto *client;
	int pair; /* our end: the other end is the client's */
	struct packets packets;
	struct backlog backlog;
	struct arrival_clock clock;
	uint64_t arrival; /* of what is in the buffer */
	unsigned char in[CHUNK_MAX], out[CHUNK_MAX];
	size_t in_length, in_taken, out_length, out_sent;
	bool paused;

	sd_event_source *io, *go_on, *timer, *housekeeping;
	unsigned unacknowledged, subscriptions; /* that the broker has not answered */
	uint64_t sent, heard; /* microseconds: when something was sent, and when something came */
	uint64_t silence;     /* microseconds after which the library is called; or 0 */
	enum session_end end; /* what it means if the connection ends now */
	char lost[WHY_MAX];   /* why it ends, where a callback knows it */
	char warned[WHY_MAX]; /* the reason that was logged last, or "" */
	char text[2UL * WHY_MAX + sizeof(struct broker_address)];
};

__attribute__((format(printf, 2, 3))) static void set_text(
	struct broker *broker, const char *format, ...)
{
	const struct broker_address *address = &broker->options->transport.address;
	int length = snprintf(broker->text, sizeof broker->text,
		strchr(address->host, ':') ? "%s://[%s]:%d: " : "%s://%s:%d: ",
		address->tls ? "mqtts" : "mqtt", address->host, address->port);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(broker->text + length, sizeof broker->text - (size_t)length, format, arguments);
	va_end(arguments);
}

static bool has_connection(const struct broker *broker)
{
	return broker->state == WAITING || broker->state == UP;
}

/* --- the end of a connection ------------------------------------------------------------ */

/* Closes the connection, from whichever side and however far it was. */
static void close_connection(struct broker *broker)
{
	broker->io = sd_event_source_disable_unref(broker->io);
	timer_stop(broker->housekeeping);
	timer_stop(broker->timer);
	sd_event_source_set_enabled(broker->go_on, SD_EVENT_OFF);
	mosquitto_destroy(broker->client);
	broker->client = NULL;
	if (broker->pair >= 0)
		close(broker->pair);
	broker->pair = -1;
	transport_close(&broker->transport);
}

/* The connection is over, or was not made. It is made again after a pause. */
static void lose(struct broker *broker, enum session_end end, const char *why)
{
	uint64_t pause = session_end(&broker->session, end, clock_usec(), random_number());
	char reason[WHY_MAX];

	/* mosquitto up to 2.0.11, and any broker in MQTT 3.1.1, do not say it. */
	if (session_is_taken(&broker->session) && strcmp(why, TRANSPORT_CLOSED) == 0)
		why = MAYBE_TAKEN_OVER;
	snprintf(reason, sizeof reason, "%s", *broker->lost ? broker->lost : why);
	/* The library's sentences end with a full stop. */
	if (*reason && reason[strlen(reason) - 1] == '.')
		reason[strlen(reason) - 1] = '\0';
	*broker->lost = '\0';
	close_connection(broker);
	broker->state = PAUSING;
	timer_start(broker->timer, pause);
	/* It goes on at once, in another version. */
	if (pause == 0)
		return;
	set_text(broker, "%s; trying again", reason);
	if (strcmp(broker->warned, reason) != 0) {
		syslog(LOG_WARNING, "%s", broker->text);
		strcpy(broker->warned, reason);
	}
	broker->events->down(broker->userdata);
}

/* --- callbacks of the library ----------------------------------------------------------- */

/* Has the library called again outside its callbacks, and what it has written passed on. */
static void go_on_later(struct broker *broker)
{
	deferred_start(broker->go_on);
}

static uint64_t quiet_until(const struct broker *broker)
{
	return (broker->sent < broker->heard ? broker->sent : broker->heard) + broker->silence;
}

static void start_housekeeping(struct broker *broker)
{
	if (broker->silence)
		timer_start_at(broker->housekeeping, quiet_until(broker));
}

static void on_connect(struct mosquitto *client, void *userdata, int code, int flags,
	const mosquitto_property *properties)
{
	struct broker *broker = userdata;
	uint16_t keepalive = KEEPALIVE;

	/* The library takes more than one of them. */
	if (broker->state != WAITING)
		return;
	if (code != 0) {
		bool is_v5 = broker->session.version == SESSION_V5;

		broker->end = is_v5 && code == MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION
				      ? SESSION_OLD
				      : SESSION_REFUSED;
		snprintf(broker->lost, sizeof broker->lost, "%s",
			is_v5 ? mosquitto_reason_string(code) : mosquitto_connack_string(code));
		return;
	}
	broker->state = UP;
	broker->end = SESSION_LOST;
	session_up(&broker->session, clock_usec());
	mosquitto_property_read_int16(properties, MQTT_PROP_SERVER_KEEP_ALIVE, &keepalive, false);
	broker->silence = keepalive ? session_silence_usec(keepalive) : 0;
	start_housekeeping(broker);
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

	broker->events->message(broker->userdata, message->topic, message->payload,
		(size_t)message->payloadlen, message->retain);
}

static void on_publish(struct mosquitto *client, void *userdata, int id, int code,
	const mosquitto_property *properties)
{
	struct broker *broker = userdata;
	enum broker_outcome outcome = BROKER_TAKEN;

	if (broker->unacknowledged > 0)
		broker->unacknowledged--;
	if (broker->unacknowledged > 0)
		timer_start(broker->timer, ACKNOWLEDGED_USEC);
	else
		timer_stop(broker->timer);
	if (code >= REFUSALS)
		outcome = BROKER_REFUSED;
	else if (code == MQTT_RC_NO_MATCHING_SUBSCRIBERS)
		outcome = BROKER_UNWANTED;
	broker->events->acknowledged(broker->userdata, id, outcome, mosquitto_reason_string(code));
}

static void on_subscribe(struct mosquitto *client, void *userdata, int id, int n,
	const int *granted, const mosquitto_property *properties)
{
	struct broker *broker = userdata;

	/* The library takes more than there were subscriptions. */
	if (broker->subscriptions == 0 || n < 1)
		return;
	broker->subscriptions--;
	if (granted[0] >= REFUSALS)
		syslog(LOG_WARNING, "the broker refuses a subscription: %s",
			mosquitto_reason_string(granted[0]));
}

/* A broker may say why it ends the connection. */
static void on_disconnect(
	struct mosquitto *client, void *userdata, int code, const mosquitto_property *properties)
{
	struct broker *broker = userdata;

	if (code >= REFUSALS && !*broker->lost)
		snprintf(broker->lost, sizeof broker->lost, "%s",
			code == MQTT_RC_SESSION_TAKEN_OVER ? TAKEN_OVER
							   : mosquitto_reason_string(code));
}

/* --- bytes between the library and the broker ------------------------------------------- */

/* Takes what the library writes, and sends it to the broker, as far as there is room. */
static const char *send_out(struct broker *broker)
{
	const char *why = NULL;
	ssize_t n;

	if (mosquitto_want_write(broker->client))
		mosquitto_loop_write(broker->client, 1);
	for (;;) {
		if (broker->out_sent == broker->out_length) {
			n = read(broker->pair, broker->out, sizeof broker->out);
			broker->out_length = n > 0 ? (size_t)n : 0;
			broker->out_sent = 0;
			if (n <= 0)
				return NULL;
		}
		n = transport_write(&broker->transport, broker->out + broker->out_sent,
			broker->out_length - broker->out_sent, &why);
		if (n <= 0)
			return n < 0 ? why : NULL;
		broker->out_sent += (size_t)n;
		broker->sent = clock_usec();
	}
}

/* Gives the library a packet. Returns NULL, or why the connection is over. */
static const char *give_packet(struct broker *broker)
{
	const struct packets *packets = &broker->packets;
	int r;

	if (write(broker->pair, packets->bytes, packets->length) != (ssize_t)packets->length)
		return strerror(errno);
	errno = 0; /* the library takes an EAGAIN of before for one of its own */
	r = mosquitto_loop_read(broker->client, 1);
	if (r != MOSQ_ERR_SUCCESS)
		return mosquitto_strerror(r);
	return mosquitto_socket(broker->client) < 0 ? "the broker has ended the connection" : NULL;
}

/* A broker that does not know MQTT 5 answers in MQTT 3.1.1, also if it refuses for another reason.
 */
static const char *take_old_answer(struct broker *broker)
{
	int code = broker->packets.bytes[3];

	broker->end = code == 0 || code == CONNACK_REFUSED_PROTOCOL_VERSION ? SESSION_OLD
									    : SESSION_REFUSED;
	return mosquitto_connack_string(code);
}

static const char *take_bytes(struct broker *broker)
{
	size_t taken;
	enum packets_verdict verdict = packets_take(&broker->packets, broker->in + broker->in_taken,
		broker->in_length - broker->in_taken, &taken);

	broker->in_taken += taken;
	switch (verdict) {
	case PACKETS_COMPLETE:
		return give_packet(broker);
	case PACKETS_OLD:
		return take_old_answer(broker);
	case PACKETS_BROKEN:
		return "the broker has sent a broken packet";
	case PACKETS_MORE:
		break;
	}
	return NULL;
}

/* Reads a chunk. Returns whether something has come. why: set if the connection is over */
static bool read_chunk(struct broker *broker, const char **why)
{
	const int on = 1;
	uint64_t newest, now;
	ssize_t n = transport_read(&broker->transport, broker->in, sizeof broker->in, why);

	/*
	 * A broker that leaves Nagle's algorithm on, as mosquitto does, holds the next command back
	 * until the kernel has acknowledged these bytes: 40 ms later, unless this asks for it now.
	 * That has to be done each time: tcp(7).
	 */
	setsockopt(broker->transport.fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
	broker->in_taken = 0;
	broker->in_length = n > 0 ? (size_t)n : 0;
	if (n <= 0)
		return false;
	broker->heard = clock_usec();
	newest = arrival_ms(&broker->clock, broker->transport.fd, &now);
	broker->arrival = backlog_read(
		&broker->backlog, (size_t)n, transport_unread(&broker->transport), newest, now);
	return true;
}

/* Without room for acknowledgements, more to be acknowledged would only fill memory. */
static bool may_read(const struct broker *broker)
{
	return !broker->paused && broker->out_sent == broker->out_length;
}

/* Returns why the connection is over, or NULL. */
static const char *pass_on(struct broker *broker)
{
	const char *why = send_out(broker);

	sd_event_source_set_priority(broker->io, SD_EVENT_PRIORITY_NORMAL);
	for (int i = 0; i < PACKETS_A_TURN && !why && may_read(broker); i++) {
		if (broker->in_taken == broker->in_length && !read_chunk(broker, &why))
			return why;
		why = take_bytes(broker);
		if (!why)
			why = send_out(broker);
	}
	if (!why && may_read(broker)) {
		sd_event_source_set_priority(broker->io, LOW_PRIORITY);
		go_on_later(broker);
	}
	return why;
}

/* Passes on what there is, and waits for more. The connection may be over afterwards. */
static void work(struct broker *broker)
{
	const char *why;
	uint32_t events = 0;

	if (!has_connection(broker))
		return;
	why = pass_on(broker);
	if (why) {
		lose(broker, broker->end, why);
		return;
	}
	if (may_read(broker))
		events |= EPOLLIN;
	if (broker->out_sent < broker->out_length)
		events |= EPOLLOUT;
	sd_event_source_set_io_events(broker->io, events);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	work(userdata);
	return 0;
}

static int on_go_on(sd_event_source *source, void *userdata)
{
	work(userdata);
	return 0;
}

/* There is something to be done only after silence in one direction. */
static int on_housekeeping(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct broker *broker = userdata;
	uint64_t now = clock_usec();

	if (now >= quiet_until(broker)) {
		if (mosquitto_loop_misc(broker->client) != MOSQ_ERR_SUCCESS) {
			lose(broker, SESSION_SILENT, SILENT);
			return 0;
		}
		broker->sent = broker->heard = now;
	}
	start_housekeeping(broker);
	work(broker);
	return 0;
}

/* --- a new connection ------------------------------------------------------------------- */

static void release_attempt(void *work)
{
	struct attempt *attempt = work;

	transport_close(&attempt->transport);
	for (size_t i = 0; i < sizeof attempt->texts / sizeof *attempt->texts; i++)
		free(attempt->texts[i]);
	free(attempt);
}

static const char *copy(const char *text, char **place)
{
	*place = text ? strdup(text) : NULL;
	return *place;
}

/* Returns NULL when memory is short. */
static struct attempt *create_attempt(const struct transport_options *options)
{
	struct attempt *attempt = calloc(1, sizeof *attempt);

	if (!attempt)
		return NULL;
	attempt->transport.fd = -1;
	attempt->options.address = options->address;
	attempt->options.ca_file = copy(options->ca_file, &attempt->texts[0]);
	attempt->options.cert = copy(options->cert, &attempt->texts[1]);
	attempt->options.key = copy(options->key, &attempt->texts[2]);
	return attempt;
}

static void run_attempt(void *work)
{
	struct attempt *attempt = work;

	transport_open(&attempt->transport, &attempt->options, attempt->why);
}

/* Makes a client for one connection: an old one would send again what it had. */
static int make_client(struct broker *broker, mosquitto_property **properties)
{
	const struct broker_options *options = broker->options;
	struct mosquitto *client = broker->client = mosquitto_new(options->id, true, broker);
	int r = MOSQ_ERR_SUCCESS;

	if (!client)
		return MOSQ_ERR_NOMEM;
	mosquitto_connect_v5_callback_set(client, on_connect);
	mosquitto_disconnect_v5_callback_set(client, on_disconnect);
	mosquitto_message_v5_callback_set(client, on_message);
	mosquitto_publish_v5_callback_set(client, on_publish);
	mosquitto_subscribe_v5_callback_set(client, on_subscribe);
	if (broker->session.version == SESSION_V5) {
		mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
		r = mosquitto_property_add_int32(
			properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, PACKETS_MAX);
	}
	if (r == MOSQ_ERR_SUCCESS && options->user)
		r = mosquitto_username_pw_set(client, options->user, options->password);
	if (r == MOSQ_ERR_SUCCESS && options->will_topic)
		r = mosquitto_will_set(client, options->will_topic, (int)strlen(options->will),
			options->will, 1, true);
	return r;
}

/* Opens a socket of this machine's own that can be connected to. Returns it, or -1. */
static int open_listener(struct sockaddr_in *address)
{
	socklen_t size = sizeof *address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* Without bind(2), which the unit forbids, the kernel picks a port. */
	setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", sizeof "lo");
	if (fd >= 0 &&
		(listen(fd, 1) < 0 || getsockname(fd, (struct sockaddr *)address, &size) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * Puts one end of a socket pair in the place of the client's socket, and takes the CONNECT that it
 * has sent there. Returns whether that worked.
 */
static bool take_over(struct broker *broker, int listener)
{
	int socket = mosquitto_socket(broker->client), pair[2], accepted;
	struct sockaddr_in ours = {0}, peer = {0};
	socklen_t size = sizeof ours, peer_size = sizeof peer;
	ssize_t n;

	if (getsockname(socket, (struct sockaddr *)&ours, &size) < 0 ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	broker->pair = pair[0];
	/* This closes what the client has connected, so that the other end has an end, too. */
	dup3(pair[1], socket, O_CLOEXEC);
	close(pair[1]);
	accepted = accept4(listener, (struct sockaddr *)&peer, &peer_size, SOCK_CLOEXEC);
	if (accepted < 0)
		return false;
	broker->out_length = broker->out_sent = 0;
	while (peer.sin_port == ours.sin_port && broker->out_length < sizeof broker->out &&
		(n = recv(accepted, broker->out + broker->out_length,
			 sizeof broker->out - broker->out_length, 0)) > 0)
		broker->out_length += (size_t)n;
	close(accepted);
	return broker->out_length > 0;
}

/*
 * Gives the client its end of a socket pair. The library has no call for that: it connects to a
 * socket of our own, whose place is then taken. Returns NULL, or why that failed.
 */
static const char *connect_client(struct broker *broker)
{
	mosquitto_property *properties = NULL;
	struct sockaddr_in address = {0};
	int listener = open_listener(&address), r = make_client(broker, &properties);
	bool is_connected = false;

	if (r == MOSQ_ERR_SUCCESS && listener >= 0) {
		r = mosquitto_connect_bind_v5(broker->client, "127.0.0.1", ntohs(address.sin_port),
			KEEPALIVE, NULL, properties);
		is_connected = r == MOSQ_ERR_SUCCESS && take_over(broker, listener);
	}
	mosquitto_property_free_all(&properties);
	if (listener >= 0)
		close(listener);
	if (is_connected)
		return NULL;
	return r == MOSQ_ERR_SUCCESS || r == MOSQ_ERR_ERRNO ? strerror(errno)
							    : mosquitto_strerror(r);
}

/* There is a connection: MQTT begins. */
static void begin(struct broker *broker)
{
	const char *why = connect_client(broker);
	int r = 0;

	if (!why)
		r = sd_event_add_io(
			broker->event, &broker->io, broker->transport.fd, EPOLLIN, on_io, broker);
	if (why || r < 0) {
		lose(broker, SESSION_UNREACHED, why ? why : strerror(-r));
		return;
	}
	broker->state = WAITING;
	broker->end = SESSION_CLOSED;
	broker->paused = false;
	broker->in_length = broker->in_taken = 0;
	broker->packets.length = broker->packets.wanted = 0;
	broker->packets.is_v5 = broker->session.version == SESSION_V5;
	broker->sent = broker->heard = clock_usec();
	backlog_start(&broker->backlog, arrival_now_ms(&broker->clock));
	timer_start(broker->timer, CONNACK_USEC);
	work(broker);
}

static void on_attempted(void *work, void *userdata)
{
	struct broker *broker = userdata;
	struct attempt *attempt = work;

	broker->attempt = NULL;
	broker->transport = attempt->transport;
	attempt->transport = (struct transport){.fd = -1};
	if (broker->transport.fd >= 0)
		begin(broker);
	else
		lose(broker, SESSION_UNREACHED, attempt->why);
}

static void start_attempt(struct broker *broker)
{
	static const struct task_kind KIND = {run_attempt, on_attempted, release_attempt};
	struct attempt *attempt = create_attempt(&broker->options->transport);

	if (attempt)
		broker->attempt = task_start(broker->event, &KIND, attempt, broker);
	if (!broker->attempt) {
		int error = errno;

		if (attempt)
			release_attempt(attempt);
		lose(broker, SESSION_UNREACHED, strerror(error));
		return;
	}
	broker->state = CONNECTING;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct broker *broker = userdata;

	if (broker->state == PAUSING)
		start_attempt(broker);
	else if (broker->paused)
		timer_start(broker->timer, ACKNOWLEDGED_USEC);
	else if (has_connection(broker))
		lose(broker, SESSION_SILENT, SILENT);
	return 0;
}

/* --- for others ------------------------------------------------------------------------- */

struct broker *broker_create(sd_event *event, const struct broker_options *options,
	const struct broker_events *events, void *userdata)
{
	struct broker *broker = calloc(1, sizeof *broker);
	int r;

	if (!broker)
		return NULL;
	mosquitto_lib_init();
	signal(SIGPIPE, SIG_IGN); /* OpenSSL writes as it likes */
	broker->event = sd_event_ref(event);
	broker->options = options;
	broker->events = events;
	broker->userdata = userdata;
	session_start(&broker->session);
	broker->pair = broker->transport.fd = -1;
	arrival_clock_open(&broker->clock);
	r = timer_add(event, &broker->timer, ACCURACY_USEC, on_timer, broker);
	/* What has come counts, also where this process could not read it in time. */
	if (r >= 0)
		r = sd_event_source_set_priority(broker->timer, LOW_PRIORITY + 1);
	if (r >= 0)
		r = timer_add(event, &broker->housekeeping, ACCURACY_USEC, on_housekeeping, broker);
	if (r >= 0)
		r = deferred_add(event, &broker->go_on, LOW_PRIORITY, on_go_on, broker);
	if (r < 0) {
		broker_destroy(broker);
		return NULL;
	}
	set_text(broker, "looking up its name, and connecting");
	timer_start(broker->timer, 0);
	return broker;
}

bool broker_is_up(const struct broker *broker)
{
	return broker->state == UP;
}

uint64_t broker_arrival_ms(const struct broker *broker)
{
	return broker->arrival;
}

void broker_stood_still(struct broker *broker)
{
	backlog_still(&broker->backlog);
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
	r = mosquitto_publish(broker->client, id, topic, (int)strlen(payload), payload, 1, retain);
	if (r != MOSQ_ERR_SUCCESS)
		return mosquitto_strerror(r);
	if (broker->unacknowledged++ == 0)
		timer_start(broker->timer, ACKNOWLEDGED_USEC);
	go_on_later(broker);
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
	mosquitto_subscribe_v5(broker->client, NULL, filter, 1,
		broker->session.version == SESSION_V5 ? OPTIONS[delivery] : 0, NULL);
	go_on_later(broker);
}

void broker_pause(struct broker *broker, bool paused)
{
	if (broker->paused == paused || broker->state != UP)
		return;
	broker->paused = paused;
	if (paused)
		backlog_still(&broker->backlog);
	go_on_later(broker);
}

void broker_disconnect(struct broker *broker)
{
	if (broker->state == UP) {
		mosquitto_disconnect(broker->client);
		send_out(broker);
	}
	close_connection(broker);
	if (broker->attempt)
		task_abandon(broker->attempt);
	broker->attempt = NULL;
	broker->state = STOPPED;
}

void broker_destroy(struct broker *broker)
{
	if (!broker)
		return;
	if (broker->timer && broker->housekeeping && broker->go_on)
		broker_disconnect(broker);
	sd_event_source_disable_unref(broker->timer);
	sd_event_source_disable_unref(broker->housekeeping);
	sd_event_source_disable_unref(broker->go_on);
	arrival_clock_close(&broker->clock);
	sd_event_unref(broker->event);
	free(broker);
	mosquitto_lib_cleanup();
}
