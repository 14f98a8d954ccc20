/* SPDX-License-Identifier: MIT */
#include "state-file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* A failed write is tried again after this time. */
#define RETRY_SECONDS 5

struct state_writer {
	pthread_t thread;
	pthread_mutex_t lock; /* of everything below */
	pthread_cond_t changed;
	char text[STATE_FILE_MAX]; /* the newest, or "" before the first */
	bool asked;                /* the thread has to look at text */
	bool ending;
	char saved[STATE_FILE_MAX]; /* what the file says, or "" where that is not known */
	int result;                 /* of the latest write */
	int fd;                     /* eventfd(2): there is a new result */
};

const char *state_file_path(void)
{
	static char path[PATH_MAX];
	const char *directory = getenv("STATE_DIRECTORY");

	if (!*path)
		snprintf(path, sizeof path, "%s/last",
			directory && *directory ? directory : "/var/lib/led");
	return path;
}

int state_file_load(char text[STATE_FILE_MAX])
{
	int fd = open(state_file_path(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), r = 0;
	ssize_t n;

	*text = '\0';
	if (fd < 0)
		return -errno;
	n = read(fd, text, STATE_FILE_MAX - 1);
	if (n < 0)
		r = -errno;
	text[n < 0 ? 0 : n] = '\0';
	close(fd);
	return r;
}

/* If a line is about this LED, returns what it says; else NULL. */
static const char *state_of(const char *line, size_t length, const char *name)
{
	size_t its_name = strlen(name);

	if (its_name == 0)
		return memchr(line, ' ', length) ? NULL : line;
	if (its_name >= length || memcmp(line, name, its_name) != 0 || line[its_name] != ' ')
		return NULL;
	return line + its_name + 1;
}

int state_text_find(const char *text, const char *name)
{
	int found = *text ? -ENOENT : -EBADMSG;

	while (*text) {
		size_t length = strcspn(text, "\n");
		const char *state = state_of(text, length, name);
		size_t rest = state ? length - (size_t)(state - text) : 0;

		if (!text[length])
			return -EBADMSG; /* cut off */
		if (state && found != -ENOENT)
			return -EBADMSG;
		if (state && rest == 2 && memcmp(state, "on", rest) == 0)
			found = 1;
		else if (state && rest == 3 && memcmp(state, "off", rest) == 0)
			found = 0;
		else if (state)
			return -EBADMSG;
		text += length + 1;
	}
	return found;
}

void state_text_add(char text[STATE_FILE_MAX], const char *name, bool lit)
{
	size_t length = strlen(text);

	snprintf(text + length, STATE_FILE_MAX - length, "%s%s%s\n", name, *name ? " " : "",
		lit ? "on" : "off");
}

/* Writes a new file and waits until the disk has it. Returns 0 or a negative errno. */
static int write_new(const char *path, const char *text)
{
	ssize_t length = (ssize_t)strlen(text), n;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644), r = 0;

	if (fd < 0)
		return -errno;
	n = write(fd, text, (size_t)length);
	/* Without fsync() the rename may reach the disk before the content. */
	if (n < 0 || (n == length && fsync(fd) < 0))
		r = -errno;
	else if (n < length)
		r = -ENOSPC;
	close(fd);
	return r;
}

/* Waits until the disk has what was renamed in the file's folder. */
static int sync_folder(void)
{
	char folder[PATH_MAX];
	int fd, r = 0;

	strcpy(folder, state_file_path());
	*strrchr(folder, '/') = '\0';
	fd = open(*folder ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* EINVAL: this file system has nothing to wait for. */
	if (fsync(fd) < 0 && errno != EINVAL)
		r = -errno;
	close(fd);
	return r;
}

int state_file_save(const char *text)
{
	char temporary[PATH_MAX + sizeof ".new"];
	int r;

	snprintf(temporary, sizeof temporary, "%s.new", state_file_path());
	r = write_new(temporary, text);
	if (r >= 0 && rename(temporary, state_file_path()) < 0)
		r = -errno;
	if (r < 0) {
		unlink(temporary);
		return r;
	}
	return sync_folder();
}

/* Waits for something to do; after a failure, not for ever. */
static void wait_for_work(struct state_writer *writer)
{
	struct timespec until;

	if (writer->result >= 0) {
		pthread_cond_wait(&writer->changed, &writer->lock);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += RETRY_SECONDS;
	if (pthread_cond_timedwait(&writer->changed, &writer->lock, &until) == ETIMEDOUT)
		writer->asked = true;
}

static void *run_writer(void *userdata)
{
	struct state_writer *writer = userdata;

	pthread_mutex_lock(&writer->lock);
	while (writer->asked || !writer->ending) {
		char text[STATE_FILE_MAX];
		int r;

		if (!writer->asked) {
			wait_for_work(writer);
			continue;
		}
		writer->asked = false;
		if (strcmp(writer->saved, writer->text) == 0)
			continue;
		strcpy(text, writer->text);
		pthread_mutex_unlock(&writer->lock);
		r = state_file_save(text);
		pthread_mutex_lock(&writer->lock);
		writer->result = r;
		strcpy(writer->saved, r < 0 ? "" : text);
		eventfd_write(writer->fd, 1);
	}
	pthread_mutex_unlock(&writer->lock);
	return NULL;
}

/* Starts the thread, which takes no signals: they are for the one that called. */
static int start_thread(struct state_writer *writer)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&writer->thread, NULL, run_writer, writer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

struct state_writer *state_writer_create(const char *saved)
{
	struct state_writer *writer = calloc(1, sizeof *writer);
	pthread_condattr_t monotonic;
	int error;

	if (!writer)
		return NULL;
	state_file_path(); /* makes the path while there is only one thread */
	strcpy(writer->saved, saved);
	writer->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&writer->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&writer->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	error = writer->fd < 0 ? errno : start_thread(writer);
	if (error == 0)
		return writer;
	if (writer->fd >= 0)
		close(writer->fd);
	free(writer);
	errno = error;
	return NULL;
}

void state_writer_put(struct state_writer *writer, const char *text)
{
	pthread_mutex_lock(&writer->lock);
	strcpy(writer->text, text);
	writer->asked = true;
	pthread_cond_signal(&writer->changed);
	pthread_mutex_unlock(&writer->lock);
}

int state_writer_fd(const struct state_writer *writer)
{
	return writer->fd;
}

int state_writer_result(struct state_writer *writer)
{
	eventfd_t count;
	int r;

	eventfd_read(writer->fd, &count);
	pthread_mutex_lock(&writer->lock);
	r = writer->result;
	pthread_mutex_unlock(&writer->lock);
	return r;
}

int state_writer_destroy(struct state_writer *writer)
{
	int r;

	pthread_mutex_lock(&writer->lock);
	writer->ending = true;
	writer->asked = *writer->text;
	pthread_cond_signal(&writer->changed);
	pthread_mutex_unlock(&writer->lock);
	pthread_join(writer->thread, NULL);
	r = writer->result;
	pthread_cond_destroy(&writer->changed);
	pthread_mutex_destroy(&writer->lock);
	close(writer->fd);
	free(writer);
	return r;
}
