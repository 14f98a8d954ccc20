/* SPDX-License-Identifier: MIT */

/* Filters of system calls: what a process can no longer do, even for an attacker inside. */

#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <unistd.h>

#if defined __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#elif defined __arm__
#define ARCH AUDIT_ARCH_ARM
#endif

/* Chosen by somebody, who need not be warned. */
static const char PRELOADED[] = "LD_PRELOAD has other code beside it";
static const char SANITIZED[] = "this build has a sanitizer";

void confine_log(const char *why)
{
	if (!why)
		return;
	if (why == PRELOADED || why == SANITIZED)
		syslog(LOG_DEBUG, "not confined: %s", why);
	else
		syslog(LOG_WARNING, "runs without a filter of system calls, see seccomp(2): %s",
			why);
}

#if !defined ARCH || defined __SANITIZE_ADDRESS__

const char *confine_to_descriptors(void)
{
#ifdef __SANITIZE_ADDRESS__
	return SANITIZED;
#else
	return "there is none for this architecture";
#endif
}

const char *confine_to_program(void)
{
	return confine_to_descriptors();
}

const char *confine_to_server(void)
{
	return confine_to_descriptors();
}

const char *confine_to_local(void)
{
	return confine_to_descriptors();
}

#else

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define ALLOW RETURN(SECCOMP_RET_ALLOW)
#define REFUSE(error) RETURN(SECCOMP_RET_ERRNO | (error))

#define COUNT(...) (sizeof((const struct sock_filter[]){__VA_ARGS__}) / sizeof(struct sock_filter))

/*
 * Instructions for one value of what was loaded: a system call's number, or an argument. They end
 * with ALLOW or REFUSE().
 */
#define FOR(number, ...)                                                                           \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, COUNT(__VA_ARGS__)), __VA_ARGS__
#define PERMIT(number) FOR(number, ALLOW)
#define FORBID(number) FOR(number, REFUSE(EPERM))

/*
 * What an argument has to be. These machines are all little-endian: the low half comes first,
 * and of an int it is all that the kernel looks at.
 */
#define IS(number, value)                                                                          \
	LOAD(args[number]), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 1, 0), REFUSE(EPERM)
#define IS_NOT(number, value)                                                                      \
	LOAD(args[number]), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1), REFUSE(EPERM)
#define IS_NULL(number)                                                                            \
	IS(number, 0),                                                                             \
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,                                                 \
			offsetof(struct seccomp_data, args[number]) + 4),                          \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), REFUSE(EPERM)
#define HAS_NO_FLAG(number, flags)                                                                 \
	LOAD(args[number]), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (flags), 0, 1), REFUSE(EPERM)
#define HAS(number, flag)                                                                          \
	LOAD(args[number]), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (flag), 1, 0), REFUSE(EPERM)

/* MSG_FASTOPEN connects a socket, and MSG_OOB is not ours to send. */
#define PLAIN_SEND(number) HAS_NO_FLAG(number, ~(unsigned)(MSG_DONTWAIT | MSG_NOSIGNAL))

/* CLONE_NEW*, of whatever kind. */
#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
		CLONE_NEWPID | CLONE_NEWNET)

/* System calls have other numbers where a program calls the kernel as another architecture. */
#define NATIVE LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0), REFUSE(EPERM), LOAD(nr)
#ifdef __X32_SYSCALL_BIT
#define BEGIN NATIVE, BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, __X32_SYSCALL_BIT, 0, 1), REFUSE(EPERM)
#else
#define BEGIN NATIVE
#endif

/*
 * When a filter is set, the kernel follows it for each number that a system call may have, to have
 * the verdict at hand, until it comes to an instruction that it does not expect there, such as this
 * one, which has no effect: seccomp_is_const_allow() in kernel/seccomp.c. For the ten calls that
 * are left to a led-handler, that takes longer than it saves: 43 us in place of 21.
 */
#define AT_ITS_CALL_ONLY BPF_STMT(BPF_MISC | BPF_TAX, 0)

static const struct sock_filter DESCRIPTORS[] = {
	AT_ITS_CALL_ONLY,
	BEGIN,
	PERMIT(SYS_read),
	PERMIT(SYS_write),
	/* Without an address: it reaches only the peer that the socket is connected to. */
	FOR(SYS_sendto, PLAIN_SEND(3), IS_NULL(4), ALLOW),
	/* Other options, such as SO_PEERPIDFD, make descriptors. */
	FOR(SYS_getsockopt, IS(1, IPPROTO_TCP), IS(2, TCP_INFO), ALLOW),
	PERMIT(SYS_shutdown),
	/* For a reset, and for a client that watches: keepalive.h. */
	FOR(SYS_setsockopt, LOAD(args[1]),
		FOR(SOL_SOCKET, LOAD(args[2]), PERMIT(SO_LINGER), PERMIT(SO_KEEPALIVE),
			REFUSE(EPERM)),
		FOR(IPPROTO_TCP, LOAD(args[2]), PERMIT(TCP_KEEPIDLE), PERMIT(TCP_KEEPINTVL),
			PERMIT(TCP_KEEPCNT), REFUSE(EPERM)),
		REFUSE(EPERM)),
	PERMIT(SYS_ppoll),
	PERMIT(SYS_clock_gettime),
	PERMIT(SYS_getpid),
	PERMIT(SYS_restart_syscall),
	PERMIT(SYS_exit_group),
	/* Takes back alarm(2). */
	PERMIT(SYS_setitimer),
/* The C library uses these instead on some machines. */
#ifdef SYS_poll
	PERMIT(SYS_poll),
#endif
#ifdef SYS_alarm
	PERMIT(SYS_alarm),
#endif
#ifdef SYS_send
	FOR(SYS_send, PLAIN_SEND(3), ALLOW),
#endif
#ifdef SYS_ppoll_time64
	PERMIT(SYS_ppoll_time64),
	PERMIT(SYS_clock_gettime64),
#endif
	REFUSE(EPERM),
};

/*
 * What the long-lived programs need, and the libraries in them: libsystemd, libgpiod, libevdev,
 * libmosquitto, OpenSSL, and the C library with what looks up names. A library may do in its next
 * version what this one does not. So a call that is not listed ends with ENOSYS, as on a kernel
 * that is older than the call, and libraries then use what older kernels have: this list.
 */
static const struct sock_filter PROGRAM[] = {
	BEGIN,
	PERMIT(SYS_read),
	PERMIT(SYS_write),
	PERMIT(SYS_epoll_pwait),
	PERMIT(SYS_recvfrom),
	PERMIT(SYS_sendto),
	PERMIT(SYS_recvmsg),
	PERMIT(SYS_sendmsg),
	PERMIT(SYS_readv),
	PERMIT(SYS_writev),
	PERMIT(SYS_pread64),
	PERMIT(SYS_pwrite64),
	PERMIT(SYS_preadv),
	PERMIT(SYS_pwritev),
	PERMIT(SYS_recvmmsg),
	PERMIT(SYS_sendmmsg),
	PERMIT(SYS_ppoll),
	PERMIT(SYS_futex),
	PERMIT(SYS_clock_gettime),
	/* Descriptors, and what waits for them. */
	PERMIT(SYS_close),
	PERMIT(SYS_close_range),
	PERMIT(SYS_dup),
	PERMIT(SYS_dup3),
	PERMIT(SYS_pipe2),
	PERMIT(SYS_flock),
	PERMIT(SYS_epoll_create1),
	PERMIT(SYS_epoll_ctl),
	PERMIT(SYS_epoll_pwait2),
	PERMIT(SYS_pselect6),
	PERMIT(SYS_eventfd2),
	PERMIT(SYS_signalfd4),
	PERMIT(SYS_timerfd_create),
	PERMIT(SYS_timerfd_settime),
	PERMIT(SYS_timerfd_gettime),
	PERMIT(SYS_inotify_init1),
	PERMIT(SYS_inotify_add_watch),
	PERMIT(SYS_inotify_rm_watch),
	/* Not the signals that the kernel sends: when a descriptor is ready. */
	FOR(SYS_fcntl, IS_NOT(1, F_SETOWN), IS_NOT(1, F_SETOWN_EX), ALLOW),
	/* The same; and what is typed on a terminal, for the shell that reads from it. */
	FOR(SYS_ioctl, IS_NOT(1, FIOSETOWN), IS_NOT(1, SIOCSPGRP), IS_NOT(1, TIOCSTI),
		IS_NOT(1, TIOCLINUX), ALLOW),
	/* Files. A node is a FIFO. */
	PERMIT(SYS_openat),
	PERMIT(SYS_fstat),
	PERMIT(SYS_statx),
	PERMIT(SYS_faccessat),
	PERMIT(SYS_faccessat2),
	PERMIT(SYS_readlinkat),
	PERMIT(SYS_getdents64),
	PERMIT(SYS_getcwd),
	PERMIT(SYS_lseek),
	PERMIT(SYS_ftruncate),
	PERMIT(SYS_fallocate),
	PERMIT(SYS_fsync),
	PERMIT(SYS_fdatasync),
	PERMIT(SYS_renameat),
	PERMIT(SYS_renameat2),
	PERMIT(SYS_unlinkat),
	PERMIT(SYS_fchmod),
	PERMIT(SYS_umask),
	PERMIT(SYS_statfs),
	PERMIT(SYS_fstatfs),
	PERMIT(SYS_memfd_create),
	FOR(SYS_mknodat, HAS_NO_FLAG(2, S_IFMT & ~S_IFIFO), ALLOW),
	/* Sockets: of this machine, of the Internet, and the kernel's own. */
	FOR(SYS_socket, LOAD(args[0]), PERMIT(AF_UNIX), PERMIT(AF_INET), PERMIT(AF_INET6),
		PERMIT(AF_NETLINK), REFUSE(EAFNOSUPPORT)),
	PERMIT(SYS_socketpair),
	PERMIT(SYS_bind),
	PERMIT(SYS_listen),
	PERMIT(SYS_accept),
	PERMIT(SYS_accept4),
	PERMIT(SYS_connect),
	PERMIT(SYS_shutdown),
	PERMIT(SYS_getsockname),
	PERMIT(SYS_getpeername),
	PERMIT(SYS_getsockopt),
	PERMIT(SYS_setsockopt),
	/* Memory that holds no code. */
	FOR(SYS_mprotect, HAS_NO_FLAG(2, PROT_EXEC), ALLOW),
	PERMIT(SYS_brk),
	PERMIT(SYS_munmap),
	PERMIT(SYS_mremap),
	PERMIT(SYS_madvise),
	/* Threads, but no process. clone3() has its flags out of reach, and is not listed. */
	FOR(SYS_clone, HAS(0, CLONE_THREAD), HAS_NO_FLAG(0, NAMESPACES), ALLOW),
	PERMIT(SYS_set_robust_list),
	PERMIT(SYS_get_robust_list),
	PERMIT(SYS_set_tid_address),
	PERMIT(SYS_rseq),
	PERMIT(SYS_sched_yield),
	PERMIT(SYS_sched_getaffinity),
	PERMIT(SYS_exit),
	PERMIT(SYS_exit_group),
	/* Signals are received, and none is sent: abort(3) ends with SIGSEGV. */
	PERMIT(SYS_rt_sigprocmask),
	PERMIT(SYS_rt_sigaction),
	PERMIT(SYS_rt_sigreturn),
	PERMIT(SYS_sigaltstack),
	PERMIT(SYS_restart_syscall),
	/* The time, and who we are. */
	PERMIT(SYS_clock_getres),
	PERMIT(SYS_clock_nanosleep),
	PERMIT(SYS_nanosleep),
	PERMIT(SYS_gettimeofday),
	PERMIT(SYS_getpid),
	PERMIT(SYS_getppid),
	PERMIT(SYS_gettid),
	PERMIT(SYS_getuid),
	PERMIT(SYS_geteuid),
	PERMIT(SYS_getgid),
	PERMIT(SYS_getegid),
	PERMIT(SYS_getgroups),
	PERMIT(SYS_getresuid),
	PERMIT(SYS_getresgid),
	PERMIT(SYS_uname),
	PERMIT(SYS_sysinfo),
	PERMIT(SYS_getrandom),
	PERMIT(SYS_getrusage),
	FOR(SYS_prlimit64, IS(0, 0), ALLOW),
	FOR(SYS_prctl, LOAD(args[0]), PERMIT(PR_SET_NAME), PERMIT(PR_GET_NAME),
		PERMIT(PR_GET_DUMPABLE), REFUSE(EPERM)),
/* The C library uses these instead on some machines. */
#ifdef SYS_open
	PERMIT(SYS_open),
	PERMIT(SYS_stat),
	PERMIT(SYS_lstat),
	PERMIT(SYS_access),
	PERMIT(SYS_readlink),
	PERMIT(SYS_rename),
	PERMIT(SYS_unlink),
	PERMIT(SYS_dup2),
	PERMIT(SYS_pipe),
	PERMIT(SYS_poll),
	PERMIT(SYS_epoll_create),
	PERMIT(SYS_epoll_wait),
	PERMIT(SYS_eventfd),
	PERMIT(SYS_signalfd),
	PERMIT(SYS_inotify_init),
	PERMIT(SYS_getdents),
	FOR(SYS_mknod, HAS_NO_FLAG(1, S_IFMT & ~S_IFIFO), ALLOW),
#endif
#ifdef SYS_mmap
	FOR(SYS_mmap, HAS_NO_FLAG(2, PROT_EXEC), ALLOW),
#endif
#ifdef SYS_newfstatat
	PERMIT(SYS_newfstatat),
#endif
#ifdef SYS_getrlimit
	PERMIT(SYS_getrlimit),
#endif
#ifdef SYS_select
	PERMIT(SYS_select),
#endif
#ifdef __arm__
	FOR(SYS_mmap2, HAS_NO_FLAG(2, PROT_EXEC), ALLOW),
	FOR(SYS_fcntl64, IS_NOT(1, F_SETOWN), IS_NOT(1, F_SETOWN_EX), ALLOW),
	PERMIT(SYS__llseek),
	PERMIT(SYS__newselect),
	PERMIT(SYS_stat64),
	PERMIT(SYS_lstat64),
	PERMIT(SYS_fstat64),
	PERMIT(SYS_fstatat64),
	PERMIT(SYS_statfs64),
	PERMIT(SYS_fstatfs64),
	PERMIT(SYS_ftruncate64),
	PERMIT(SYS_send),
	PERMIT(SYS_recv),
	PERMIT(SYS_sigreturn),
	PERMIT(SYS_ugetrlimit),
	PERMIT(SYS_getuid32),
	PERMIT(SYS_geteuid32),
	PERMIT(SYS_getgid32),
	PERMIT(SYS_getegid32),
	PERMIT(SYS_getgroups32),
	PERMIT(SYS_getresuid32),
	PERMIT(SYS_getresgid32),
	PERMIT(SYS_clock_gettime64),
	PERMIT(SYS_clock_getres_time64),
	PERMIT(SYS_clock_nanosleep_time64),
	PERMIT(SYS_futex_time64),
	PERMIT(SYS_ppoll_time64),
	PERMIT(SYS_pselect6_time64),
	PERMIT(SYS_recvmmsg_time64),
	PERMIT(SYS_timerfd_settime64),
	PERMIT(SYS_timerfd_gettime64),
#endif
	REFUSE(ENOSYS),
};

/* Data for an address connects a socket, too. */
static const struct sock_filter NO_FASTOPEN[] = {
	BEGIN,
	FOR(SYS_sendto, HAS_NO_FLAG(3, MSG_FASTOPEN), ALLOW),
	FOR(SYS_sendmsg, HAS_NO_FLAG(2, MSG_FASTOPEN), ALLOW),
	FOR(SYS_sendmmsg, HAS_NO_FLAG(3, MSG_FASTOPEN), ALLOW),
#ifdef SYS_send
	FOR(SYS_send, HAS_NO_FLAG(3, MSG_FASTOPEN), ALLOW),
#endif
	ALLOW,
};

static const struct sock_filter NO_CONNECT[] = {BEGIN, FORBID(SYS_connect), ALLOW};

static const char *set_filter(const struct sock_filter *filter, size_t size)
{
	const struct sock_fprog program = {
		.len = (unsigned short)(size / sizeof *filter),
		.filter = (struct sock_filter *)filter,
	};
	const char *loaded = getenv("LD_PRELOAD");

	if (loaded && *loaded)
		return PRELOADED;
	/* Others of the same user cannot read or write its memory: /proc/PID/mem. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return strerror(errno);
	return NULL;
}

#define SET(filter) set_filter(filter, sizeof(filter))

/*
 * Landlock sees the address that is to be connected, and a filter does not: landlock(7). Older
 * kernels refuse the ruleset, and headers may be older than the kernel.
 */
static void forbid_tcp(void)
{
	/* struct landlock_ruleset_attr: handled_access_fs, handled_access_net */
	const uint64_t handled[] = {0, 1 << 1 /* LANDLOCK_ACCESS_NET_CONNECT_TCP */};
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, handled, sizeof handled, 0);

	if (ruleset < 0 || syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		syslog(LOG_DEBUG, "may connect over TCP, see landlock(7): %s", strerror(errno));
	if (ruleset >= 0)
		close(ruleset);
}

const char *confine_to_descriptors(void)
{
	return SET(DESCRIPTORS);
}

const char *confine_to_program(void)
{
	return SET(PROGRAM);
}

/* A socket of the manager's has the manager's network. */
const char *confine_to_server(void)
{
	const char *why = SET(NO_CONNECT);

	if (!why)
		why = SET(NO_FASTOPEN);
	return why ? why : confine_to_program();
}

const char *confine_to_local(void)
{
	const char *why = SET(NO_FASTOPEN);

	if (why)
		return why;
	forbid_tcp();
	return confine_to_program();
}

#endif
