/* SPDX-License-Identifier: MIT */

/*
 * What an attacker tries who has taken over one of the programs. Linked into it around the
 * function with which it has confined itself (ld's --wrap), it runs before a stranger's
 * first byte is read. Each attempt is a line in the log: done, or why not.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

static bool opens(const char *path, int flags)
{
	return open(path, flags | O_CLOEXEC | O_NONBLOCK, 0600) >= 0;
}

/* To a server that is there: our own. */
static bool connects(void)
{
	const struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = htons(5555),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)&in, sizeof in) == 0;
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

	TRY("read /etc/passwd", opens("/etc/passwd", O_RDONLY));
	TRY("open the GPIO chip", chip && opens(chip, O_RDWR));
	TRY("write to /run/led", opens("/run/led/attack", O_WRONLY | O_CREAT));
	TRY("connect", connects());
	TRY("fork", forks());
	TRY("execute /bin/sh", executes());
	TRY("map code", maps_code());
	TRY("trace another", ptrace(PTRACE_SEIZE, other, NULL, NULL) == 0);
	TRY("signal another", kill(other, SIGCONT) == 0);
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
