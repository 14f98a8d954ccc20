/* SPDX-License-Identifier: MIT */

/* Writes the state file in a thread: what saving.c says, when it says so. */

#include "saver.h"

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "saving.h"
#include "state-file.h"
#include "task.h"
#include "timer.h"

/* A failed write is tried again after this time. */
#define RETRY_USEC 5000000
#define ACCURACY_USEC 500000

/* One write. */
struct work {
	char text[STATE_FILE_MAX];
	int result;
};

struct saver {
	sd_event *event;
	struct saving saving;
	struct task *task; /* while it writes */
	sd_event_source *retry;
	int error; /* what the log has said, or 0 */
	void (*flushed)(void *userdata);
	void *userdata;
};

/* Logs whether the state file could be written, once for each reason. */
static void log_result(struct saver *saver, int r)
{
	if (r == saver->error)
		return;
	if (r < 0)
		syslog(LOG_WARNING, "%s: the LED's state is not kept: %s", state_file_path(),
			strerror(-r));
	else
		syslog(LOG_NOTICE, "%s: the LED's state is kept again", state_file_path());
	saver->error = r;
}

static void run(void *userdata)
{
	struct work *work = userdata;

	work->result = state_file_save(work->text);
}

static void advance(struct saver *saver);

static void end_write(struct saver *saver, int result)
{
	saving_end(&saver->saving, result);
	log_result(saver, result);
	if (result < 0)
		timer_start(saver->retry, RETRY_USEC);
	else
		timer_stop(saver->retry);
}

static void on_written(void *userdata, void *saver_userdata)
{
	struct saver *saver = saver_userdata;

	saver->task = NULL;
	end_write(saver, ((struct work *)userdata)->result);
	advance(saver);
}

static const struct task_kind WRITE = {run, on_written, free};

/* Without a thread, the disk is waited for. */
static void write_text(struct saver *saver, const char *text)
{
	struct work *work = calloc(1, sizeof *work);

	if (work) {
		strcpy(work->text, text);
		saver->task = task_start(saver->event, &WRITE, work, saver);
	}
	if (saver->task)
		return;
	free(work);
	end_write(saver, state_file_save(text));
}

/* Does what there is to do now. */
static void advance(struct saver *saver)
{
	void (*flushed)(void *userdata) = saver->flushed;

	if (saving_begin(&saver->saving))
		write_text(saver, saver->saving.writing);
	if (!flushed || !saving_is_flushed(&saver->saving))
		return;
	saver->flushed = NULL;
	flushed(saver->userdata);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct saver *saver = userdata;

	saving_retry(&saver->saving);
	advance(saver);
	return 0;
}

struct saver *saver_create(sd_event *event, const char *saved)
{
	struct saver *saver = calloc(1, sizeof *saver);

	if (!saver)
		return NULL;
	saver->event = sd_event_ref(event);
	strcpy(saver->saving.saved, saved);
	state_file_path(); /* makes the path while there is only one thread */
	if (timer_add(event, &saver->retry, ACCURACY_USEC, on_retry, saver) >= 0)
		return saver;
	saver_destroy(saver);
	return NULL;
}

void saver_put(struct saver *saver, const char *text)
{
	saving_put(&saver->saving, text);
	advance(saver);
}

bool saver_has_failed(const struct saver *saver)
{
	return saver->error < 0;
}

bool saver_is_done(const struct saver *saver)
{
	return saving_is_done(&saver->saving);
}

void saver_flush(struct saver *saver, void (*flushed)(void *userdata), void *userdata)
{
	saver->flushed = flushed;
	saver->userdata = userdata;
	saving_flush(&saver->saving);
	advance(saver);
}

void saver_destroy(struct saver *saver)
{
	if (!saver)
		return;
	task_abandon(saver->task);
	sd_event_source_disable_unref(saver->retry);
	sd_event_unref(saver->event);
	free(saver);
}
