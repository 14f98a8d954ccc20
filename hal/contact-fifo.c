/* SPDX-License-Identifier: MIT */

/*
 * fifo:PATH, no hardware: lines written to a FIFO. "0" is a press, "down" closes the contact and
 * "up" opens it.
 */

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
#include <unistd.h>

#include "clock.h"
#include "contact.h"

struct contact_fifo {
	char path[PATH_MAX];
	int fd;
	int events;   /* inotify(7) about the FIFO */
	int poll;     /* epoll(7) on both */
	bool created; /* we created it, and have to delete it */
	bool warned;  /* that nobody else can see it */

	bool removed; /* the path does not lead to it any more */
	bool ended;   /* a writer has closed it since the last time that it was empty */

	unsigned openers; /* other processes that have it open now */
	unsigned writers; /* processes that have opened it and not ended a line since */

	char bytes[1024]; /* what was read; from next on, it is unused */
	size_t length, next;
	char line[32]; /* the line so far; a longer one is cut, and changes nothing either way */
	size_t line_length;
	bool closed;      /* as of the last event that was returned */
	unsigned changes; /* of closed, not returned yet */
};

static const char *contact_fifo_parse(const char *argument, void **state)
{
	struct contact_fifo *contact;

	if (!argument || !*argument)
		return "fifo: wants a path, as in fifo:/run/button/press";
	if (strlen(argument) >= sizeof contact->path)
		return "fifo: the path is too long";
	contact = calloc(1, sizeof *contact);
	if (!contact)
		return "out of memory";
	strcpy(contact->path, argument);
	contact->poll = contact->events = contact->fd = -1;
	*state = contact;
	return NULL;
}

/*
 * Opens the path if it is a FIFO. It is opened for writing, too: while one writer stays, the end of
 * the others is no event that would be reported again and again (fifo(7)).
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

static int poll_for(struct contact_fifo *contact, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(contact->poll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* Opens the FIFO, and watches it. The watch is on the file, whatever its path leads to later. */
static int open_and_watch(struct contact_fifo *contact)
{
	int r = open_fifo(contact->path);

	if (r < 0)
		return r;
	contact->fd = r;
	contact->events = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (contact->events < 0 || inotify_add_watch(contact->events, contact->path,
					   IN_OPEN | IN_CLOSE | IN_ATTRIB | IN_MOVE_SELF) < 0)
		return -errno;
	r = poll_for(contact, contact->fd);
	return r < 0 ? r : poll_for(contact, contact->events);
}

static void close_fifo(struct contact_fifo *contact)
{
	if (contact->events >= 0)
		close(contact->events);
	if (contact->fd >= 0)
		close(contact->fd);
	contact->events = contact->fd = -1;
}

/* Makes the FIFO if there is none, and opens it. */
static int make_fifo(struct contact_fifo *contact, char why[CONTACT_WHY_MAX])
{
	int r;

	contact->created = mkfifo(contact->path, 0660) == 0;
	r = contact->created || errno == EEXIST ? 0 : -errno;
	if (r == 0)
		r = open_and_watch(contact);
	if (r == -EEXIST)
		snprintf(why, CONTACT_WHY_MAX, "%.150s is there and is not a FIFO", contact->path);
	else if (r < 0)
		snprintf(why, CONTACT_WHY_MAX, "%.150s: %s", contact->path, strerror(-r));
	if (r < 0) {
		close_fifo(contact);
		if (contact->created)
			unlink(contact->path);
		return r;
	}
	contact->removed = contact->ended = false;
	contact->openers = contact->writers = 0;
	contact->length = contact->next = contact->line_length = 0;
	return 0;
}

/*
 * Whether a path is in a /tmp or /var/tmp that only this service sees: PrivateTmp= of
 * systemd.exec(5) mounts a folder of the real one there, and its name begins with systemd-private.
 */
static bool is_in_private_tmp(const char *path)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	bool found = false;
	size_t size = 0;

	while (mounts && !found && getline(&line, &size, mounts) > 0) {
		char *rest = line, *root, *target;

		/* The first fields are two numbers and a device: proc_pid_mountinfo(5). */
		for (int i = 0; i < 3; i++)
			strsep(&rest, " ");
		root = strsep(&rest, " ");
		target = strsep(&rest, " ");
		found = target && strstr(root, "/systemd-private-") &&
			strncmp(path, target, strlen(target)) == 0 && path[strlen(target)] == '/';
	}
	free(line);
	if (mounts)
		fclose(mounts);
	return found;
}

static int contact_fifo_open(void *state, char why[CONTACT_WHY_MAX])
{
	struct contact_fifo *contact = state;
	int r;

	contact->closed = false;
	contact->changes = 0;
	contact->poll = epoll_create1(EPOLL_CLOEXEC);
	if (contact->poll < 0) {
		r = -errno;
		snprintf(why, CONTACT_WHY_MAX, "%.150s: %s", contact->path, strerror(errno));
		return r;
	}
	r = make_fifo(contact, why);
	if (r < 0)
		close(contact->poll);
	if (r >= 0 && !contact->warned && is_in_private_tmp(contact->path)) {
		contact->warned = true;
		syslog(LOG_WARNING,
			"%s is in a directory that only this service sees: use one in /run/button",
			contact->path);
	}
	return r;
}

static int contact_fifo_fd(const void *state)
{
	const struct contact_fifo *contact = state;

	return contact->poll;
}

/*
 * Whether the path still leads to the open FIFO. The link count is zero a moment before the path
 * is gone, when the event comes.
 */
static bool is_there(const struct contact_fifo *contact)
{
	struct stat ours, there;

	return fstat(contact->fd, &ours) == 0 && ours.st_nlink > 0 &&
	       stat(contact->path, &there) == 0 && ours.st_dev == there.st_dev &&
	       ours.st_ino == there.st_ino;
}

/* Counts the processes that have opened or closed the FIFO. */
static void read_events(struct contact_fifo *contact)
{
	_Alignas(struct inotify_event) char bytes[64 * sizeof(struct inotify_event)];
	ssize_t n = read(contact->events, bytes, sizeof bytes);
	const struct inotify_event *event;

	/* A watch on a file has no names: each event is as long as its struct. */
	for (ssize_t at = 0; at < n; at += (ssize_t)sizeof *event) {
		event = (const struct inotify_event *)(bytes + at);
		if (event->mask & IN_OPEN) {
			contact->openers++;
			contact->writers++;
		}
		if (event->mask & IN_CLOSE && contact->openers > 0)
			contact->openers--;
		if (event->mask & IN_CLOSE_WRITE)
			contact->ended = true;
		if (event->mask & (IN_ATTRIB | IN_MOVE_SELF | IN_Q_OVERFLOW))
			contact->removed = !is_there(contact);
	}
}

/* The length of the word at the start of a text, or 0 if there is none. */
static size_t word_length(const char *text)
{
	static const char *const WORDS[] = {"0", "down", "up"};

	for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
		if (strncmp(text, WORDS[i], strlen(WORDS[i])) == 0)
			return strlen(WORDS[i]);
	return 0;
}

/*
 * Ends a line. Several words are as many lines, if as many writers were there and none has ended
 * its word with a newline.
 */
static void end_line(struct contact_fifo *contact)
{
	const char *rest = contact->line;
	bool closed = contact->closed;
	unsigned changes = 0, words = 0, lines = 1;
	size_t length;

	for (; (length = word_length(rest)) > 0; rest += length) {
		bool closes = *rest == 'd', presses = *rest == '0';

		words++;
		changes += closed != closes;
		changes += presses ? 2 : 0;
		closed = closes;
	}
	if (words > 0 && (!*rest || strcmp(rest, "\r") == 0) &&
		(words == 1 || words <= contact->writers)) {
		contact->changes = changes;
		lines = words;
	} else {
		syslog(LOG_DEBUG, "%s: a line that is not 0, down or up changes nothing",
			contact->path);
	}
	contact->writers -= lines < contact->writers ? lines : contact->writers;
	contact->line_length = 0;
}

static void take_byte(struct contact_fifo *contact, char byte)
{
	if (byte != '\n') {
		if (contact->line_length < sizeof contact->line - 1)
			contact->line[contact->line_length++] = byte;
		/* A NUL would end the line for strcmp(3). */
		if (byte == '\0')
			contact->line[contact->line_length - 1] = '?';
		return;
	}
	contact->line[contact->line_length] = '\0';
	end_line(contact);
}

/* All writers have gone and their bytes are read: this ends a line, too. */
static void end_writers(struct contact_fifo *contact)
{
	contact->ended = false;
	if (contact->line_length > 0)
		take_byte(contact, '\n');
	contact->writers = contact->openers;
}

/* The FIFO was removed, and all that was written to it is read: makes a new one. */
static int make_again(struct contact_fifo *contact, char why[CONTACT_WHY_MAX])
{
	int r;

	close_fifo(contact);
	r = make_fifo(contact, why);
	if (r == 0)
		syslog(LOG_NOTICE, "%s was removed, and is made again", contact->path);
	return r;
}

static bool contact_fifo_is_closed(const void *state)
{
	const struct contact_fifo *contact = state;

	return contact->closed;
}

static bool is_empty(const struct contact_fifo *contact)
{
	int bytes = 0;

	return ioctl(contact->fd, FIONREAD, &bytes) < 0 || bytes == 0;
}

static int contact_fifo_next(void *state, struct contact_event *event, char why[CONTACT_WHY_MAX])
{
	struct contact_fifo *contact = state;
	int error = 0;
	ssize_t n;

	do {
		while (contact->changes == 0 && contact->next < contact->length)
			take_byte(contact, contact->bytes[contact->next++]);
		if (contact->changes > 0) {
			contact->changes--;
			contact->closed = !contact->closed;
			*event = (struct contact_event){clock_usec(), contact->closed};
			return 1;
		}
		if (contact->length == 0) {
			n = read(contact->fd, contact->bytes, sizeof contact->bytes);
			error = n < 0 ? errno : 0;
			contact->length = n < 0 ? 0 : (size_t)n;
		} else {
			/* One buffer a call: an endless writer must not keep others waiting. */
			contact->length = contact->next = 0;
		}
		/* The writers of what was read have caused their events by now. */
		read_events(contact);
		if (contact->length == 0 && contact->ended && is_empty(contact))
			end_writers(contact);
	} while (contact->length > 0 || contact->changes > 0);

	if (error && error != EAGAIN && error != EINTR) {
		snprintf(why, CONTACT_WHY_MAX, "%.150s: %s", contact->path, strerror(error));
		return -error;
	}
	return contact->removed && is_empty(contact) ? make_again(contact, why) : 0;
}

static void contact_fifo_close(void *state)
{
	struct contact_fifo *contact = state;

	/* Only the FIFO that we made, if it is still there. */
	if (contact->created && is_there(contact))
		unlink(contact->path);
	close_fifo(contact);
	close(contact->poll);
}

const struct contact_backend CONTACT_FIFO = {
	.name = "fifo",
	.parse = contact_fifo_parse,
	.open = contact_fifo_open,
	.fd = contact_fifo_fd,
	.is_closed = contact_fifo_is_closed,
	.next = contact_fifo_next,
	.close = contact_fifo_close,
};
