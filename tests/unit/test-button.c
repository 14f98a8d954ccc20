/* SPDX-License-Identifier: MIT */

/* The program button, with a button whose edges never end. */

#include <arpa/inet.h>
#include <signal.h>
#include <sys/eventfd.h>
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
};

static struct contact the_contact;

struct contact *contact_create(const char *spec, const char **why)
{
	(void)spec;
	*why = NULL;
	the_contact.fd = eventfd(1, 0);
	return &the_contact;
}

const char *contact_spec(const struct contact *contact)
{
	(void)contact;
	return "endless";
}

bool contact_bounces(const struct contact *contact)
{
	(void)contact;
	return true;
}

int contact_open(struct contact *contact, char why[CONTACT_WHY_MAX])
{
	(void)contact;
	(void)why;
	return 0;
}

int contact_fd(const struct contact *contact)
{
	return contact->fd;
}

bool contact_is_closed(const struct contact *contact)
{
	(void)contact;
	return false;
}

int contact_next(struct contact *contact, struct contact_event *event, char why[CONTACT_WHY_MAX])
{
	static unsigned edges;

	(void)contact;
	(void)why;
	event->at = 20000ULL * edges;
	event->closed = edges++ % 2 == 0;
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

/* Starts the program with a server and a manager. Returns its process. */
static pid_t start(int *server, int *manager)
{
	struct sockaddr_in in = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {0}};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t size = sizeof in, name_size = sizeof un;
	char manager_name[sizeof un.sun_path + 1] = "@", connect[40],
					       *arguments[] = {(char[]){"button"}, connect, NULL};
	pid_t child;

	*server = make_socket(AF_INET, SOCK_STREAM, (struct sockaddr *)&in, sizeof in);
	getsockname(*server, (struct sockaddr *)&in, &size);
	snprintf(connect, sizeof connect, "--connect=127.0.0.1:%u", ntohs(in.sin_port));

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

TAP_MAIN({"edges without end: delivery, watchdog and SIGTERM have their turn", edges_without_end})
