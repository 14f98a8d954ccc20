/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../src/confine.h"
#include "tap.h"

/* What fails with EPERM. */
#define REFUSED(attempt) (errno = 0, (attempt) == -1 && errno == EPERM)

static int sockets[2], unconnected;

/* Runs a function in a process of its own. Returns the number that it did. */
static int in_child(int (*run)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(run());
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int try_to_talk(void)
{
	struct timespec now;
	int size = 0;
	socklen_t length = sizeof size;
	char byte = 'x';

	if (confine_to_descriptors())
		return 6;
	if (write(sockets[0], &byte, 1) != 1 || send(sockets[0], &byte, 1, MSG_NOSIGNAL) != 1)
		return 1;
	if (read(sockets[1], &byte, 1) != 1)
		return 2;
	if (getsockopt(sockets[0], SOL_SOCKET, SO_SNDBUF, &size, &length) < 0)
		return 3;
	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0 || getpid() < 0)
		return 4;
	return shutdown(sockets[0], SHUT_WR) < 0 ? 5 : 0;
}

static int try_to_break_out(void)
{
	static char name[] = "true", *const ARGUMENTS[] = {name, NULL};
	const struct sockaddr any = {.sa_family = AF_UNSPEC};

	if (confine_to_descriptors())
		return 9;
	if (!REFUSED(open("/dev/null", O_RDONLY)) || !REFUSED(openat(AT_FDCWD, ".", O_RDONLY)))
		return 1;
	if (!REFUSED(socket(AF_UNIX, SOCK_STREAM, 0)))
		return 2;
	if (!REFUSED(connect(unconnected, &any, sizeof any)))
		return 3;
	if (!REFUSED(fork()))
		return 4;
	if (!REFUSED(execv("/bin/true", ARGUMENTS)))
		return 5;
	if (mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		return 6;
	if (!REFUSED(kill(getppid(), 0)))
		return 7;
	return REFUSED(unlink("/nowhere")) ? 0 : 8;
}

static void *answer(void *argument)
{
	return argument;
}

static int try_programs(void)
{
	static char name[] = "true", *const ARGUMENTS[] = {name, NULL};
	pthread_t thread;
	void *result = NULL;

	if (confine_to_program())
		return 6;
	if (!REFUSED(fork()) || !REFUSED(vfork()))
		return 1;
	if (!REFUSED(execv("/bin/true", ARGUMENTS)) || !REFUSED(execv("/nowhere", ARGUMENTS)))
		return 2;
	if (open("/dev/null", O_RDONLY) < 0)
		return 3;
	if (pthread_create(&thread, NULL, answer, sockets) != 0 ||
		pthread_join(thread, &result) != 0)
		return 4;
	return result == sockets ? 0 : 5;
}

static int try_with_others(void)
{
	setenv("LD_PRELOAD", "/lib/other.so", 1);
	if (!confine_to_descriptors())
		return 1;
	return open("/dev/null", O_RDONLY) < 0;
}

static void talks(void)
{
	CHECK(in_child(try_to_talk) == 0);
}

static void does_nothing_else(void)
{
	CHECK(in_child(try_to_break_out) == 0);
}

static void starts_nothing(void)
{
	CHECK(in_child(try_programs) == 0);
}

static void leaves_others_alone(void)
{
	CHECK(in_child(try_with_others) == 0);
}

int main(void)
{
	static const struct tap_test TESTS[] = {
		{"confined to its descriptors, it talks", talks},
		{"confined to its descriptors, it does nothing else", does_nothing_else},
		{"confined to its program, it starts no other, but threads", starts_nothing},
		{"with code loaded beside it, it is not confined", leaves_others_alone},
	};

	if (prctl(PR_GET_SECCOMP) < 0)
		return tap_skip(TESTS, sizeof TESTS / sizeof *TESTS, "no seccomp here");
	unsetenv("LD_PRELOAD");
	unconnected = socket(AF_INET, SOCK_STREAM, 0);
	if (unconnected < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) < 0)
		return 1;
	return tap_run(TESTS, sizeof TESTS / sizeof *TESTS);
}
