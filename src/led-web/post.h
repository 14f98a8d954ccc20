/* SPDX-License-Identifier: MIT */
#ifndef POST_H
#define POST_H

/* A command on its way to led-line, and back with its result. */

#include <systemd/sd-event.h>

#include "address.h"
#include "command.h"
#include "result.h"

struct post;

/*
 * The command has ended. The post is to be destroyed, then or later.
 *
 * answer: what led-line has said, or NULL
 * hangs: led-line has the command and does not answer
 */
typedef void (*post_done)(
	void *userdata, const struct result *result, const char *answer, bool hangs);

/*
 * Sends a command. It is tried again for some time while it cannot be sent; done() is never called
 * at once.
 *
 * line: where led-line listens; kept by the caller
 * request: with the time of its arrival
 * Returns NULL when memory is short.
 */
struct post *post_create(sd_event *event, const struct address *line, const struct request *request,
	post_done done, void *userdata);

void post_destroy(struct post *post);

#endif
