/* SPDX-License-Identifier: MIT */

/*
 * Carries out what the queue of presses, or the position, decides: looks up, connects, sends,
 * reads, waits.
 */

#include "delivery.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "key.h"
#include "status.h"
#include "task.h"
#include "timer.h"

/* Retries need not be exact: the kernel may join wake-ups. */
#define ACCURACY_USEC 5000

/* Room for a time, for people to read. */
#define TIME_MAX 64

/* The work of a task: to look up a name. */
struct lookup {
	struct address server;
	struct addrinfo *result;
	const char *why; /* why there is no result */
};

struct delivery {
	sd_event *event;
	const struct address *server;
	struct status *status;
	bool has_position; /* then position decides, else queue */
	struct press_queue queue;
	struct position position;

	/* The attempt that runs while is_sending(). */
	struct attempt attempt;
	char line[COMMAND_LINE_MAX];
	struct addrinfo *addresses; /* NULL: the name is being looked up */
	size_t tried;               /* so many of the addresses */
	int fd;
	sd_event_source *io;

	sd_event_source *timer; /* of the attempt, or of the pause after it */
	sd_event_source *stop;  /* a stop has taken long enough */

	struct addrinfo known; /* the address, where it is no name */
	struct sockaddr_storage storage;
	struct task *lookup;            /* otherwise, while it runs */
	struct sockaddr_storage worked; /* the address that could be connected to last */
	socklen_t worked_size;
};

/* Logs how a press or a position fares, and says it to the status. */
static void report(struct delivery *delivery)
{
	char overflow[PRESS_TEXT_MAX];

	if (delivery->has_position)
		syslog(delivery->position.level, "%s", delivery->position.outcome);
	else
		syslog(delivery->queue.level, "%s", delivery->queue.outcome);
	if (press_queue_overflowed(&delivery->queue, overflow))
		syslog(LOG_WARNING, "%s", overflow);
	status_changed(delivery->status);
}

static bool is_sending(const struct delivery *delivery)
{
	return delivery->has_position ? delivery->position.sending : delivery->queue.sending;
}

/* --- one attempt ------------------------------------------------------------------------ */

static int on_socket(sd_event_source *source, int fd, uint32_t events, void *userdata);

/* Closes the connection to one address. */
static void hang_up(struct delivery *delivery)
{
	delivery->io = sd_event_source_disable_unref(delivery->io);
	if (delivery->fd >= 0)
		close(delivery->fd);
	delivery->fd = -1;
}

/* Starts to connect. Returns 0, or -1 with errno set; the socket is hang_up()'s to close. */
static int connect_to(struct delivery *delivery, const struct addrinfo *address)
{
	int r;

	delivery->fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (delivery->fd < 0)
		return -1;
	/* A UNIX socket whose backlog is full says EAGAIN, and is tried again as a whole. */
	if (connect(delivery->fd, address->ai_addr, address->ai_addrlen) < 0 &&
		errno != EINPROGRESS)
		return -1;
	r = sd_event_add_io(
		delivery->event, &delivery->io, delivery->fd, EPOLLOUT, on_socket, delivery);
	if (r < 0)
		errno = -r;
	return r < 0 ? -1 : 0;
}

static bool has_worked(const struct delivery *delivery, const struct addrinfo *address)
{
	return address->ai_addrlen == delivery->worked_size &&
	       memcmp(address->ai_addr, &delivery->worked, delivery->worked_size) == 0;
}

/* The address to try next, or NULL. */
static const struct addrinfo *next_address(const struct delivery *delivery)
{
	const struct addrinfo *address;
	size_t n = 0, worked = SIZE_MAX, next;

	for (address = delivery->addresses; address; address = address->ai_next, n++)
		if (has_worked(delivery, address))
			worked = n;
	next = attempt_next_address(n, worked, delivery->tried);
	for (address = delivery->addresses; address && next > 0; next--)
		address = address->ai_next;
	return address;
}

/* Tries the addresses that are left. why: what was wrong with the one before. */
static void connect_next(struct delivery *delivery, const char *why)
{
	const struct addrinfo *address;
	char text[sizeof delivery->server->path + 100];

	while ((address = next_address(delivery))) {
		delivery->tried++;
		hang_up(delivery);
		attempt_wait(&delivery->attempt, clock_usec());
		if (connect_to(delivery, address) == 0)
			return;
		why = strerror(errno);
	}
	if (*delivery->server->path) {
		snprintf(text, sizeof text, "%s: %s", delivery->server->path, why);
		why = text;
	}
	attempt_broken(&delivery->attempt, why);
}

static void send_line(struct delivery *delivery)
{
	ssize_t n = send(delivery->fd, delivery->line, strlen(delivery->line), MSG_NOSIGNAL);

	if (n < 0) {
		attempt_broken(&delivery->attempt, strerror(errno));
		return;
	}
	attempt_sent(&delivery->attempt, (size_t)n, clock_usec());
	sd_event_source_set_io_events(delivery->io, EPOLLIN);
}

/* The socket is writable: the connection is there, or has failed. */
static void take_connection(struct delivery *delivery)
{
	socklen_t size = sizeof delivery->worked;
	int error = 0;

	getsockopt(delivery->fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
	if (error) {
		connect_next(delivery, strerror(error));
		return;
	}
	if (getpeername(delivery->fd, (struct sockaddr *)&delivery->worked, &size) == 0)
		delivery->worked_size = size;
	send_line(delivery);
}

static uint64_t bytes_acked(int fd)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof info;

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_bytes_acked : 0;
}

static void read_answer(struct delivery *delivery)
{
	size_t size;
	char *room = attempt_room(&delivery->attempt, &size);
	ssize_t n = recv(delivery->fd, room, size, 0);

	if (n > 0)
		attempt_received(&delivery->attempt, (size_t)n);
	else if (n == 0)
		attempt_ended(&delivery->attempt, bytes_acked(delivery->fd));
	else if (errno != EAGAIN && errno != EINTR)
		attempt_broken(&delivery->attempt, strerror(errno));
}

static void start_lookup(struct delivery *delivery);

static void begin_attempt(struct delivery *delivery)
{
	attempt_begin(&delivery->attempt, !*delivery->server->path);
	attempt_wait(&delivery->attempt, clock_usec());
	delivery->tried = 0;
	if (delivery->known.ai_addrlen == 0) {
		start_lookup(delivery);
	} else {
		delivery->addresses = &delivery->known;
		connect_next(delivery, "");
	}
}

static void forget_addresses(struct delivery *delivery)
{
	if (delivery->addresses && delivery->addresses != &delivery->known)
		freeaddrinfo(delivery->addresses);
	delivery->addresses = NULL;
}

/* The attempt has its outcome. */
static void end_attempt(struct delivery *delivery)
{
	const struct linger at_once = {.l_onoff = 1};

	if (attempt_needs_reset(&delivery->attempt))
		setsockopt(delivery->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	hang_up(delivery);
	forget_addresses(delivery);
	if (delivery->has_position)
		position_finish(&delivery->position, &delivery->attempt, clock_usec());
	else
		press_queue_finish(&delivery->queue, &delivery->attempt, clock_usec());
	report(delivery);
}

/* --- what decides ----------------------------------------------------------------------- */

/* Says what to do now. try_at: set to the end of a STEP_WAIT */
static enum step next_step(struct delivery *delivery, uint64_t *try_at)
{
	struct press_queue *queue = &delivery->queue;
	struct position *position = &delivery->position;
	enum step step;

	if (delivery->has_position) {
		step = position_step(position, clock_usec(), delivery->line);
		*try_at = position->try_at;
		return step;
	}
	while (press_queue_drop_late(queue, clock_usec()))
		report(delivery);
	step = press_queue_step(queue, clock_usec(), delivery->line);
	*try_at = queue->try_at;
	return step;
}

/* Ends the attempt that is over, and does what is next, until there is something to wait for. */
static void go_on(struct delivery *delivery)
{
	uint64_t try_at;

	for (;;) {
		if (is_sending(delivery) && delivery->attempt.outcome == UNDECIDED) {
			timer_start_at(delivery->timer, delivery->attempt.deadline);
			return;
		}
		if (is_sending(delivery))
			end_attempt(delivery);
		switch (next_step(delivery, &try_at)) {
		case STEP_REST:
			timer_stop(delivery->timer);
			if (delivery->has_position && position_has_stopped(&delivery->position))
				sd_event_exit(delivery->event, 0);
			return;
		case STEP_WAIT:
			timer_start_at(delivery->timer, try_at);
			return;
		case STEP_SEND:
			begin_attempt(delivery);
		}
	}
}

static int on_socket(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct delivery *delivery = userdata;

	if (delivery->attempt.sent > 0)
		read_answer(delivery);
	else
		take_connection(delivery);
	go_on(delivery);
	return 0;
}

static void look_up(void *work)
{
	struct lookup *lookup = work;
	int r = getaddrinfo(
		lookup->server.host, lookup->server.port, &ADDRESS_HINTS, &lookup->result);

	if (r != 0) {
		lookup->result = NULL;
		lookup->why = r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r);
	}
}

static void on_lookup(void *work, void *userdata)
{
	struct delivery *delivery = userdata;
	struct lookup *lookup = work;

	delivery->lookup = NULL;
	/* It may be too late for the attempt that asked. */
	if (!is_sending(delivery))
		return;
	delivery->addresses = lookup->result;
	lookup->result = NULL;
	if (delivery->addresses)
		connect_next(delivery, "");
	else
		attempt_broken(&delivery->attempt, lookup->why);
	go_on(delivery);
}

static void release_lookup(void *work)
{
	struct lookup *lookup = work;

	if (lookup->result)
		freeaddrinfo(lookup->result);
	free(lookup);
}

static void start_lookup(struct delivery *delivery)
{
	static const struct task_kind LOOKUP = {look_up, on_lookup, release_lookup};
	struct lookup *lookup;

	/* A look-up that an earlier attempt started may still end in time. */
	if (delivery->lookup)
		return;
	lookup = calloc(1, sizeof *lookup);
	if (lookup) {
		lookup->server = *delivery->server;
		delivery->lookup = task_start(delivery->event, &LOOKUP, lookup, delivery);
	}
	if (delivery->lookup)
		return;
	attempt_broken(&delivery->attempt, strerror(errno));
	free(lookup);
}

/* A pause is over, or the attempt takes too long. */
static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct delivery *delivery = userdata;

	if (!is_sending(delivery))
		;
	else if (delivery->attempt.sent > 0)
		attempt_broken(&delivery->attempt, "the server does not answer");
	else if (delivery->addresses)
		connect_next(delivery, strerror(ETIMEDOUT));
	else
		attempt_broken(&delivery->attempt, "the name is not found in time");
	go_on(delivery);
	return 0;
}

static void take_place(struct delivery *delivery, enum place place)
{
	position_take(&delivery->position, place, clock_usec());
	status_changed(delivery->status);
	go_on(delivery);
}

void delivery_take(struct delivery *delivery, enum occasion occasion)
{
	char key[COMMAND_KEY_MAX + 1];

	if (delivery->has_position) {
		take_place(delivery, occasion == ON_PRESS ? PLACE_CLOSED : PLACE_OPEN);
		return;
	}
	key_make(key);
	press_queue_add(&delivery->queue, occasion, key, clock_usec());
	status_changed(delivery->status);
	go_on(delivery);
}

void delivery_lose(struct delivery *delivery)
{
	if (delivery->has_position)
		take_place(delivery, PLACE_GONE);
}

/* --- the whole -------------------------------------------------------------------------- */

static int on_stop(sd_event_source *source, uint64_t usec, void *userdata)
{
	const struct delivery *delivery = userdata;

	return sd_event_exit(delivery->event, 0);
}

struct delivery *delivery_create(sd_event *event, const struct address *server,
	const struct command_list lists[OCCASIONS], uint64_t retry_usec, struct status *status)
{
	struct delivery *delivery = calloc(1, sizeof *delivery);

	if (!delivery)
		return NULL;
	delivery->event = sd_event_ref(event);
	delivery->server = server;
	delivery->status = status;
	delivery->fd = -1;
	delivery->has_position = command_lists_have_position(lists);
	press_queue_init(&delivery->queue, lists, retry_usec);
	position_init(&delivery->position, lists);
	delivery->known.ai_addrlen = address_sockaddr(server, &delivery->storage);
	delivery->known.ai_addr = (struct sockaddr *)&delivery->storage;
	delivery->known.ai_family = delivery->storage.ss_family;
	if (timer_add(event, &delivery->timer, ACCURACY_USEC, on_timer, delivery) >= 0 &&
		timer_add(event, &delivery->stop, ACCURACY_USEC, on_stop, delivery) >= 0)
		return delivery;
	delivery_destroy(delivery);
	return NULL;
}

/* Writes a time of clock_usec() as that of the wall clock. */
static const char *write_time(uint64_t usec, char text[TIME_MAX])
{
	time_t then = time(NULL) - (time_t)((clock_usec() - usec) / 1000000);
	struct tm tm;

	if (!localtime_r(&then, &tm) || strftime(text, TIME_MAX, "%a %F %T %Z", &tm) == 0)
		strcpy(text, "an unknown time");
	return text;
}

const char *delivery_status(const struct delivery *delivery, char text[DELIVERY_STATUS_MAX])
{
	char since[TIME_MAX];

	if (!delivery->has_position)
		return press_queue_status(&delivery->queue, text);
	return position_status(
		&delivery->position, write_time(delivery->position.since, since), text);
}

void delivery_stop(struct delivery *delivery)
{
	/* A second signal does not wait. */
	if (!delivery->has_position || delivery->position.stopping) {
		sd_event_exit(delivery->event, 0);
		return;
	}
	position_stop(&delivery->position, clock_usec());
	timer_start(delivery->stop, POSITION_STOP_USEC);
	status_changed(delivery->status);
	if (position_has_stopped(&delivery->position))
		sd_event_exit(delivery->event, 0);
	else
		go_on(delivery);
}

void delivery_destroy(struct delivery *delivery)
{
	if (!delivery)
		return;
	while (press_queue_stop(&delivery->queue))
		report(delivery);
	if (delivery->has_position && position_end(&delivery->position))
		report(delivery);
	hang_up(delivery);
	forget_addresses(delivery);
	task_abandon(delivery->lookup);
	sd_event_source_disable_unref(delivery->timer);
	sd_event_source_disable_unref(delivery->stop);
	sd_event_unref(delivery->event);
	free(delivery);
}
