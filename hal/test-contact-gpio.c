/* SPDX-License-Identifier: MIT */

/* A button on a GPIO line, with a line that does as the test says: these are line.h's functions. */

#include <errno.h>
#include <stdlib.h>

#include "contact.h"
#include "line.h"
#include "tap.h"

struct line {
	int unused;
};

static struct line the_line;
static bool is_found;
static int request_error, edge;

const char *line_spec_parse(const char *text, enum line_use use, struct line_spec *spec)
{
	snprintf(spec->name, sizeof spec->name, "%s", text ? text : "");
	return NULL;
}

int line_find(const struct line_spec *spec, struct line_place *place, char why[LINE_WHY_MAX])
{
	strcpy(place->path, "/dev/gpiochip1");
	place->offset = 7;
	strcpy(why, "the search's own reason");
	return is_found ? 0 : -ENXIO;
}

int line_request_edges(const struct line_spec *spec, struct line **line, char why[LINE_WHY_MAX])
{
	*line = &the_line;
	strcpy(why, "the request's own reason");
	return request_error;
}

int line_get(struct line *line)
{
	return edge;
}

int line_fd(const struct line *line)
{
	return 42;
}

int line_next_edge(struct line *line, struct line_edge *next)
{
	*next = (struct line_edge){.at = 5, .active = true};
	return edge;
}

void line_release(struct line *line)
{
}

static const struct contact_backend *const BACKEND = &CONTACT_GPIO;

TEST("a line without interrupts is called so, whatever its driver says")
{
	static const struct {
		int error;
		bool found;
		const char *why;
	} CASES[] = {
		{-ENXIO, true, NULL},
		{-EINVAL, true, NULL},
		{-524, true, NULL},
		{-ENXIO, false, "the request's own reason"},
		{-EBUSY, true, "the request's own reason"},
		{-ENODEV, true, "the request's own reason"},
		{-EACCES, true, "the request's own reason"},
	};
	void *state;

	CHECK(!BACKEND->parse("GPIO9", &state));
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		char why[CONTACT_WHY_MAX];

		request_error = CASES[i].error;
		is_found = CASES[i].found;
		CHECK(BACKEND->open(state, why) == CASES[i].error);
		CHECK_TEXT(why, CASES[i].why
					? CASES[i].why
					: "GPIO line GPIO9 (/dev/gpiochip1 7) has no "
					  "interrupts, which a button needs: use another line");
	}
	free(state);
}

TEST("its position is the line's level, then that of its last edge; a line that goes is named")
{
	char why[CONTACT_WHY_MAX];
	struct contact_event event;
	void *state;

	CHECK(!BACKEND->parse("GPIO9", &state));
	request_error = 0;
	edge = 0;
	CHECK(BACKEND->open(state, why) == 0);
	CHECK(BACKEND->fd(state) == 42);
	CHECK(!BACKEND->is_closed(state));
	CHECK(BACKEND->next(state, &event, why) == 0);
	CHECK(!BACKEND->is_closed(state));
	edge = 1;
	CHECK(BACKEND->next(state, &event, why) == 1);
	CHECK(event.at == 5 && event.closed);
	CHECK(BACKEND->is_closed(state));
	edge = -ENODEV;
	CHECK(BACKEND->next(state, &event, why) == -ENODEV);
	CHECK_TEXT(why, "GPIO line GPIO9 is gone: No such device");
	BACKEND->close(state);
	edge = 1;
	CHECK(BACKEND->open(state, why) == 0);
	CHECK(BACKEND->is_closed(state));
	BACKEND->close(state);
	free(state);
}

TAP_MAIN
