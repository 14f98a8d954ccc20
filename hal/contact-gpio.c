/* SPDX-License-Identifier: MIT */

/* gpio:LINE, a contact between a GPIO line and ground, or 3.3 V with ,active-high. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contact.h"
#include "line.h"

_Static_assert(CONTACT_WHY_MAX >= LINE_WHY_MAX, "a line's reason is handed on as it is");

struct contact_gpio {
	struct line_spec spec;
	struct line *line;
	bool closed;
};

static const char *contact_gpio_parse(const char *argument, void **state)
{
	struct contact_gpio *contact = calloc(1, sizeof *contact);
	const char *why;

	if (!contact)
		return "out of memory";
	why = line_spec_parse(argument, LINE_EDGES, &contact->spec);
	if (why)
		free(contact);
	else
		*state = contact;
	return why;
}

/* The kernel's ENOTSUPP, which no header for programs has. */
#define KERNEL_ENOTSUPP 524

/*
 * Says why there are no edges, if it is that the chip has no interrupts: what the kernel says then
 * depends on the chip's driver, and is what it says of lines that are not there, too.
 */
static void explain_no_edges(const struct line_spec *spec, int error, char why[CONTACT_WHY_MAX])
{
	char unused[LINE_WHY_MAX];
	struct line_place place;

	if ((error == -ENXIO || error == -EINVAL || error == -KERNEL_ENOTSUPP) &&
		line_find(spec, &place, unused) >= 0)
		snprintf(why, CONTACT_WHY_MAX,
			"GPIO line %s (%.60s %u) has no interrupts, which a button needs: use "
			"another line",
			spec->name, place.path, place.offset);
}

static int contact_gpio_open(void *state, char why[CONTACT_WHY_MAX])
{
	struct contact_gpio *contact = state;
	int r = line_request_edges(&contact->spec, &contact->line, why);

	if (r >= 0)
		contact->closed = line_get(contact->line) == 1;
	else
		explain_no_edges(&contact->spec, r, why);
	return r;
}

static int contact_gpio_fd(const void *state)
{
	const struct contact_gpio *contact = state;

	return line_fd(contact->line);
}

static bool contact_gpio_is_closed(const void *state)
{
	const struct contact_gpio *contact = state;

	return contact->closed;
}

static int contact_gpio_next(void *state, struct contact_event *event, char why[CONTACT_WHY_MAX])
{
	struct contact_gpio *contact = state;
	struct line_edge edge;
	int r = line_next_edge(contact->line, &edge);

	if (r < 0)
		snprintf(why, CONTACT_WHY_MAX, "GPIO line %s is gone: %s", contact->spec.name,
			strerror(-r));
	if (r > 0) {
		contact->closed = edge.active;
		*event = (struct contact_event){edge.at, edge.active};
	}
	return r;
}

static void contact_gpio_close(void *state)
{
	struct contact_gpio *contact = state;

	line_release(contact->line);
}

const struct contact_backend CONTACT_GPIO = {
	.name = "gpio",
	.bounces = true,
	.parse = contact_gpio_parse,
	.open = contact_gpio_open,
	.fd = contact_gpio_fd,
	.is_closed = contact_gpio_is_closed,
	.next = contact_gpio_next,
	.close = contact_gpio_close,
};
