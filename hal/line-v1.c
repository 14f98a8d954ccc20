/* SPDX-License-Identifier: MIT */

/*
 * GPIO lines through libgpiod 1.6. Its requests have no descriptor that outlives a
 * process, and its events no sequence numbers.
 */

#include <errno.h>
#include <gpiod.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "line.h"

struct line {
	struct gpiod_chip *chip;
	struct gpiod_line *line;
	bool edges;
	bool active; /* as of the last edge taken */
};

static const int DRIVES[] = {
	[LINE_PUSH_PULL] = 0,
	[LINE_OPEN_DRAIN] = GPIOD_LINE_REQUEST_FLAG_OPEN_DRAIN,
	[LINE_OPEN_SOURCE] = GPIOD_LINE_REQUEST_FLAG_OPEN_SOURCE,
};

static const int BIASES[] = {
	[LINE_BIAS_AS_IS] = 0,
	[LINE_PULL_UP] = GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP,
	[LINE_PULL_DOWN] = GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN,
	[LINE_PULL_OFF] = GPIOD_LINE_REQUEST_FLAG_BIAS_DISABLE,
};

static int flags_of(const struct line_spec *spec)
{
	return (spec->active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0) | DRIVES[spec->drive] |
	       BIASES[spec->bias];
}

struct line_chip *line_chip_open(const char *path)
{
	return (struct line_chip *)gpiod_chip_open(path);
}

static struct gpiod_chip *chip_of(struct line_chip *chip)
{
	return (struct gpiod_chip *)chip;
}

const char *line_chip_label(struct line_chip *chip)
{
	return gpiod_chip_label(chip_of(chip));
}

unsigned line_chip_size(struct line_chip *chip)
{
	return gpiod_chip_num_lines(chip_of(chip));
}

int line_chip_find(struct line_chip *chip, const char *name)
{
	struct gpiod_line *line = gpiod_chip_find_line(chip_of(chip), name);

	return line ? (int)gpiod_line_offset(line) : -1;
}

const char *line_chip_consumer(struct line_chip *chip, unsigned offset, char consumer[static 64])
{
	struct gpiod_line *line = gpiod_chip_get_line(chip_of(chip), offset);
	const char *holder = line && gpiod_line_is_used(line) ? gpiod_line_consumer(line) : NULL;

	if (holder)
		holder = strncpy(consumer, holder, 63);
	consumer[63] = '\0';
	return holder;
}

void line_chip_close(struct line_chip *chip)
{
	gpiod_chip_close(chip_of(chip));
}

/* Finds the line and opens its chip. Nothing is requested yet. */
static int create(const struct line_spec *spec, struct line_place *place, struct line **line,
	char why[LINE_WHY_MAX])
{
	struct line *new;
	int r = line_find(spec, place, why);

	if (r < 0)
		return r;
	new = calloc(1, sizeof *new);
	if (!new) {
		snprintf(why, LINE_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	new->chip = gpiod_chip_open(place->path);
	if (new->chip)
		new->line = gpiod_chip_get_line(new->chip, place->offset);
	if (!new->line) {
		r = line_complain(spec, place, errno, why);
		line_release(new);
		return r;
	}
	*line = new;
	return 0;
}

/* Completes a request: returns the line, or says what is wrong and releases it. */
static int finish(int requested, struct line *new, const struct line_spec *spec,
	const struct line_place *place, struct line **line, char why[LINE_WHY_MAX])
{
	int error = errno;

	if (requested < 0) {
		line_release(new);
		return line_complain(spec, place, error, why);
	}
	*line = new;
	return 0;
}

int line_request_output(
	const struct line_spec *spec, bool active, struct line **line, char why[LINE_WHY_MAX])
{
	struct line_place place;
	struct line *new = NULL;
	int r = create(spec, &place, &new, why);

	if (!new)
		return r;
	r = gpiod_line_request_output_flags(new->line, LINE_CONSUMER, flags_of(spec), active);
	return finish(r, new, spec, &place, line, why);
}

int line_request_edges(const struct line_spec *spec, struct line **line, char why[LINE_WHY_MAX])
{
	struct line_place place;
	struct line *new = NULL;
	int r = create(spec, &place, &new, why);

	if (!new)
		return r;
	r = gpiod_line_request_both_edges_events_flags(new->line, LINE_CONSUMER, flags_of(spec));
	if (r >= 0) {
		new->edges = true;
		new->active = line_get(new) == 1;
	}
	return finish(r, new, spec, &place, line, why);
}

int line_adopt(int fd, struct line **line)
{
	return -EOPNOTSUPP;
}

int line_get(struct line *line)
{
	int value = gpiod_line_get_value(line->line);

	return value < 0 ? -errno : value;
}

int line_set(struct line *line, bool active)
{
	return gpiod_line_set_value(line->line, active) < 0 ? -errno : 0;
}

int line_fd(const struct line *line)
{
	return line->edges ? gpiod_line_event_get_fd(line->line) : -1;
}

/* Events are lost without a trace while the kernel's buffer is full: the level reveals it. */
static int check_level(struct line *line, struct line_edge *edge)
{
	int active = line_get(line);

	if (active < 0)
		return active;
	if (active == line->active)
		return 0;
	line->active = active;
	*edge = (struct line_edge){clock_usec(), active};
	return 1;
}

int line_next_edge(struct line *line, struct line_edge *edge)
{
	struct pollfd ready = {.fd = line_fd(line), .events = POLLIN};
	struct gpiod_line_event event;

	if (poll(&ready, 1, 0) <= 0 || !(ready.revents & POLLIN))
		return check_level(line, edge);
	if (gpiod_line_event_read(line->line, &event) < 0)
		return -errno;
	line->active = event.event_type == GPIOD_LINE_EVENT_RISING_EDGE;
	edge->at = (uint64_t)event.ts.tv_sec * 1000000 + (uint64_t)event.ts.tv_nsec / 1000;
	edge->active = line->active;
	return 1;
}

void line_release(struct line *line)
{
	if (line->line)
		gpiod_line_release(line->line);
	if (line->chip)
		gpiod_chip_close(line->chip);
	free(line);
}
