/* SPDX-License-Identifier: MIT */
#include "delivery.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "timer.h"

#define MSEC 1000ULL

/* For one address: a name may have another one, and that may answer. */
#define CONNECT_USEC (2000 * MSEC)

/* Longer than led-handler takes to say that led-line is out of reach. */
#define ANSWER_USEC (5500 * MSEC)

/* The answer to a key of a server without keys, such as our 0.1.0. */
#define UNKNOWN "ERR unknown command"

/* The pause between two attempts doubles each time, from the first value to the last. */
#define PAUSE_FIRST_USEC (50 * MSEC)
#define PAUSE_LAST_USEC (1600 * MSEC)

/* Retries need not be exact: the kernel may join wake-ups. */
#define ACCURACY_USEC (5 * MSEC)

struct press {
	unsigned long number;
	enum occasion occasion;
	uint64_t at; /* microseconds of CLOCK_MONOTONIC */
	/* For a TOGGLE or PULSE; "" where the server knows no keys. */
	char key[COMMAND_KEY_MAX + 1];
};

/* A name that is being looked up, by a thread. */
struct lookup {
	struct address server;
	struct addrinfo *result;
	const char *why; /* why there is no result */
	int done;        /* eventfd(2): the thread has written here, and is gone */
	bool running;
};

enum state {
	IDLE,
	LOOKING_UP,
	CONNECTING,
	ANSWERING, /* the command is sent */
	PAUSING,
};

struct delivery {
	sd_event *event;
	struct address server;
	const struct commands *lists;
	unsigned next_command[OCCASIONS];
	uint64_t retry_usec;
	delivery_changed changed;
	void *userdata;

	struct press queue[DELIVERY_QUEUE]; /* a ring; the first is being delivered */
	unsigned first, waiting;
	unsigned long overflow_first, overflow_last; /* found no room, not logged yet; or 0 */

	enum state state;
	struct lookup *lookup;
	sd_event_source *on_lookup;
	struct addrinfo *addresses, *next_address;
	int fd;
	sd_event_source *io, *timer;
	uint64_t pause_usec;
	char answer[ANSWER_MAX];
	size_t answer_length;
	size_t sent;     /* bytes of the command on this connection */
	bool has_spoken; /* the server has answered with a line before, so it always does */

	unsigned long pressed, delivered, dropped;
	char outcome[ANSWER_MAX + 128];
};

static void attempt(struct delivery *delivery);
static void connect_next(struct delivery *delivery, const char *why);

/* The command of the press that is being delivered. */
static const char *command_of(const struct delivery *delivery)
{
	enum occasion occasion = delivery->queue[delivery->first].occasion;

	return delivery->lists[occasion].texts[delivery->next_command[occasion]];
}

/*
 * Whether a command must not be carried out twice, and has no key against that: a TOGGLE or a
 * PULSE. One with a configured key is sent unchanged.
 *
 * request: set to what the command asks for
 */
static bool needs_key(const char *text, struct request *request)
{
	struct command command = {0};

	command_feed(&command, text, strlen(text));
	return !command_parse(&command, request) && !*request->key &&
	       (request->verb == VERB_TOGGLE || request->verb == VERB_PULSE);
}

/* Makes a random key. By it, the server recognizes a command that it has already carried out. */
static void make_key(char key[COMMAND_KEY_MAX + 1])
{
	static const char DIGITS[32] = "abcdefghijklmnopqrstuvwxyz234567";
	unsigned char random[COMMAND_KEY_MAX];

	*key = '\0';
	if (getrandom(random, sizeof random, 0) != sizeof random)
		return;
	for (size_t i = 0; i < COMMAND_KEY_MAX; i++)
		key[i] = DIGITS[random[i] % sizeof DIGITS];
	key[COMMAND_KEY_MAX] = '\0';
}

static void tell(struct delivery *delivery)
{
	struct delivery_counts counts = {
		.pressed = delivery->pressed,
		.delivered = delivery->delivered,
		.dropped = delivery->dropped,
		.waiting = delivery->waiting,
		.outcome = delivery->outcome,
	};

	delivery->changed(delivery->userdata, &counts);
}

__attribute__((format(printf, 2, 3))) static void set_outcome(
	struct delivery *delivery, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(delivery->outcome, sizeof delivery->outcome, format, args);
	va_end(args);
}

/* Ends the attempt: closes the connection, frees the addresses, stops the timer. */
static void hang_up(struct delivery *delivery)
{
	delivery->io = sd_event_source_disable_unref(delivery->io);
	if (delivery->fd >= 0)
		close(delivery->fd);
	delivery->fd = -1;
	if (delivery->addresses)
		freeaddrinfo(delivery->addresses);
	delivery->addresses = delivery->next_address = NULL;
	delivery->sent = 0;
	timer_stop(delivery->timer);
	delivery->state = IDLE;
}

/* One warning for all presses that found no room since the last warning. */
static void log_overflow(struct delivery *delivery)
{
	char numbers[50];
	int n = snprintf(numbers, sizeof numbers, "%lu", delivery->overflow_first);

	if (delivery->overflow_last != delivery->overflow_first)
		snprintf(numbers + n, sizeof numbers - (size_t)n, " to %lu",
			delivery->overflow_last);
	if (delivery->overflow_first)
		syslog(LOG_WARNING, "press %s: dropped: %d presses were waiting", numbers,
			DELIVERY_QUEUE);
	delivery->overflow_first = 0;
}

/* Removes the oldest press from the queue. */
static void remove_oldest(struct delivery *delivery)
{
	delivery->pause_usec = 0;
	delivery->first = (delivery->first + 1) % DELIVERY_QUEUE;
	delivery->waiting--;
	log_overflow(delivery);
	tell(delivery);
}

/*
 * Gives up what was sent. The kernel would go on sending what is not acknowledged, for minutes,
 * and it would come behind later presses: a reset ends that.
 */
static void take_back(struct delivery *delivery)
{
	const struct linger at_once = {.l_onoff = 1};

	if (delivery->sent > 0)
		setsockopt(delivery->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

static bool is_old(struct delivery *delivery)
{
	return clock_usec() - delivery->queue[delivery->first].at >= delivery->retry_usec;
}

static void drop_oldest(struct delivery *delivery, const char *why)
{
	set_outcome(delivery, "press %lu: %s: dropped: %s", delivery->queue[delivery->first].number,
		command_of(delivery), why);
	syslog(LOG_WARNING, "%s", delivery->outcome);
	delivery->dropped++;
	remove_oldest(delivery);
}

/* Begins to deliver the first press. */
static void deliver_oldest(struct delivery *delivery)
{
	struct request request;

	if (needs_key(command_of(delivery), &request))
		make_key(delivery->queue[delivery->first].key);
	attempt(delivery);
}

/* Delivers the oldest press. Presses that became too old while they waited are dropped first. */
static void deliver_waiting(struct delivery *delivery, const char *why)
{
	while (delivery->waiting > 0 && is_old(delivery))
		drop_oldest(delivery, why);
	if (delivery->waiting > 0)
		deliver_oldest(delivery);
}

/* Advances the list of the press that was delivered. */
static void advance(struct delivery *delivery)
{
	enum occasion occasion = delivery->queue[delivery->first].occasion;
	unsigned *next = &delivery->next_command[occasion];

	*next = (*next + 1) % delivery->lists[occasion].n;
}

static void finish_delivered(struct delivery *delivery, const char *how)
{
	set_outcome(delivery, "press %lu: %s: %s", delivery->queue[delivery->first].number,
		command_of(delivery), how);
	syslog(LOG_INFO, "%s", delivery->outcome);
	hang_up(delivery);
	delivery->delivered++;
	advance(delivery);
	remove_oldest(delivery);
	deliver_waiting(delivery, "it had to wait for longer than --retry");
}

static void finish_dropped(struct delivery *delivery, const char *why)
{
	hang_up(delivery);
	drop_oldest(delivery, why);
	deliver_waiting(delivery, why);
}

/*
 * Whether the command may be sent again. One that needs a key and has none must not, once the
 * server may have carried it out: twice is not the same as once.
 */
static bool may_repeat(struct delivery *delivery)
{
	struct request request;

	return delivery->sent == 0 || *delivery->queue[delivery->first].key ||
	       !needs_key(command_of(delivery), &request);
}

static void attempt_failed(struct delivery *delivery, const char *why)
{
	const struct press *press = &delivery->queue[delivery->first];
	uint64_t age = clock_usec() - press->at;

	take_back(delivery);
	if (is_old(delivery) || !may_repeat(delivery)) {
		finish_dropped(delivery, why);
		return;
	}
	hang_up(delivery);
	delivery->pause_usec = delivery->pause_usec ? 2 * delivery->pause_usec : PAUSE_FIRST_USEC;
	if (delivery->pause_usec > PAUSE_LAST_USEC)
		delivery->pause_usec = PAUSE_LAST_USEC;
	if (delivery->pause_usec > delivery->retry_usec - age)
		delivery->pause_usec = delivery->retry_usec - age;
	delivery->state = PAUSING;
	timer_start(delivery->timer, delivery->pause_usec);

	set_outcome(delivery, "press %lu: %s: trying again: %s", press->number,
		command_of(delivery), why);
	syslog(LOG_DEBUG, "%s", delivery->outcome);
	tell(delivery);
}

static void send_command(struct delivery *delivery)
{
	const char *key = delivery->queue[delivery->first].key;
	char line[COMMAND_MAX + 2];
	struct request request;
	ssize_t n;

	if (*key && needs_key(command_of(delivery), &request)) {
		strcpy(request.key, key);
		command_write(&request, line);
	} else {
		strcpy(line, command_of(delivery));
	}
	strcat(line, "\n");
	delivery->answer_length = 0;
	n = send(delivery->fd, line, strlen(line), MSG_NOSIGNAL);
	if (n < 0) {
		attempt_failed(delivery, strerror(errno));
		return;
	}
	delivery->sent = (size_t)n;
	delivery->state = ANSWERING;
	sd_event_source_set_io_events(delivery->io, EPOLLIN);
	timer_start(delivery->timer, ANSWER_USEC);
}

/* Whether the command has reached the server's machine: bytes_acked counts the SYN as one. */
static bool has_arrived(const struct delivery *delivery)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof info;

	return !*delivery->server.path &&
	       getsockopt(delivery->fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
	       info.tcpi_bytes_acked > delivery->sent;
}

/*
 * The server has closed the connection without an answer. The original's server never answers: it
 * has taken a command that reached its machine. Any other server had too many connections, or does
 * not know how the command ended.
 */
static void take_silence(struct delivery *delivery)
{
	bool arrived = has_arrived(delivery);

	if (arrived && !delivery->has_spoken) {
		finish_delivered(
			delivery, "sent; the server closed the connection without an answer");
		return;
	}
	/* The server's machine has not acknowledged the command, so the server has not read it. */
	if (!arrived && !*delivery->server.path)
		delivery->sent = 0;
	attempt_failed(delivery, "the server closed the connection without an answer");
}

/* Returns the server's answer as one printable line, never "". */
static const char *answer_text(struct delivery *delivery)
{
	char *answer = delivery->answer, *end;

	for (end = answer; end < answer + delivery->answer_length; end++) {
		if (*end == '\n' || *end == '\r')
			break;
		if (*end < ' ' || *end > '~')
			*end = '?';
	}
	*end = '\0';
	return answer[strspn(answer, " ")] ? answer : "the server answered with an empty line";
}

/* The server's answer is complete. */
static void take_answer(struct delivery *delivery)
{
	char *key = delivery->queue[delivery->first].key;
	const char *answer = answer_text(delivery);

	delivery->has_spoken = true;
	if (strncmp(answer, "OK", 2) == 0 && (answer[2] == ' ' || !answer[2])) {
		finish_delivered(delivery, answer);
	} else if (*key && strncmp(answer, UNKNOWN, strlen(UNKNOWN)) == 0) {
		*key = '\0';
		hang_up(delivery);
		attempt(delivery);
	} else {
		attempt_failed(delivery, answer);
	}
}

static void read_answer(struct delivery *delivery)
{
	char *end = delivery->answer + delivery->answer_length;
	size_t room = sizeof delivery->answer - 1 - delivery->answer_length;
	ssize_t n = recv(delivery->fd, end, room, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0 && delivery->answer_length == 0) {
		attempt_failed(delivery, strerror(errno));
		return;
	}
	if (n < 0)
		n = 0; /* the connection broke after the answer */
	delivery->answer_length += (size_t)n;
	if (delivery->answer_length == 0)
		take_silence(delivery);
	else if (n == 0 || (size_t)n == room || memchr(end, '\n', (size_t)n))
		take_answer(delivery);
}

static int on_socket(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct delivery *delivery = userdata;
	int error = 0;
	socklen_t size = sizeof error;

	(void)source;
	(void)events;
	if (delivery->state == ANSWERING) {
		read_answer(delivery);
		return 0;
	}
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error)
		connect_next(delivery, strerror(error));
	else
		send_command(delivery);
	return 0;
}

/* Starts to connect. Returns 0, or -1 with errno set; the socket is hang_up()'s to close. */
static int connect_to(struct delivery *delivery, const struct sockaddr *sa, socklen_t size)
{
	int r;

	delivery->fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (delivery->fd < 0)
		return -1;
	/* A UNIX socket whose backlog is full says EAGAIN, and is tried again as a whole. */
	if (connect(delivery->fd, sa, size) < 0 && errno != EINPROGRESS)
		return -1;
	r = sd_event_add_io(
		delivery->event, &delivery->io, delivery->fd, EPOLLOUT, on_socket, delivery);
	if (r < 0) {
		errno = -r;
		return -1;
	}
	delivery->state = CONNECTING;
	timer_start(delivery->timer, CONNECT_USEC);
	return 0;
}

/* Tries the addresses that are left. why: what was wrong with the one before. */
static void connect_next(struct delivery *delivery, const char *why)
{
	while (delivery->next_address) {
		const struct addrinfo *ai = delivery->next_address;

		delivery->next_address = ai->ai_next;
		delivery->io = sd_event_source_disable_unref(delivery->io);
		if (delivery->fd >= 0)
			close(delivery->fd);
		if (connect_to(delivery, ai->ai_addr, ai->ai_addrlen) == 0)
			return;
		why = strerror(errno);
	}
	attempt_failed(delivery, why);
}

static void *look_up(void *argument)
{
	struct lookup *lookup = argument;
	int r = getaddrinfo(
		lookup->server.host, lookup->server.port, &ADDRESS_HINTS, &lookup->result);

	if (r != 0) {
		lookup->result = NULL;
		lookup->why = r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r);
	}
	eventfd_write(lookup->done, 1);
	return NULL;
}

static void start_lookup(struct delivery *delivery)
{
	struct lookup *lookup = delivery->lookup;
	pthread_t thread;
	int r;

	delivery->state = LOOKING_UP;
	/* A look-up that an earlier attempt started may still end in time. */
	if (!lookup->running) {
		lookup->server = delivery->server;
		r = pthread_create(&thread, NULL, look_up, lookup);
		if (r != 0) {
			attempt_failed(delivery, strerror(r));
			return;
		}
		pthread_detach(thread);
		lookup->running = true;
	}
	timer_start(delivery->timer, CONNECT_USEC);
}

static int on_lookup(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct delivery *delivery = userdata;
	struct lookup *lookup = delivery->lookup;
	eventfd_t value;

	(void)source;
	(void)events;
	if (eventfd_read(fd, &value) < 0)
		return 0;
	lookup->running = false;
	if (delivery->state != LOOKING_UP) {
		/* Too late for the attempt that asked. */
		if (lookup->result)
			freeaddrinfo(lookup->result);
		return 0;
	}
	if (!lookup->result) {
		attempt_failed(delivery, lookup->why);
		return 0;
	}
	delivery->addresses = delivery->next_address = lookup->result;
	connect_next(delivery, "no address");
	return 0;
}

/* Tries to deliver the first press, once. A number or a path needs no look-up. */
static void attempt(struct delivery *delivery)
{
	char why[sizeof delivery->server.path + 100];
	struct sockaddr_storage storage;
	socklen_t size = address_sockaddr(&delivery->server, &storage);

	if (size == 0) {
		start_lookup(delivery);
	} else if (connect_to(delivery, (struct sockaddr *)&storage, size) < 0) {
		snprintf(why, sizeof why, "%s%s%s", delivery->server.path,
			*delivery->server.path ? ": " : "", strerror(errno));
		attempt_failed(delivery, why);
	}
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct delivery *delivery = userdata;

	(void)source;
	(void)usec;
	switch (delivery->state) {
	case IDLE:
		break;
	case LOOKING_UP:
		attempt_failed(delivery, "the name is not found in time");
		break;
	case CONNECTING:
		connect_next(delivery, strerror(ETIMEDOUT));
		break;
	case ANSWERING:
		if (delivery->answer_length > 0)
			take_answer(delivery);
		else
			attempt_failed(delivery, "the server does not answer");
		break;
	case PAUSING:
		attempt(delivery);
		break;
	}
	return 0;
}

struct delivery *delivery_create(sd_event *event, const struct address *server,
	const struct commands lists[OCCASIONS], uint64_t retry_usec, delivery_changed changed,
	void *userdata)
{
	struct delivery *delivery = calloc(1, sizeof *delivery);
	int r;

	if (!delivery)
		return NULL;
	delivery->event = sd_event_ref(event);
	delivery->server = *server;
	delivery->lists = lists;
	delivery->retry_usec = retry_usec;
	delivery->changed = changed;
	delivery->userdata = userdata;
	delivery->fd = -1;
	delivery->lookup = calloc(1, sizeof *delivery->lookup);
	if (delivery->lookup)
		delivery->lookup->done = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	r = delivery->lookup && delivery->lookup->done >= 0
		    ? sd_event_add_io(event, &delivery->on_lookup, delivery->lookup->done, EPOLLIN,
			      on_lookup, delivery)
		    : -errno;
	if (r >= 0)
		r = timer_add(event, &delivery->timer, ACCURACY_USEC, on_timer, delivery);
	if (r >= 0)
		return delivery;
	delivery_destroy(delivery);
	return NULL;
}

void delivery_press(struct delivery *delivery, enum occasion occasion)
{
	unsigned last = (delivery->first + delivery->waiting) % DELIVERY_QUEUE;

	delivery->pressed++;
	if (delivery->waiting == DELIVERY_QUEUE) {
		delivery->dropped++;
		set_outcome(delivery, "press %lu: dropped: %d presses were waiting",
			delivery->pressed, DELIVERY_QUEUE);
		if (!delivery->overflow_first)
			delivery->overflow_first = delivery->pressed;
		delivery->overflow_last = delivery->pressed;
		tell(delivery);
		return;
	}
	delivery->queue[last] = (struct press){
		.number = delivery->pressed, .occasion = occasion, .at = clock_usec()};
	delivery->waiting++;
	tell(delivery);
	if (delivery->waiting == 1)
		deliver_oldest(delivery);
}

void delivery_destroy(struct delivery *delivery)
{
	if (!delivery)
		return;
	log_overflow(delivery);
	for (; delivery->waiting > 0; delivery->waiting--) {
		syslog(LOG_WARNING, "press %lu: dropped: the button's program stops",
			delivery->queue[delivery->first].number);
		delivery->first = (delivery->first + 1) % DELIVERY_QUEUE;
	}
	if (delivery->timer)
		hang_up(delivery);
	sd_event_source_disable_unref(delivery->on_lookup);
	/* A look-up that still runs writes here: the memory is left for the exit to free. */
	if (delivery->lookup && !delivery->lookup->running) {
		if (delivery->lookup->done >= 0)
			close(delivery->lookup->done);
		free(delivery->lookup);
	}
	sd_event_source_disable_unref(delivery->timer);
	sd_event_unref(delivery->event);
	free(delivery);
}
