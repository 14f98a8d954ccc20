/* SPDX-License-Identifier: MIT */
#ifndef LIMIT_H
#define LIMIT_H

/* How much of what others cause is logged: a flood must not fill the log. */

#include <stdbool.h>
#include <systemd/sd-event.h>

struct limit;

/*
 * Creates a limit: 1000 lines in 10 seconds.
 *
 * what: what the lines are about, in the plural; kept by the caller
 * Returns NULL when memory is short.
 */
struct limit *limit_create(sd_event *event, const char *what);

/*
 * Takes one of the interval's lines. Returns false when none is left: how many had none is logged
 * at the end of the interval.
 */
bool limit_take(struct limit *limit);

void limit_destroy(struct limit *limit);

#endif
