/* SPDX-License-Identifier: MIT */
#ifndef TASK_H
#define TASK_H

/*
 * Work that would block the event loop, such as looking up a name. A thread does it, and its end is
 * an event. It cannot be stopped, but it can be abandoned: then it ends by itself, some time.
 */

#include <systemd/sd-event.h>

/* What a task does. All three get its work: what it needs, and where its result is. */
struct task_kind {
	/* Does it, in the thread. May use nothing else that changes meanwhile. */
	void (*run)(void *work);
	/* It has been done. Called in the event loop, unless it was abandoned. */
	void (*done)(void *work, void *userdata);
	/* Frees the work, after done(); or in the thread, after run(), if it was abandoned. */
	void (*release)(void *work);
};

struct task;

/*
 * Starts a task. The thread takes no signals.
 *
 * kind: kept by the caller
 * work: from now on the task's
 * userdata: passed to done()
 * Returns NULL with errno set when it cannot; the work is still the caller's then.
 */
struct task *task_start(sd_event *event, const struct task_kind *kind, void *work, void *userdata);

/*
 * Abandons a task, which is not waited for. Not to be called once done() has been: from then on
 * there is no task.
 */
void task_abandon(struct task *task);

#endif
