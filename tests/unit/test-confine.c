/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../src/common/confine.h"
#include "tap.h"

/* From Linux 6.5 on; the C library's headers do not have it yet. */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* What fails with EPERM. */
#define REFUSED(attempt) (errno = 0, (attempt) == -1 && errno == EPERM)

static int sockets[2], unconnected;

/* A stranger's server, and a socket that is connected to another than his, as the log's is. */
static int log_socket;
static struct sockaddr_in server_address = {
	.sin_family = AF_INET, .sin_addr.s_addr = 0x0100007f /* 127.0.0.1 */};
static const struct sockaddr_un STRANGER = {AF_UNIX, "\0led-socket test-confine"};

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
	struct tcp_info info;
	socklen_t length = sizeof info;
	char byte = 'x';

	if (confine_to_descriptors())
		return 6;
	if (write(sockets[0], &byte, 1) != 1 || send(sockets[0], &byte, 1, MSG_NOSIGNAL) != 1)
		return 1;
	if (read(sockets[1], &byte, 1) != 1)
		return 2;
	if (send(sockets[0], &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1)
		return 2;
	if (getsockopt(unconnected, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
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

/* What is permitted, with other arguments. */
static int try_to_reach_others(void)
{
	const struct sockaddr *in = (const struct sockaddr *)&server_address;
	const struct sockaddr *un = (const struct sockaddr *)&STRANGER;
	int descriptor = -1;
	socklen_t length = sizeof descriptor;

	if (confine_to_descriptors())
		return 9;
	if (!REFUSED(sendto(unconnected, "x", 1, MSG_FASTOPEN, in, sizeof server_address)))
		return 1;
	if (!REFUSED(sendto(unconnected, "x", 1, MSG_NOSIGNAL, in, sizeof server_address)))
		return 2;
	if (!REFUSED(sendto(log_socket, "x", 1, MSG_NOSIGNAL, un, sizeof STRANGER)))
		return 3;
	if (!REFUSED(send(unconnected, "x", 1, MSG_FASTOPEN)))
		return 4;
	if (!REFUSED(send(sockets[0], "x", 1, MSG_OOB)))
		return 5;
	/* A new descriptor, of the process at the other end. */
	if (!REFUSED(getsockopt(sockets[0], SOL_SOCKET, SO_PEERPIDFD, &descriptor, &length)))
		return 6;
	if (!REFUSED(getsockopt(unconnected, SOL_SOCKET, TCP_INFO, &descriptor, &length)))
		return 7;
	return REFUSED(getsockopt(unconnected, IPPROTO_TCP, TCP_CONGESTION, &descriptor, &length))
		       ? 0
		       : 8;
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

static int try_on_others(void)
{
	struct f_owner_ex owner = {F_OWNER_PID, getppid()};
	pid_t other = getppid();
	struct iovec none = {0};
	struct rlimit limit;
	char key = '\n';

	if (confine_to_program())
		return 12;
	if (!REFUSED(kill(other, 0)) || !REFUSED(syscall(SYS_tgkill, other, other, 0)) ||
		!REFUSED(syscall(SYS_tkill, other, 0)))
		return 1;
	if (!REFUSED(sigqueue(other, 0, (union sigval){0})) ||
		!REFUSED(syscall(SYS_rt_tgsigqueueinfo, other, other, 0, NULL)) ||
		!REFUSED(syscall(SYS_pidfd_send_signal, -1, 0, NULL, 0)))
		return 2;
	if (!REFUSED(fcntl(sockets[0], F_SETOWN, other)) ||
		!REFUSED(fcntl(sockets[0], F_SETOWN_EX, &owner)))
		return 3;
	if (!REFUSED(ioctl(sockets[0], FIOSETOWN, &other)) ||
		!REFUSED(ioctl(sockets[0], SIOCSPGRP, &other)))
		return 4;
	if (!REFUSED(ioctl(sockets[0], TIOCSTI, &key)) ||
		!REFUSED(ioctl(sockets[0], TIOCLINUX, &key)))
		return 5;
	if (!REFUSED(ptrace(PTRACE_SEIZE, other, NULL, NULL)))
		return 6;
	if (!REFUSED(process_vm_readv(other, &none, 1, &none, 1, 0)) ||
		!REFUSED(process_vm_writev(other, &none, 1, &none, 1, 0)))
		return 7;
	if (!REFUSED(syscall(SYS_pidfd_getfd, -1, 0, 0)))
		return 8;
	if (!REFUSED(syscall(SYS_io_uring_setup, 1, NULL)))
		return 9;
	if (!REFUSED(prlimit(other, RLIMIT_CPU, NULL, &limit)))
		return 10;
	return getrlimit(RLIMIT_NOFILE, &limit) == 0 && fcntl(sockets[0], F_GETFD) >= 0 &&
			       ioctl(sockets[0], FIONREAD, &other) == 0
		       ? 0
		       : 11;
}

/* As a server, it cannot connect at all. */
static int try_to_connect(void)
{
	const struct sockaddr *in = (const struct sockaddr *)&server_address;
	const struct sockaddr *un = (const struct sockaddr *)&STRANGER;
	struct msghdr message = {.msg_name = &server_address, .msg_namelen = sizeof server_address};
	struct mmsghdr messages = {.msg_hdr = message};

	if (confine_to_server())
		return 7;
	if (!REFUSED(connect(unconnected, in, sizeof server_address)))
		return 1;
	if (!REFUSED(sendto(unconnected, "x", 1, MSG_FASTOPEN, in, sizeof server_address)))
		return 2;
	if (!REFUSED(sendmsg(unconnected, &message, MSG_FASTOPEN)))
		return 3;
	if (!REFUSED(sendmmsg(unconnected, &messages, 1, MSG_FASTOPEN)))
		return 4;
	if (!REFUSED(fork()) || !REFUSED(kill(getppid(), 0)))
		return 5;
	/* The service manager, sd_notify(3), is told by address. */
	return sendto(log_socket, "x", 1, MSG_NOSIGNAL, un, sizeof STRANGER) == 1 ? 0 : 6;
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

static void reaches_no_others(void)
{
	CHECK(in_child(try_to_reach_others) == 0);
}

static void starts_nothing(void)
{
	CHECK(in_child(try_programs) == 0);
}

static void reaches_into_nothing(void)
{
	CHECK(in_child(try_on_others) == 0);
}

static void serves(void)
{
	CHECK(in_child(try_to_connect) == 0);
}

static void leaves_others_alone(void)
{
	CHECK(in_child(try_with_others) == 0);
}

static bool open_sockets(void)
{
	struct sockaddr *in = (struct sockaddr *)&server_address;
	socklen_t size = sizeof server_address;
	int server = socket(AF_INET, SOCK_STREAM, 0), stranger = socket(AF_UNIX, SOCK_DGRAM, 0);
	int log[2];

	unconnected = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(server, in, size) < 0 || listen(server, 1) < 0 ||
		getsockname(server, in, &size) < 0)
		return false;
	if (bind(stranger, (const struct sockaddr *)&STRANGER, sizeof STRANGER) < 0)
		return false;
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, log) < 0)
		return false;
	log_socket = log[0];
	return unconnected >= 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0;
}

int main(void)
{
	static const struct tap_test TESTS[] = {
		{"confined to its descriptors, it talks", talks},
		{"confined to its descriptors, it does nothing else", does_nothing_else},
		{"what it may do reaches nobody that it is not connected to", reaches_no_others},
		{"confined to its program, it starts no other, but threads", starts_nothing},
		{"confined to its program, it reaches into no other process", reaches_into_nothing},
		{"confined to a server, it connects to nobody", serves},
		{"with code loaded beside it, it is not confined", leaves_others_alone},
	};

	if (prctl(PR_GET_SECCOMP) < 0)
		return tap_skip(TESTS, sizeof TESTS / sizeof *TESTS, "no seccomp here");
	unsetenv("LD_PRELOAD");
	if (!open_sockets())
		return 1;
	return tap_run(TESTS, sizeof TESTS / sizeof *TESTS);
}
