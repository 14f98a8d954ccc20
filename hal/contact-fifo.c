/* SPDX-License-Identifier: MIT */

/* fifo:PATH, no hardware: a line "0" written to a FIFO is a press. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "contact.h"

struct button_fifo {
	char path[PATH_MAX];
	int fd;
	int events;   /* inotify(7) about the FIFO */
	int poll;     /* epoll(7) on both */
	bool created; /* by us, and ours to delete */

	bool removed; /* it is not at its path any more */
	bool ended;   /* a writer has closed it since the last time that it was empty */

	unsigned openers; /* who have it open now, but for us */
	unsigned writers; /* who have opened it and not ended a line since */

	char bytes[1024]; /* read, and not looked at from next on */
	size_t length, next;
	char line[16]; /* the line so far; a longer one is cut, and is no press either way */
	size_t line_length;
	unsigned presses; /* not handed on yet */
};

static const char *button_fifo_parse(const char *argument, void **state)
{
	struct button_fifo *button;

	if (!argument || !*argument)
		return "fifo: wants a path, as in fifo:/run/button/press";
	if (strlen(argument) >= sizeof button->path)
		return "fifo: the path is too long";
	button = calloc(1, sizeof *button);
	if (!button)
		return "out of memory";
	strcpy(button->path, argument);
	button->poll = button->events = button->fd = -1;
	*state = button;
	return NULL;
}

/*
 * Opens what is there if it is a FIFO. For writing too: with a writer that never
 * goes, the end of the others is no event (fifo(7)), and nothing spins.
 */
static int open_fifo(const char *path)
{
	struct stat st;
	int fd;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISFIFO(st.st_mode))
		return -EEXIST;
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode)) {
		close(fd);
		return -EEXIST;
	}
	return fd;
}

static int poll_for(struct button_fifo *button, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(button->poll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* Opens the FIFO, and watches it. The watch is on the file, whatever its path leads to later. */
static int open_and_watch(struct button_fifo *button)
{
	int r = open_fifo(button->path);

	if (r < 0)
		return r;
	button->fd = r;
	button->events = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (button->events < 0 || inotify_add_watch(button->events, button->path,
					  IN_OPEN | IN_CLOSE | IN_ATTRIB | IN_MOVE_SELF) < 0)
		return -errno;
	r = poll_for(button, button->fd);
	return r < 0 ? r : poll_for(button, button->events);
}

static void close_fifo(struct button_fifo *button)
{
	if (button->events >= 0)
		close(button->events);
	if (button->fd >= 0)
		close(button->fd);
	button->events = button->fd = -1;
}

/* Makes the FIFO if there is none, and opens it. */
static int make_fifo(struct button_fifo *button, char why[BUTTON_WHY_MAX])
{
	int r;

	button->created = mkfifo(button->path, 0660) == 0;
	r = button->created || errno == EEXIST ? 0 : -errno;
	if (r == 0)
		r = open_and_watch(button);
	if (r == -EEXIST)
		snprintf(why, BUTTON_WHY_MAX, "%.150s is there and is not a FIFO", button->path);
	else if (r < 0)
		snprintf(why, BUTTON_WHY_MAX, "%.150s: %s", button->path, strerror(-r));
	if (r < 0) {
		close_fifo(button);
		if (button->created)
			unlink(button->path);
		return r;
	}
	button->removed = button->ended = false;
	button->openers = button->writers = 0;
	button->length = button->next = button->line_length = 0;
	return 0;
}

static int button_fifo_open(void *state, char why[BUTTON_WHY_MAX])
{
	struct button_fifo *button = state;
	int r;

	button->presses = 0;
	button->poll = epoll_create1(EPOLL_CLOEXEC);
	if (button->poll < 0) {
		r = -errno;
		snprintf(why, BUTTON_WHY_MAX, "%.150s: %s", button->path, strerror(errno));
		return r;
	}
	r = make_fifo(button, why);
	if (r < 0)
		close(button->poll);
	return r;
}

static int button_fifo_fd(const void *state)
{
	const struct button_fifo *button = state;

	return button->poll;
}

/*
 * Whether the path still leads to the FIFO that is open. The event of its removal comes when it
 * has no link any more, which is before the path leads nowhere.
 */
static bool is_there(const struct button_fifo *button)
{
	struct stat ours, there;

	return fstat(button->fd, &ours) == 0 && ours.st_nlink > 0 &&
	       stat(button->path, &there) == 0 && ours.st_dev == there.st_dev &&
	       ours.st_ino == there.st_ino;
}

/* Takes note of who has come and gone. */
static void read_events(struct button_fifo *button)
{
	_Alignas(struct inotify_event) char bytes[64 * sizeof(struct inotify_event)];
	ssize_t n = read(button->events, bytes, sizeof bytes);
	const struct inotify_event *event;

	/* A watch on a file has no names: each event is as long as its struct. */
	for (ssize_t at = 0; at < n; at += (ssize_t)sizeof *event) {
		event = (const struct inotify_event *)(bytes + at);
		if (event->mask & IN_OPEN) {
			button->openers++;
			button->writers++;
		}
		if (event->mask & IN_CLOSE && button->openers > 0)
			button->openers--;
		if (event->mask & IN_CLOSE_WRITE)
			button->ended = true;
		if (event->mask & (IN_ATTRIB | IN_MOVE_SELF | IN_Q_OVERFLOW))
			button->removed = !is_there(button);
	}
}

/*
 * Ends a line: a zero is a press. More of them are as many, if as many writers have been there
 * and none has ended its own with a newline.
 */
static void end_line(struct button_fifo *button)
{
	unsigned zeros = (unsigned)strspn(button->line, "0");
	const char *rest = button->line + zeros;
	unsigned lines = 1;

	if (zeros > 0 && (!*rest || strcmp(rest, "\r") == 0) &&
		(zeros == 1 || zeros <= button->writers))
		button->presses = lines = zeros;
	else
		syslog(LOG_DEBUG, "%s: a line that is not 0 is no press", button->path);
	button->writers -= lines < button->writers ? lines : button->writers;
	button->line_length = 0;
}

static void take_byte(struct button_fifo *button, char byte)
{
	if (byte != '\n') {
		if (button->line_length < sizeof button->line - 1)
			button->line[button->line_length++] = byte;
		/* It would end the line for strspn(3). */
		if (byte == '\0')
			button->line[button->line_length - 1] = '?';
		return;
	}
	button->line[button->line_length] = '\0';
	end_line(button);
}

/* Its writers have gone, and what they wrote has been read: a line has ended with them. */
static void end_writers(struct button_fifo *button)
{
	button->ended = false;
	if (button->line_length > 0)
		take_byte(button, '\n');
	button->writers = button->openers;
}

/* Somebody has removed it, and what was written to it has been read. */
static int make_again(struct button_fifo *button, char why[BUTTON_WHY_MAX])
{
	int r;

	close_fifo(button);
	r = make_fifo(button, why);
	if (r == 0)
		syslog(LOG_NOTICE, "%s was removed, and is made again", button->path);
	return r;
}

static bool is_empty(const struct button_fifo *button)
{
	int bytes = 0;

	return ioctl(button->fd, FIONREAD, &bytes) < 0 || bytes == 0;
}

static int button_fifo_next(void *state, struct button_event *event, char why[BUTTON_WHY_MAX])
{
	struct button_fifo *button = state;
	struct timespec now;
	int error = 0;
	ssize_t n;

	do {
		while (button->presses == 0 && button->next < button->length)
			take_byte(button, button->bytes[button->next++]);
		if (button->presses > 0) {
			button->presses--;
			clock_gettime(CLOCK_MONOTONIC, &now);
			event->at = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
			event->pressed = true;
			return 1;
		}
		if (button->length == 0) {
			n = read(button->fd, button->bytes, sizeof button->bytes);
			error = n < 0 ? errno : 0;
			button->length = n < 0 ? 0 : (size_t)n;
		} else {
			/* One buffer a call: who writes without end has to wait for others. */
			button->length = button->next = 0;
		}
		/* Who wrote what has been read is told by now. */
		read_events(button);
		if (button->length == 0 && button->ended && is_empty(button))
			end_writers(button);
	} while (button->length > 0 || button->presses > 0);

	if (error && error != EAGAIN && error != EINTR) {
		snprintf(why, BUTTON_WHY_MAX, "%.150s: %s", button->path, strerror(error));
		return -error;
	}
	return button->removed && is_empty(button) ? make_again(button, why) : 0;
}

static void button_fifo_close(void *state)
{
	struct button_fifo *button = state;

	/* Only what we made, if it is what is there. */
	if (button->created && is_there(button))
		unlink(button->path);
	close_fifo(button);
	close(button->poll);
}

const struct button_backend BUTTON_FIFO = {
	.name = "fifo",
	.parse = button_fifo_parse,
	.open = button_fifo_open,
	.fd = button_fifo_fd,
	.next = button_fifo_next,
	.close = button_fifo_close,
};
