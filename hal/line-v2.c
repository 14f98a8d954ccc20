/* SPDX-License-Identifier: MIT */

/*
 * GPIO lines through libgpiod 2. The library cannot take over the descriptor of a request that
 * another process made. So values are read and set through the kernel's own interface,
 * linux/gpio.h, for every request.
 */

#include <errno.h>
#include <fcntl.h>
#include <gpiod.h>
#include <linux/gpio.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "line.h"

/* The size of the kernel's event buffer: more than a bouncing contact makes in a second. */
#define EVENTS 256

struct line {
	int fd;
	struct gpiod_line_request *request; /* for edges only */
	struct gpiod_edge_event_buffer *events;
	size_t n_events, next_event;
	unsigned long seqno;
	bool active;      /* as of the last edge taken */
	bool check_level; /* edges were lost */
};

static const enum gpiod_line_drive DRIVES[] = {
	[LINE_PUSH_PULL] = GPIOD_LINE_DRIVE_PUSH_PULL,
	[LINE_OPEN_DRAIN] = GPIOD_LINE_DRIVE_OPEN_DRAIN,
	[LINE_OPEN_SOURCE] = GPIOD_LINE_DRIVE_OPEN_SOURCE,
};

static const enum gpiod_line_bias BIASES[] = {
	[LINE_BIAS_AS_IS] = GPIOD_LINE_BIAS_AS_IS,
	[LINE_PULL_UP] = GPIOD_LINE_BIAS_PULL_UP,
	[LINE_PULL_DOWN] = GPIOD_LINE_BIAS_PULL_DOWN,
	[LINE_PULL_OFF] = GPIOD_LINE_BIAS_DISABLED,
};

struct line_chip {
	struct gpiod_chip *chip;
	struct gpiod_chip_info *info;
};

struct line_chip *line_chip_open(const char *path)
{
	struct line_chip *chip = calloc(1, sizeof *chip);

	if (!chip)
		return NULL;
	chip->chip = gpiod_chip_open(path);
	if (chip->chip)
		chip->info = gpiod_chip_get_info(chip->chip);
	if (chip->info)
		return chip;
	line_chip_close(chip);
	return NULL;
}

const char *line_chip_label(struct line_chip *chip)
{
	return gpiod_chip_info_get_label(chip->info);
}

unsigned line_chip_size(struct line_chip *chip)
{
	return (unsigned)gpiod_chip_info_get_num_lines(chip->info);
}

int line_chip_find(struct line_chip *chip, const char *name)
{
	return gpiod_chip_get_line_offset_from_name(chip->chip, name);
}

const char *line_chip_consumer(struct line_chip *chip, unsigned offset, char consumer[static 64])
{
	struct gpiod_line_info *info = gpiod_chip_get_line_info(chip->chip, offset);
	const char *holder = NULL;

	if (info && gpiod_line_info_is_used(info))
		holder = gpiod_line_info_get_consumer(info);
	if (holder)
		holder = strncpy(consumer, holder, 63);
	consumer[63] = '\0';
	gpiod_line_info_free(info);
	return holder;
}

void line_chip_close(struct line_chip *chip)
{
	int error = errno;

	gpiod_chip_info_free(chip->info);
	if (chip->chip)
		gpiod_chip_close(chip->chip);
	free(chip);
	errno = error;
}

static struct gpiod_line_request *request_from(
	struct gpiod_chip *chip, unsigned offset, struct gpiod_line_settings *settings)
{
	struct gpiod_request_config *request_config = gpiod_request_config_new();
	struct gpiod_line_config *line_config = gpiod_line_config_new();
	struct gpiod_line_request *request = NULL;

	if (request_config && line_config &&
		gpiod_line_config_add_line_settings(line_config, &offset, 1, settings) == 0) {
		gpiod_request_config_set_consumer(request_config, LINE_CONSUMER);
		gpiod_request_config_set_event_buffer_size(request_config, EVENTS);
		request = gpiod_chip_request_lines(chip, request_config, line_config);
	}
	gpiod_line_config_free(line_config);
	gpiod_request_config_free(request_config);
	return request;
}

static struct gpiod_line_request *request_line(
	const struct line_spec *spec, struct gpiod_line_settings *settings, char why[LINE_WHY_MAX])
{
	struct gpiod_line_request *request = NULL;
	struct line_place place;
	struct gpiod_chip *chip;
	int r;

	r = line_find(spec, &place, why);
	if (r < 0) {
		errno = -r;
		return NULL;
	}
	gpiod_line_settings_set_active_low(settings, spec->active_low);
	gpiod_line_settings_set_drive(settings, DRIVES[spec->drive]);
	gpiod_line_settings_set_bias(settings, BIASES[spec->bias]);
	chip = gpiod_chip_open(place.path);
	if (chip)
		request = request_from(chip, place.offset, settings);
	if (!request)
		errno = -line_complain(spec, &place, errno, why);
	if (chip) {
		r = errno;
		gpiod_chip_close(chip);
		errno = r;
	}
	return request;
}

int line_request_output(
	const struct line_spec *spec, bool active, struct line **line, char why[LINE_WHY_MAX])
{
	struct gpiod_line_settings *settings = gpiod_line_settings_new();
	struct line *new = calloc(1, sizeof *new);
	struct gpiod_line_request *request = NULL;
	int fd = -1, r;

	if (settings && new) {
		gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_OUTPUT);
		gpiod_line_settings_set_output_value(
			settings, active ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE);
		request = request_line(spec, settings, why);
	} else {
		snprintf(why, LINE_WHY_MAX, "out of memory");
	}
	if (request) {
		/* The copy keeps the line; the library's own descriptor is not needed. */
		fd = fcntl(gpiod_line_request_get_fd(request), F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			snprintf(
				why, LINE_WHY_MAX, "GPIO line %s: %s", spec->name, strerror(errno));
	}
	r = -errno;
	if (request)
		gpiod_line_request_release(request);
	gpiod_line_settings_free(settings);
	if (fd < 0 || !new) {
		free(new);
		return r;
	}
	new->fd = fd;
	*line = new;
	return 0;
}

int line_request_edges(const struct line_spec *spec, struct line **line, char why[LINE_WHY_MAX])
{
	struct gpiod_line_settings *settings = gpiod_line_settings_new();
	struct line *new = calloc(1, sizeof *new);
	struct gpiod_line_request *request = NULL;
	int r;

	if (settings && new)
		new->events = gpiod_edge_event_buffer_new(EVENTS);
	if (!settings || !new || !new->events) {
		snprintf(why, LINE_WHY_MAX, "out of memory");
		errno = ENOMEM;
	} else {
		gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_INPUT);
		gpiod_line_settings_set_edge_detection(settings, GPIOD_LINE_EDGE_BOTH);
		request = request_line(spec, settings, why);
	}
	r = request ? 0 : -errno;
	gpiod_line_settings_free(settings);
	if (r < 0) {
		if (new)
			gpiod_edge_event_buffer_free(new->events);
		free(new);
		return r;
	}
	new->request = request;
	new->fd = gpiod_line_request_get_fd(request);
	/* The library reads in blocking mode; the kernel honours the flag all the same. */
	fcntl(new->fd, F_SETFL, O_NONBLOCK);
	new->active = line_get(new) == 1;
	*line = new;
	return 0;
}

int line_adopt(int fd, struct line **line)
{
	struct line *new = calloc(1, sizeof *new);
	int r;

	if (!new)
		return -ENOMEM;
	new->fd = fd;
	r = fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : line_get(new);
	/* Another error is a transfer that failed, to an expander: the line is ours all the same.
	 */
	if (r == -ENODEV || r == -ENOTTY || r == -EINVAL || r == -EBADF) {
		free(new);
		return r == -ENODEV ? r : -EBADF;
	}
	*line = new;
	return 0;
}

int line_get(struct line *line)
{
	struct gpio_v2_line_values values = {.mask = 1};

	if (ioctl(line->fd, GPIO_V2_LINE_GET_VALUES_IOCTL, &values) < 0)
		return -errno;
	return (int)(values.bits & 1);
}

int line_set(struct line *line, bool active)
{
	struct gpio_v2_line_values values = {.mask = 1, .bits = active};

	return ioctl(line->fd, GPIO_V2_LINE_SET_VALUES_IOCTL, &values) < 0 ? -errno : 0;
}

int line_fd(const struct line *line)
{
	return line->fd;
}

/* Fills the buffer from the kernel's. Returns 0, also when there is nothing to take. */
static int read_events(struct line *line)
{
	struct pollfd ready = {.fd = line->fd, .events = POLLIN};
	int n;

	line->n_events = line->next_event = 0;
	if (poll(&ready, 1, 0) <= 0 || !(ready.revents & POLLIN))
		return 0;
	n = gpiod_line_request_read_edge_events(line->request, line->events, EVENTS);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	line->n_events = (size_t)n;
	return 0;
}

/*
 * With no edge left: is the line still there, and after a loss, where does it stand?
 * Returns as line_next_edge().
 */
static int check_level(struct line *line, struct line_edge *edge)
{
	bool lost = line->check_level;
	int active = line_get(line);

	line->check_level = false;
	if (active < 0)
		return active;
	if (!lost || active == line->active)
		return 0;
	line->active = active;
	*edge = (struct line_edge){clock_usec(), active};
	return 1;
}

int line_next_edge(struct line *line, struct line_edge *edge)
{
	struct gpiod_edge_event *event;
	unsigned long seqno;
	int r;

	if (line->next_event == line->n_events) {
		r = read_events(line);
		if (r < 0)
			return r;
		if (line->n_events == 0)
			return check_level(line, edge);
	}

	event = gpiod_edge_event_buffer_get_event(line->events, line->next_event++);
	seqno = gpiod_edge_event_get_line_seqno(event);
	if (line->seqno && seqno != line->seqno + 1)
		line->check_level = true;
	line->seqno = seqno;
	line->active = gpiod_edge_event_get_event_type(event) == GPIOD_EDGE_EVENT_RISING_EDGE;
	*edge = (struct line_edge){gpiod_edge_event_get_timestamp_ns(event) / 1000, line->active};
	return 1;
}

void line_release(struct line *line)
{
	if (line->request)
		gpiod_line_request_release(line->request);
	else
		close(line->fd);
	gpiod_edge_event_buffer_free(line->events);
	free(line);
}
