/* SPDX-License-Identifier: MIT */
#include "task.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tap.h"

static sd_event *event;
static int n_done;
static atomic_int n_released;

struct work {
	int gate; /* eventfd(2): it waits for this before it ends */
	int input, result;
};

static void run(void *argument)
{
	struct work *work = argument;
	eventfd_t value;

	if (work->gate >= 0)
		eventfd_read(work->gate, &value);
	work->result = 2 * work->input;
}

static void done(void *argument, void *userdata)
{
	const struct work *work = argument;

	CHECK(userdata == &n_done);
	CHECK(work->result == 2 * work->input);
	n_done++;
}

static void release(void *argument)
{
	free(argument);
	n_released++;
}

static const struct task_kind KIND = {run, done, release};

static struct task *start(int input, int gate)
{
	struct work *work = malloc(sizeof *work);

	*work = (struct work){.input = input, .gate = gate};
	return task_start(event, &KIND, work, &n_done);
}

/* Runs the loop until so many are done, for 10 s at the most. */
static bool wait_done(int n)
{
	for (int i = 0; i < 1000 && n_done < n; i++)
		sd_event_run(event, 10000);
	return n_done == n;
}

static bool wait_released(int n)
{
	for (int i = 0; i < 1000 && n_released < n; i++)
		usleep(10000);
	return n_released == n;
}

TEST("the loop learns of the end of each, and each is freed once")
{
	n_done = n_released = 0;
	for (int i = 0; i < 100; i++)
		CHECK(start(i, -1));
	CHECK(wait_done(100));
	CHECK(wait_released(100));
	sd_event_run(event, 0);
	CHECK(n_done == 100 && n_released == 100);
}

TEST("one that is abandoned is not waited for, and frees its work by itself")
{
	int gate = eventfd(0, EFD_SEMAPHORE);
	struct task *task;

	n_done = n_released = 0;
	task = start(1, gate);
	CHECK(task);
	sd_event_run(event, 0);
	CHECK(n_done == 0);
	task_abandon(task);
	CHECK(n_released == 0);
	eventfd_write(gate, 1);
	CHECK(wait_released(1));
	sd_event_run(event, 0);
	CHECK(n_done == 0);
	close(gate);
}

TEST("one that has ended can still be abandoned before the loop has learned of it")
{
	struct task *task;

	n_done = n_released = 0;
	task = start(1, -1);
	usleep(50000);
	task_abandon(task);
	CHECK(wait_released(1));
	sd_event_run(event, 0);
	CHECK(n_done == 0 && n_released == 1);
	task_abandon(NULL);
}

int main(void)
{
	int failed;

	if (sd_event_new(&event) < 0)
		return 1;
	failed = tap_run();
	sd_event_unref(event);
	return failed;
}
