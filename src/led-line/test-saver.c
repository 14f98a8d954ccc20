/* SPDX-License-Identifier: MIT */
#include "saver.h"

#include <errno.h>
#include <stdlib.h>

#include "logged.h"
#include "state-file.h"
#include "tap.h"
#include "task.h"
#include "timers.h"

#define SECOND 1000000ULL

static sd_event *event;
static struct saver *saver;
static unsigned n_flushed;

/* The disk, in place of state-file.c. */
static char file[STATE_FILE_MAX];
static int result;
static unsigned n_writes;

const char *state_file_path(void)
{
	return "/x/last";
}

int state_file_save(const char *text)
{
	n_writes++;
	if (result >= 0)
		strcpy(file, text);
	return result;
}

/* A thread that runs when the test says so, in place of task.c. */
static const struct task_kind *kind;
static void *argument, *userdata;
static bool no_threads, abandoned;

struct task *task_start(
	sd_event *event_, const struct task_kind *kind_, void *argument_, void *userdata_)
{
	if (no_threads)
		return NULL;
	CHECK(!kind);
	kind = kind_;
	argument = argument_;
	userdata = userdata_;
	return (struct task *)&kind;
}

void task_abandon(struct task *task)
{
	abandoned = task;
	if (!task)
		return;
	kind->release(argument);
	kind = NULL;
}

/* The disk has done what it was given. Returns whether that was anything. */
static bool write_now(void)
{
	const struct task_kind *kind_ = kind;
	void *argument_ = argument;

	if (!kind)
		return false;
	kind_->run(argument_);
	kind = NULL;
	kind_->done(argument_, userdata);
	kind_->release(argument_);
	return true;
}

static void on_flushed(void *userdata_)
{
	CHECK(userdata_ == file);
	n_flushed++;
}

static void begin(const char *saved)
{
	strcpy(file, saved);
	result = 0;
	n_writes = n_flushed = 0;
	no_threads = false;
	saver = saver_create(event, saved);
}

static void end(void)
{
	saver_destroy(saver);
	CHECK(timers_running() == 0);
	CHECK_TEXT(logged(), "");
}

TEST("a text is written once, and the newest after the one that is being written")
{
	begin("on\n");
	saver_put(saver, "on\n");
	CHECK(!write_now());
	saver_put(saver, "off\n");
	saver_put(saver, "a off\n");
	saver_put(saver, "b off\n");
	CHECK(write_now());
	CHECK_TEXT(file, "off\n");
	CHECK(write_now());
	CHECK_TEXT(file, "b off\n");
	CHECK(!write_now() && n_writes == 2 && !saver_has_failed(saver));
	end();
}

TEST("a failure is tried again every 5 s, and logged once for each reason")
{
	begin("");
	result = -ENOSPC;
	saver_put(saver, "on\n");
	CHECK(write_now() && saver_has_failed(saver));
	CHECK_TEXT(logged(), "/x/last: the LED's state is not kept: No space left on device\n");
	for (int i = 0; i < 3; i++) {
		timers_pass(5 * SECOND - 1);
		CHECK(!write_now());
		timers_pass(1);
		CHECK(write_now());
	}
	CHECK_TEXT(logged(), "");
	result = -EROFS;
	timers_pass(5 * SECOND);
	CHECK(write_now());
	CHECK_TEXT(logged(), "/x/last: the LED's state is not kept: Read-only file system\n");
	result = 0;
	saver_put(saver, "off\n");
	CHECK(write_now() && !saver_has_failed(saver) && timers_running() == 0);
	CHECK_TEXT(logged(), "/x/last: the LED's state is kept again\n");
	CHECK_TEXT(file, "off\n");
	timers_pass(60 * SECOND);
	CHECK(!write_now());
	end();
}

TEST("a flush waits for the newest text, or for its failure, and calls once")
{
	begin("");
	saver_flush(saver, on_flushed, file);
	CHECK(n_flushed == 1);
	saver_put(saver, "on\n");
	saver_put(saver, "off\n");
	saver_flush(saver, on_flushed, file);
	CHECK(write_now() && n_flushed == 1);
	CHECK(write_now() && n_flushed == 2);
	CHECK(!write_now());
	result = -EIO;
	saver_put(saver, "on\n");
	saver_flush(saver, on_flushed, file);
	CHECK(n_flushed == 2 && write_now() && n_flushed == 3);
	logged();
	/* A later failure is nobody's flush. */
	timers_pass(5 * SECOND);
	CHECK(write_now() && n_flushed == 3);
	logged();
	end();
}

TEST("without a thread, the disk is waited for")
{
	begin("");
	no_threads = true;
	saver_put(saver, "on\n");
	CHECK_TEXT(file, "on\n");
	saver_flush(saver, on_flushed, file);
	CHECK(n_flushed == 1 && n_writes == 1);
	end();
}

TEST("its end abandons what is being written")
{
	begin("");
	end();
	CHECK(!abandoned);
	begin("");
	saver_put(saver, "on\n");
	end();
	CHECK(abandoned);
	saver_destroy(NULL);
}

int main(void)
{
	int r;

	if (sd_event_new(&event) < 0)
		return 1;
	r = tap_run();
	sd_event_unref(event);
	return r;
}
