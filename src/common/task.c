/* SPDX-License-Identifier: MIT */

/*
 * A thread that does one thing, and an event loop that learns of its end. Both own the task, and
 * the last one to leave frees it, so that neither waits for the other.
 */

#include "task.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct task {
	const struct task_kind *kind;
	void *work, *userdata;
	int fd; /* eventfd(2): readable when it is done */
	sd_event_source *source;
	atomic_int owners;
};

static void leave(struct task *task)
{
	if (atomic_fetch_sub(&task->owners, 1) > 1)
		return;
	task->kind->release(task->work);
	close(task->fd);
	free(task);
}

static void *run(void *argument)
{
	struct task *task = argument;

	task->kind->run(task->work);
	eventfd_write(task->fd, 1);
	leave(task);
	return NULL;
}

static int on_done(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct task *task = userdata;

	task->source = sd_event_source_disable_unref(source);
	task->kind->done(task->work, task->userdata);
	leave(task);
	return 0;
}

/* Starts the thread. Signals are for the thread that called. Returns 0 or an errno value. */
static int start_thread(struct task *task)
{
	sigset_t all, before;
	pthread_t thread;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, NULL, run, task);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error == 0)
		pthread_detach(thread);
	return error;
}

struct task *task_start(sd_event *event, const struct task_kind *kind, void *work, void *userdata)
{
	struct task *task = calloc(1, sizeof *task);
	int error = ENOMEM;

	if (!task)
		return NULL;
	*task = (struct task){.kind = kind, .work = work, .userdata = userdata, .owners = 2};
	task->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (task->fd < 0)
		error = errno;
	else
		error = -sd_event_add_io(event, &task->source, task->fd, EPOLLIN, on_done, task);
	if (error <= 0)
		error = start_thread(task);
	if (error <= 0)
		return task;
	sd_event_source_disable_unref(task->source);
	if (task->fd >= 0)
		close(task->fd);
	free(task);
	errno = error;
	return NULL;
}

void task_abandon(struct task *task)
{
	if (!task)
		return;
	task->source = sd_event_source_disable_unref(task->source);
	leave(task);
}
