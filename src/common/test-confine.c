/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "confine.h"
#include "logged.h"
#include "tap.h"

/* From Linux 6.5 on; the C library's headers do not have it yet. */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* What the filter refuses. */
#define REFUSED(attempt) (errno = 0, (attempt) == -1 && (errno == EPERM || errno == ENOSYS))

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

/* The options of a socket: those of a reset and of keepalive.h, and no other. */
static int try_options(void)
{
	static const struct {
		int level, name;
		bool permitted;
	} OPTIONS[] = {
		{SOL_SOCKET, SO_KEEPALIVE, true},
		{IPPROTO_TCP, TCP_KEEPIDLE, true},
		{IPPROTO_TCP, TCP_KEEPINTVL, true},
		{IPPROTO_TCP, TCP_KEEPCNT, true},
		{SOL_SOCKET, SO_RCVBUF, false},
		{SOL_SOCKET, SO_MARK, false},
		{SOL_SOCKET, TCP_KEEPCNT, false},
		{IPPROTO_TCP, SO_LINGER, false},
		{IPPROTO_TCP, SO_KEEPALIVE, false},
		{IPPROTO_IP, TCP_KEEPIDLE, false},
		{IPPROTO_IPV6, SO_LINGER, false},
	};
	const struct linger at_once = {.l_onoff = 1};
	const int value = 3;

	if (confine_to_descriptors())
		return 99;
	if (setsockopt(unconnected, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) < 0)
		return 98;
	for (int i = 0; i < (int)(sizeof OPTIONS / sizeof *OPTIONS); i++) {
		bool refused = REFUSED(setsockopt(
			unconnected, OPTIONS[i].level, OPTIONS[i].name, &value, sizeof value));

		if (refused == OPTIONS[i].permitted)
			return i + 1;
	}
	return 0;
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

/* What a program of ours never does, and who has taken it over could use. */
static int try_what_is_not_ours(void)
{
	static const long CALLS[] = {SYS_unshare, SYS_setns, SYS_userfaultfd, SYS_keyctl,
		SYS_add_key, SYS_request_key, SYS_bpf, SYS_perf_event_open, SYS_mount, SYS_umount2,
		SYS_pivot_root, SYS_chroot, SYS_ptrace, SYS_kcmp, SYS_name_to_handle_at,
		SYS_open_by_handle_at, SYS_init_module, SYS_personality};

	if (confine_to_program())
		return 99;
	/* Others of the same user can neither read nor write its memory. */
	if (prctl(PR_GET_DUMPABLE) != 0)
		return 98;
	for (int i = 0; i < (int)(sizeof CALLS / sizeof *CALLS); i++)
		if (!REFUSED(syscall(CALLS[i], -1, -1, -1, -1, -1)))
			return i + 1;
	return 0;
}

/* Code comes from nowhere. */
static int try_new_code(void)
{
	const int exec = PROT_READ | PROT_EXEC, private = MAP_PRIVATE | MAP_ANONYMOUS;
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int memory = memfd_create("code", MFD_CLOEXEC);
	void *page;

	if (file < 0 || memory < 0 || ftruncate(memory, 4096) < 0 || confine_to_program())
		return 9;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, private, -1, 0);
	if (page == MAP_FAILED || mprotect(page, 4096, PROT_READ) < 0)
		return 1;
	if (!REFUSED(mprotect(page, 4096, exec)))
		return 2;
	if (mmap(NULL, 4096, exec, private, -1, 0) != MAP_FAILED || errno != EPERM)
		return 3;
	if (mmap(NULL, 4096, exec, MAP_PRIVATE, file, 0) != MAP_FAILED || errno != EPERM)
		return 4;
	if (mmap(NULL, 4096, exec, MAP_SHARED, memory, 0) != MAP_FAILED || errno != EPERM)
		return 5;
	if (!REFUSED(syscall(SYS_pkey_mprotect, page, 4096, exec, -1)))
		return 6;
	return 0;
}

/* What is permitted, with other arguments; and a call that the list does not have. */
static int try_not_listed(void)
{
	if (confine_to_program())
		return 9;
	if (!REFUSED(prctl(PR_SET_DUMPABLE, 1)) || prctl(PR_GET_DUMPABLE) != 0)
		return 1;
	if (prctl(PR_SET_NAME, "confined") < 0)
		return 2;
	if (socket(AF_ALG, SOCK_SEQPACKET, 0) >= 0 || errno != EAFNOSUPPORT)
		return 3;
	if (socket(AF_INET6, SOCK_STREAM, 0) < 0 && errno != EAFNOSUPPORT)
		return 4;
	if (!REFUSED(mknod("/nowhere/disk", S_IFBLK | 0600, 0)) ||
		mkfifo("/nowhere/fifo", 0600) == 0 || errno != ENOENT)
		return 5;
	if (!REFUSED(syscall(SYS_clone, CLONE_THREAD | CLONE_NEWNET, NULL, NULL, NULL, NULL)))
		return 6;
	/* As on a kernel without it: libraries then do without. */
	if (syscall(SYS_clone3, NULL, 0) != -1 || errno != ENOSYS)
		return 7;
	return syscall(SYS_swapon, NULL, 0) == -1 && errno == ENOSYS ? 0 : 8;
}

/* A kernel without filters, which another filter stands for. */
static int try_without_filters(void)
{
	struct sock_filter none[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {sizeof none / sizeof *none, none};
	const char *why;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return 1;
	why = confine_to_program();
	if (!why || strcmp(why, strerror(EINVAL)) != 0)
		return 2;
	confine_log(why);
	return strcmp(logged(), "runs without a filter of system calls, see seccomp(2): Invalid "
				"argument\n") == 0
		       ? 0
		       : 3;
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
	/* sd_notify(3) sends to the service manager's address. */
	return sendto(log_socket, "x", 1, MSG_NOSIGNAL, un, sizeof STRANGER) == 1 ? 0 : 6;
}

/* Whether the kernel has Landlock's rights for TCP: landlock(7). */
static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1U) >= 4;
}

static int try_to_leave(void)
{
	const struct sockaddr *in = (const struct sockaddr *)&server_address;
	const struct sockaddr *un = (const struct sockaddr *)&STRANGER;
	bool leaves = !has_landlock();

	if (confine_to_local())
		return 1;
	if (!REFUSED(sendto(unconnected, "x", 1, MSG_FASTOPEN, in, sizeof server_address)))
		return 2;
	if (!REFUSED(fork()) || !REFUSED(kill(getppid(), 0)))
		return 3;
	if ((connect(unconnected, in, sizeof server_address) == 0) != leaves)
		return 4;
	if (!leaves && errno != EACCES)
		return 5;
	return connect(socket(AF_UNIX, SOCK_DGRAM, 0), un, sizeof STRANGER) < 0;
}

static int try_with_others(void)
{
	setenv("LD_PRELOAD", "/lib/other.so", 1);
	if (!confine_to_descriptors())
		return 1;
	confine_log(confine_to_program());
	if (*logged())
		return 2;
	return open("/dev/null", O_RDONLY) < 0;
}

TEST("confined to its descriptors, it talks")
{
	CHECK(in_child(try_to_talk) == 0);
}

TEST("confined to its descriptors, it does nothing else")
{
	CHECK(in_child(try_to_break_out) == 0);
}

TEST("what it may do reaches nobody that it is not connected to")
{
	CHECK(in_child(try_to_reach_others) == 0);
}

TEST("led-handler sets the options of a reset and of keepalive, and no other")
{
	CHECK(in_child(try_options) == 0);
}

TEST("confined to its program, it starts no other, but threads")
{
	CHECK(in_child(try_programs) == 0);
}

TEST("confined to its program, it reaches into no other process")
{
	CHECK(in_child(try_on_others) == 0);
}

TEST("confined to its program, it does nothing that none of ours does, and is read by none")
{
	CHECK(in_child(try_what_is_not_ours) == 0);
}

TEST("confined to its program, it makes no memory executable")
{
	CHECK(in_child(try_new_code) == 0);
}

TEST("confined to its program, it calls what is listed, and the rest is as on an older kernel")
{
	CHECK(in_child(try_not_listed) == 0);
}

TEST("where the kernel has no filters, a warning says so")
{
	CHECK(in_child(try_without_filters) == 0);
}

TEST("confined to a server, it connects to nobody")
{
	CHECK(in_child(try_to_connect) == 0);
}

TEST("confined to this machine, it connects to nobody over TCP, on kernels with Landlock for that")
{
	CHECK(in_child(try_to_leave) == 0);
}

TEST("with code loaded beside it, it is not confined, which is no warning")
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
	if (prctl(PR_GET_SECCOMP) < 0)
		return tap_skip("no seccomp here");
	unsetenv("LD_PRELOAD");
	if (!open_sockets())
		return 1;
	return tap_run();
}
