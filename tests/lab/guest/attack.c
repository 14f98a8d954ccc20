/* SPDX-License-Identifier: MIT */

/*
 * What an attacker tries who has taken over one of the programs. Linked into it around the
 * function with which it has confined itself (ld's --wrap), it runs before a stranger's
 * first byte is read; in led-handler once more when a client watches. Each attempt is a line in
 * the log: done, or why not.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

/* As many as any of the programs has. */
#define DESCRIPTORS 32

static bool opens(const char *path, int flags)
{
	return open(path, flags | O_CLOEXEC | O_NONBLOCK, 0600) >= 0;
}

/* A server that is there: our own, as a socket for IPv4 or IPv6 calls it. */
static socklen_t set_server(int family, struct sockaddr_storage *storage)
{
	struct sockaddr_in *in = (struct sockaddr_in *)storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storage;

	memset(storage, 0, sizeof *storage);
	if (family == AF_INET6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(5555);
		inet_pton(AF_INET6, "::ffff:127.0.0.1", &in6->sin6_addr);
		return sizeof *in6;
	}
	in->sin_family = AF_INET;
	in->sin_port = htons(5555);
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof *in;
}

static bool connects(void)
{
	struct sockaddr_storage server;
	socklen_t size = set_server(AF_INET, &server);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)&server, size) == 0;
}

/* The family of a socket that we have, also where we may not ask for it. */
static int family_of(int fd)
{
	struct sockaddr_storage ours = {.ss_family = AF_UNSPEC};
	socklen_t size = sizeof ours;

	if (getsockname(fd, (struct sockaddr *)&ours, &size) < 0 && errno == EPERM)
		return AF_INET;
	return ours.ss_family;
}

/* A socket that was passed is in the network of whoever made it. */
static bool reconnects(void)
{
	static const struct sockaddr NOBODY = {.sa_family = AF_UNSPEC};
	struct sockaddr_storage server;

	errno = EBADF;
	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		int family = family_of(fd);
		socklen_t size = set_server(family, &server);

		if (family != AF_INET && family != AF_INET6)
			continue;
		if (connect(fd, &NOBODY, sizeof NOBODY) == 0 &&
			connect(fd, (const struct sockaddr *)&server, size) == 0)
			return true;
	}
	return false;
}

/* With a socket of its own, or one that is there, such as the clock of arrival.c. */
static bool connects_by_sending(void)
{
	struct sockaddr_storage server;
	socklen_t size = set_server(AF_INET, &server);

	socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		if (family_of(fd) == AF_INET && sendto(fd, "", 1, MSG_FASTOPEN | MSG_NOSIGNAL,
							(struct sockaddr *)&server, size) >= 0)
			return true;
	return false;
}

/* To journald's own socket, which everybody may write to, through the log's or another one. */
static bool sends_to_another(void)
{
	static const struct sockaddr_un JOURNAL = {AF_UNIX, "/run/systemd/journal/socket"};

	socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		if (sendto(fd, "MESSAGE=x\n", 10, MSG_NOSIGNAL, (const struct sockaddr *)&JOURNAL,
			    sizeof JOURNAL) >= 0)
			return true;
	return false;
}

static bool uses_io_uring(void)
{
	struct io_uring_params parameters = {0};

	return syscall(SYS_io_uring_setup, 1, &parameters) >= 0;
}

static bool forks(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0 && waitpid(pid, NULL, 0) == pid;
}

/* In a process of its own where there can be one, for it would be the end of this one. */
static bool executes(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid <= 0)
		execl("/bin/sh", "sh", "-c", "exit 0", NULL);
	if (pid < 0)
		return false;
	if (pid == 0)
		_exit(errno);
	waitpid(pid, &status, 0);
	errno = WEXITSTATUS(status);
	return status == 0;
}

static bool maps_code(void)
{
	return mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
	       MAP_FAILED;
}

#define TRY(name, attempt)                                                                         \
	syslog(LOG_NOTICE, "attack: %s: %s", name, (attempt) ? "done" : strerror(errno))

static void attack(void)
{
	const char *pid = getenv("ATTACK"); /* of another of the programs */
	const char *chip = getenv("ATTACK_CHIP");
	pid_t other = pid ? atoi(pid) : 0;
	struct rlimit limit;

	TRY("read /etc/passwd", opens("/etc/passwd", O_RDONLY));
	TRY("open the GPIO chip", chip && opens(chip, O_RDWR));
	TRY("write to /run/led", opens("/run/led/attack", O_WRONLY | O_CREAT));
	TRY("connect", connects());
	TRY("connect by sending", connects_by_sending());
	TRY("send to another", sends_to_another());
	TRY("fork", forks());
	TRY("execute /bin/sh", executes());
	TRY("map code", maps_code());
	TRY("trace another", ptrace(PTRACE_SEIZE, other, NULL, NULL) == 0);
	TRY("signal another", kill(other, SIGCONT) == 0);
	TRY("have the kernel signal another", fcntl(STDIN_FILENO, F_SETOWN, other) == 0);
	TRY("limit another", prlimit(other, RLIMIT_CPU, NULL, &limit) == 0);
	TRY("use io_uring", uses_io_uring());
	/* The last, since the socket is lost with it. */
	TRY("reconnect a socket", reconnects());
}

const char *__real_confine_to_descriptors(void);
const char *__wrap_confine_to_descriptors(void);
const char *__real_confine_to_program(void);
const char *__wrap_confine_to_program(void);

const char *__wrap_confine_to_descriptors(void)
{
	const char *why = __real_confine_to_descriptors();

	attack();
	return why;
}

const char *__wrap_confine_to_program(void)
{
	const char *why = __real_confine_to_program();

	attack();
	return why;
}

const char *__real_confine_to_server(void);
const char *__wrap_confine_to_server(void);

const char *__wrap_confine_to_server(void)
{
	const char *why = __real_confine_to_server();

	attack();
	return why;
}

/* led-handler's alone. */
void __real_watch_pass_on(int in, int out, int from) __attribute__((weak));
void __wrap_watch_pass_on(int in, int out, int from);

void __wrap_watch_pass_on(int in, int out, int from)
{
	attack();
	__real_watch_pass_on(in, out, from);
}
