/* SPDX-License-Identifier: MIT */
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
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#if defined __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#elif defined __arm__
#define ARCH AUDIT_ARCH_ARM
#endif

#if !defined ARCH || defined __SANITIZE_ADDRESS__

const char *confine_to_descriptors(void)
{
	return "this build cannot be";
}

const char *confine_to_program(void)
{
	return confine_to_descriptors();
}

const char *confine_to_server(void)
{
	return confine_to_descriptors();
}

#else

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define ALLOW RETURN(SECCOMP_RET_ALLOW)
#define REFUSE(error) RETURN(SECCOMP_RET_ERRNO | (error))

#define COUNT(...) (sizeof((const struct sock_filter[]){__VA_ARGS__}) / sizeof(struct sock_filter))

/* Instructions for one system call. They end with ALLOW or REFUSE(). */
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

/* System calls have other numbers where a program calls the kernel as another architecture. */
#define NATIVE LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0), REFUSE(EPERM), LOAD(nr)
#ifdef __X32_SYSCALL_BIT
#define BEGIN NATIVE, BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, __X32_SYSCALL_BIT, 0, 1), REFUSE(EPERM)
#else
#define BEGIN NATIVE
#endif

static const struct sock_filter DESCRIPTORS[] = {
	BEGIN,
	PERMIT(SYS_read),
	PERMIT(SYS_write),
	/* Without an address: it reaches only the peer that the socket is connected to. */
	FOR(SYS_sendto, PLAIN_SEND(3), IS_NULL(4), ALLOW),
	/* Other options, such as SO_PEERPIDFD, make descriptors. */
	FOR(SYS_getsockopt, IS(1, IPPROTO_TCP), IS(2, TCP_INFO), ALLOW),
	PERMIT(SYS_shutdown),
	FOR(SYS_setsockopt, IS(1, SOL_SOCKET), IS(2, SO_LINGER), ALLOW),
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

static const struct sock_filter PROGRAM[] = {
	BEGIN,
	FORBID(SYS_execve),
	FORBID(SYS_execveat),
#ifdef SYS_fork
	FORBID(SYS_fork),
	FORBID(SYS_vfork),
#endif
	/* Its flags are out of reach: the C library takes clone() instead. */
	FOR(SYS_clone3, REFUSE(ENOSYS)),
	FOR(SYS_clone, HAS(0, CLONE_THREAD), ALLOW),
	/* io_uring takes its orders without system calls: no filter sees them. */
	FORBID(SYS_io_uring_setup),
	/* The memory and the descriptors of others. */
	FORBID(SYS_ptrace),
	FORBID(SYS_process_vm_readv),
	FORBID(SYS_process_vm_writev),
	FORBID(SYS_pidfd_getfd),
	/* Signals. abort(3) has one too, and ends with SIGSEGV instead. */
	FORBID(SYS_kill),
	FORBID(SYS_tkill),
	FORBID(SYS_tgkill),
	FORBID(SYS_rt_sigqueueinfo),
	FORBID(SYS_rt_tgsigqueueinfo),
	FORBID(SYS_pidfd_send_signal),
	/* Signals that the kernel sends: when a descriptor is ready, at a limit on CPU time. */
	FOR(SYS_fcntl, IS_NOT(1, F_SETOWN), IS_NOT(1, F_SETOWN_EX), ALLOW),
#ifdef SYS_fcntl64
	FOR(SYS_fcntl64, IS_NOT(1, F_SETOWN), IS_NOT(1, F_SETOWN_EX), ALLOW),
#endif
	FOR(SYS_prlimit64, IS(0, 0), ALLOW),
	/* The same; and what is typed on a terminal, for the shell that reads from it. */
	FOR(SYS_ioctl, IS_NOT(1, FIOSETOWN), IS_NOT(1, SIOCSPGRP), IS_NOT(1, TIOCSTI),
		IS_NOT(1, TIOCLINUX), ALLOW),
	ALLOW,
};

/* A socket of the manager's has the manager's network. */
static const struct sock_filter SERVER[] = {
	BEGIN,
	FORBID(SYS_connect),
	FOR(SYS_sendto, HAS_NO_FLAG(3, MSG_FASTOPEN), ALLOW),
	FOR(SYS_sendmsg, HAS_NO_FLAG(2, MSG_FASTOPEN), ALLOW),
	FOR(SYS_sendmmsg, HAS_NO_FLAG(3, MSG_FASTOPEN), ALLOW),
#ifdef SYS_send
	FOR(SYS_send, HAS_NO_FLAG(3, MSG_FASTOPEN), ALLOW),
#endif
	ALLOW,
};

static const char *set_filter(const struct sock_filter *filter, size_t size)
{
	const struct sock_fprog program = {
		.len = (unsigned short)(size / sizeof *filter),
		.filter = (struct sock_filter *)filter,
	};
	const char *loaded = getenv("LD_PRELOAD");

	if (loaded && *loaded)
		return "LD_PRELOAD has other code beside it";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return strerror(errno);
	return NULL;
}

const char *confine_to_descriptors(void)
{
	return set_filter(DESCRIPTORS, sizeof DESCRIPTORS);
}

const char *confine_to_program(void)
{
	return set_filter(PROGRAM, sizeof PROGRAM);
}

const char *confine_to_server(void)
{
	const char *why = set_filter(SERVER, sizeof SERVER);

	return why ? why : confine_to_program();
}

#endif
