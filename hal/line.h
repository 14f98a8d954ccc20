/* SPDX-License-Identifier: MIT */
#ifndef LINE_H
#define LINE_H

/*
 * One GPIO line, an output or a source of edges. hal/line.c reads what a person
 * writes and finds the line; hal/line-v2.c (libgpiod 2) or hal/line-v1.c (libgpiod
 * 1.6) requests and drives it. One of the two is compiled.
 *
 * Values are logical: 1 is active, whatever the level. Functions return 0 (or a
 * value) and a negative errno, with why one line for people.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for a reason. */
#define LINE_WHY_MAX 200

/* The name by which other programs see who holds a line. */
#define LINE_CONSUMER "led-socket"

/* What a line is for. */
enum line_use {
	LINE_OUTPUT,
	LINE_EDGES, /* an input */
};

/* Which levels an output drives; it leaves the other one to a pull. */
enum line_drive {
	LINE_PUSH_PULL,
	LINE_OPEN_DRAIN,  /* low alone */
	LINE_OPEN_SOURCE, /* high alone */
};

/* The pull of the chip itself. */
enum line_bias {
	LINE_BIAS_AS_IS,
	LINE_PULL_UP,
	LINE_PULL_DOWN,
	LINE_PULL_OFF,
};

/* The text after "gpio:", parsed. */
struct line_spec {
	char chip[128]; /* name, number, path or label; "" where the line has a name */
	char name[64];  /* as a person calls the line */
	unsigned offset;
	bool active_low;
	enum line_drive drive;
	enum line_bias bias;
};

/* A line that was found. */
struct line_place {
	char path[PATH_MAX]; /* of the chip's device */
	unsigned offset;
};

/* One change of a line that was requested for edges. */
struct line_edge {
	uint64_t at; /* microseconds of CLOCK_MONOTONIC */
	bool active;
};

struct line;

/*
 * Reads NAME or CHIP/OFFSET, and words after it, each with a comma before it: active-low or
 * active-high; pull-up or pull-down; open-drain or open-source for an output, pull-off for an
 * input. Without such a word, an output is active-high, and an input active-low; an input that is
 * active-low is pulled up, and one that is active-high is pulled down.
 *
 * text: NULL counts as ""
 * Returns NULL, or a constant reason.
 */
const char *line_spec_parse(const char *text, enum line_use use, struct line_spec *spec);

/*
 * Finds the line: CHIP/OFFSET on that chip, or a name on the first chip that has it. A CHIP that
 * begins with / is a path: any path that leads to a chip. GPIOn that no chip knows is offset n
 * of a Raspberry Pi's own chip: some device trees call the lines by their functions (GPIO4 is
 * GPIO_GCLK).
 */
int line_find(const struct line_spec *spec, struct line_place *place, char why[LINE_WHY_MAX]);

/* Requests an output whose first value is active. */
int line_request_output(
	const struct line_spec *spec, bool active, struct line **line, char why[LINE_WHY_MAX]);

/* Requests an input with both edges. */
int line_request_edges(const struct line_spec *spec, struct line **line, char why[LINE_WHY_MAX]);

/*
 * Takes over the descriptor of a request that another process made.
 *
 * Returns -EOPNOTSUPP where the library's requests cannot be taken over (1.6),
 * -EBADF for a descriptor of another kind, -ENODEV for a line that is gone.
 */
int line_adopt(int fd, struct line **line);

int line_get(struct line *line);
int line_set(struct line *line, bool active);

/*
 * The descriptor that the kernel knows the request by, or -1 on libgpiod 1.6 for an
 * output. The line is as requested until its last copy is closed.
 */
int line_fd(const struct line *line);

/*
 * Takes the next edge. If edges were lost, it makes up one to the present level.
 *
 * Returns 1, 0 if there is none now, or a negative errno.
 */
int line_next_edge(struct line *line, struct line_edge *edge);

void line_release(struct line *line);

/* An open chip, for line.c alone: what it needs of the library. */
struct line_chip;

struct line_chip *line_chip_open(const char *path);
const char *line_chip_label(struct line_chip *chip);
unsigned line_chip_size(struct line_chip *chip);
int line_chip_find(struct line_chip *chip, const char *name);
/* Who holds a line, or NULL if nobody does. */
const char *line_chip_consumer(struct line_chip *chip, unsigned offset, char consumer[static 64]);
void line_chip_close(struct line_chip *chip);

/* Says why a request for a line failed with errno error: who holds it. Returns -error. */
int line_complain(const struct line_spec *spec, const struct line_place *place, int error,
	char why[LINE_WHY_MAX]);

#endif
