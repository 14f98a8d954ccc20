/* SPDX-License-Identifier: MIT */

/* The program button, with a button whose edges never end, and with a switch. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

int button_main(int argc, char *argv[]);

#define main button_main
#include "../../src/button/button.c"
#undef main

#include "tap.h"

/* How long to wait for what has to come at once, on any machine, in seconds. */
#define PATIENCE 20

struct contact {
	int fd;
	unsigned edges;
};

static struct contact the_contact;

/* A latching switch. Its edges go through a pipe. */
static struct {
	int edges[2];
	bool *closed; /* shared with the program; NULL: the button whose edges never end */
} latch;

struct contact *contact_create(const char *spec, const char **why)
{
	(void)spec;
	*why = NULL;
	the_contact.fd = latch.closed ? latch.edges[0] : eventfd(1, 0);
	return &the_contact;
}

const char *contact_spec(const struct contact *contact)
{
	(void)contact;
	return latch.closed ? "switch" : "endless";
}

bool contact_bounces(const struct contact *contact)
{
	(void)contact;
	return true;
}

int contact_open(struct contact *contact, char why[CONTACT_WHY_MAX])
{
	struct contact_event event;

	/* A program is not told of the edges before it has opened the line. */
	while (latch.closed && contact_next(contact, &event, why) > 0)
		;
	return 0;
}

int contact_fd(const struct contact *contact)
{
	return contact->fd;
}

bool contact_is_closed(const struct contact *contact)
{
	(void)contact;
	return latch.closed && *latch.closed;
}

int contact_next(struct contact *contact, struct contact_event *event, char why[CONTACT_WHY_MAX])
{
	(void)why;
	if (latch.closed)
		return read(contact->fd, event, sizeof *event) == sizeof *event;
	event->at = 20000ULL * contact->edges;
	event->closed = contact->edges++ % 2 == 0;
	return 1;
}

void contact_close(struct contact *contact)
{
	(void)contact;
}

void contact_destroy(struct contact *contact)
{
	(void)contact;
}

/* A socket that gives up after PATIENCE. */
static int make_socket(int family, int type, const struct sockaddr *address, socklen_t size)
{
	const struct timeval patience = {.tv_sec = PATIENCE};
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (bind(fd, address, size) < 0 || (type == SOCK_STREAM && listen(fd, 16) < 0))
		perror("bind");
	return fd;
}

/* Makes a server, and writes the program's option for it. */
static int make_server(char option[static 40])
{
	struct sockaddr_in in = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {0}};
	socklen_t size = sizeof in;
	int fd = make_socket(AF_INET, SOCK_STREAM, (struct sockaddr *)&in, sizeof in);

	getsockname(fd, (struct sockaddr *)&in, &size);
	snprintf(option, 40, "--connect=127.0.0.1:%u", ntohs(in.sin_port));
	return fd;
}

/* Starts the program with a server and a manager. Returns its process. */
static pid_t start(int *server, int *manager)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t name_size = sizeof un;
	char manager_name[sizeof un.sun_path + 1] = "@", connect[40],
					       *arguments[] = {(char[]){"button"}, connect, NULL};
	pid_t child;

	*server = make_server(connect);
	/* The kernel picks an abstract name that is free. Another test may run in the same network,
	   with the same process id in a namespace of its own. unix(7) */
	*manager = make_socket(AF_UNIX, SOCK_DGRAM, (struct sockaddr *)&un, sizeof un.sun_family);
	getsockname(*manager, (struct sockaddr *)&un, &name_size);
	memcpy(manager_name + 1, un.sun_path + 1,
		name_size - offsetof(struct sockaddr_un, sun_path) - 1);

	child = fork();
	if (child == 0) {
		setenv("NOTIFY_SOCKET", manager_name, true);
		setenv("WATCHDOG_USEC", "200000", true);
		_exit(button_main(2, arguments));
	}
	return child;
}

/* Whether the manager is told that the program is alive. */
static bool feeds_watchdog(int manager)
{
	char message[1024];
	ssize_t n;

	/* Between two of the watchdog's there may be some about the status. */
	for (int i = 0; i < 1000; i++) {
		n = recv(manager, message, sizeof message - 1, 0);
		if (n < 0)
			return false;
		message[n] = '\0';
		if (strcmp(message, "WATCHDOG=1") == 0)
			return true;
	}
	return false;
}

static bool delivers(int server)
{
	char command[100] = "";
	int fd = accept(server, NULL, NULL);
	bool right;

	right = fd >= 0 && recv(fd, command, sizeof command - 1, 0) > 0 &&
		strncmp(command, "LED ", 4) == 0 && send(fd, "OK\n", 3, 0) == 3;
	if (fd >= 0)
		close(fd);
	return right;
}

/* Whether it ends, and regularly. */
static bool ends(pid_t child)
{
	int status = -1;

	kill(child, SIGTERM);
	for (int i = 0; i < PATIENCE * 100; i++) {
		if (waitpid(child, &status, WNOHANG) == child)
			return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
		usleep(10000);
	}
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return false;
}

static void edges_without_end(void)
{
	int server, manager;
	pid_t child = start(&server, &manager);

	for (int i = 0; i < 3; i++)
		CHECK(delivers(server));
	CHECK(feeds_watchdog(manager));
	CHECK(ends(child));
	close(server);
	close(manager);
}

/* Starts the program with the switch. */
static pid_t start_switch(char *connect)
{
	char *arguments[] = {(char[]){"button"}, connect, (char[]){"--command=LED ON"},
		(char[]){"--release-command=LED OFF"}, (char[]){"--debounce=3"}, NULL};
	pid_t child = fork();

	if (child == 0) {
		setlogmask(LOG_UPTO(LOG_WARNING));
		_exit(button_main(5, arguments));
	}
	return child;
}

/* Throws the switch, which bounces. */
static void throw_switch(void)
{
	struct contact_event event = {clock_usec(), !*latch.closed};

	*latch.closed = event.closed;
	for (int bounces = rand() % 5 * 2; bounces >= 0; bounces--) {
		if (write(latch.edges[1], &event, sizeof event) != sizeof event)
			perror("write");
		event = (struct contact_event){clock_usec(), !event.closed};
	}
}

/* Serves an LED until no client has come for msec. Now and then, a client gets no answer. */
static void serve(int server, int msec, bool *lit)
{
	struct pollfd ready = {.fd = server, .events = POLLIN};
	char command[100];
	ssize_t n;
	int fd;

	while (poll(&ready, 1, msec) > 0) {
		fd = accept(server, NULL, NULL);
		n = recv(fd, command, sizeof command - 1, 0);
		command[n > 0 ? n : 0] = '\0';
		if (n > 0 && rand() % 20 != 0) {
			*lit = strcmp(command, "LED ON\n") == 0;
			send(fd, "OK\n", 3, MSG_NOSIGNAL);
		} else {
			send(fd, "ERR\n", 4, MSG_NOSIGNAL);
		}
		close(fd);
	}
}

static void a_switch_and_its_led(void)
{
	unsigned agreed = 0, times_lit = 0;
	char connect[40];
	bool lit = false;
	pid_t child;
	int server;

	srand(5);
	if (pipe2(latch.edges, O_NONBLOCK | O_CLOEXEC) < 0)
		perror("pipe2");
	latch.closed = mmap(NULL, sizeof *latch.closed, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	server = make_server(connect);
	child = start_switch(connect);
	for (int i = 0; i < 1000; i++) {
		throw_switch();
		if (rand() % 20 == 0) {
			kill(child, SIGKILL);
			waitpid(child, NULL, 0);
			if (rand() % 2 == 0)
				throw_switch();
			child = start_switch(connect);
		}
		serve(server, rand() % 8, &lit);
		if (i % 10 != 9)
			continue;
		/* No command is on its way any more, but for those that are tried again. */
		serve(server, 40, &lit);
		for (int patience = PATIENCE * 20; lit != *latch.closed && patience > 0; patience--)
			serve(server, 50, &lit);
		agreed += lit == *latch.closed;
		times_lit += lit;
	}
	CHECK(agreed == 100);
	CHECK(times_lit > 20 && times_lit < 80);
	CHECK(ends(child));
	close(server);
	munmap(latch.closed, sizeof *latch.closed);
	latch.closed = NULL;
}

TAP_MAIN({"edges without end: delivery, watchdog and SIGTERM have their turn", edges_without_end},
	{"a latching switch and its LED agree after 1000 throws, with restarts between",
		a_switch_and_its_led})
