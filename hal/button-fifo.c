/* SPDX-License-Identifier: MIT */

/* fifo:PATH, no hardware: a line "0" written to a FIFO is a press. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "button.h"

struct button_fifo {
	char path[PATH_MAX];
	int fd;
	bool created;     /* by us, and ours to delete */
	char bytes[1024]; /* read, and not looked at from next on */
	size_t length, next;
	char line[16]; /* the line so far; a longer one is cut, and is no press either way */
	size_t line_length;
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

static int button_fifo_open(void *state, char why[BUTTON_WHY_MAX])
{
	struct button_fifo *button = state;
	int r;

	button->created = mkfifo(button->path, 0660) == 0;
	r = button->created || errno == EEXIST ? 0 : -errno;
	if (r == 0)
		r = open_fifo(button->path);
	if (r == -EEXIST)
		snprintf(why, BUTTON_WHY_MAX, "%.150s is there and is not a FIFO", button->path);
	else if (r < 0)
		snprintf(why, BUTTON_WHY_MAX, "%.150s: %s", button->path, strerror(-r));
	if (r < 0) {
		if (button->created)
			unlink(button->path);
		return r;
	}
	button->fd = r;
	button->length = button->next = button->line_length = 0;
	return 0;
}

static int button_fifo_fd(const void *state)
{
	const struct button_fifo *button = state;

	return button->fd;
}

/* Takes the next byte of a line. Returns whether it ended one that is a press. */
static bool take_byte(struct button_fifo *button, char byte)
{
	bool press;

	if (byte != '\n') {
		if (button->line_length < sizeof button->line)
			button->line[button->line_length++] = byte;
		return false;
	}
	if (button->line_length > 0 && button->line[button->line_length - 1] == '\r')
		button->line_length--;
	press = button->line_length == 1 && button->line[0] == '0';
	if (!press)
		syslog(LOG_DEBUG, "%s: a line that is not 0 is no press", button->path);
	button->line_length = 0;
	return press;
}

static int button_fifo_next(void *state, struct button_event *event, char why[BUTTON_WHY_MAX])
{
	struct button_fifo *button = state;
	struct timespec now;
	ssize_t n;

	for (;;) {
		while (button->next < button->length) {
			if (!take_byte(button, button->bytes[button->next++]))
				continue;
			clock_gettime(CLOCK_MONOTONIC, &now);
			event->at = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
			event->pressed = true;
			return 1;
		}
		/* One buffer a call: whoever writes without end does not keep us for himself. */
		if (button->length > 0) {
			button->length = button->next = 0;
			return 0;
		}
		n = read(button->fd, button->bytes, sizeof button->bytes);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n < 0) {
			snprintf(why, BUTTON_WHY_MAX, "%.150s: %s", button->path, strerror(errno));
			return -errno;
		}
		button->length = (size_t)n;
	}
}

static void button_fifo_close(void *state)
{
	struct button_fifo *button = state;

	struct stat ours, there;

	/* Only what we made, if it is what is there. */
	if (button->created && fstat(button->fd, &ours) == 0 && lstat(button->path, &there) == 0 &&
		ours.st_dev == there.st_dev && ours.st_ino == there.st_ino)
		unlink(button->path);
	close(button->fd);
}

const struct button_backend BUTTON_FIFO = {
	.name = "fifo",
	.parse = button_fifo_parse,
	.open = button_fifo_open,
	.fd = button_fifo_fd,
	.next = button_fifo_next,
	.close = button_fifo_close,
};
