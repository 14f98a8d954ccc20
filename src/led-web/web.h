/* SPDX-License-Identifier: MIT */
#ifndef WEB_H
#define WEB_H

/* The server: connections of libmicrohttpd, and what is asked and answered on them. */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "address.h"
#include "arrival.h"
#include "follower.h"
#include "limit.h"

struct web_options {
	const char *refusal; /* a setting is wrong: the answer to all; or NULL */
	const char *title, *hosts, *password, *allow, *cert, *key; /* as in web-settings.h */
	const struct address *line;
	const struct arrival_clock *clock;
	bool ends; /* when nobody has looked for a while */
};

struct web;

/* Something that the status says is another thing now. */
typedef void (*web_changed)(void *userdata);

/*
 * Creates a server without sockets.
 *
 * options, and what is in them: kept by the caller
 * limit: of the log; kept by the caller
 * Returns NULL with errno set: EINVAL if the certificate and the key are none.
 */
struct web *web_create(sd_event *event, const struct web_options *options, struct limit *limit,
	web_changed changed, void *userdata);

/* The LEDs, which come from it. It has to tell of changes: web_leds_changed(). */
void web_follow(struct web *web, struct follower *follower);
void web_leds_changed(struct web *web);

/*
 * Serves a listening stream socket, which from then on is the server's to close.
 *
 * Returns 0 or a negative errno.
 */
int web_add_socket(struct web *web, int fd);

/* What is read from now on may have waited for too long, or no longer. */
void web_set_late(struct web *web, bool late);

/* Accepts no more connections, and ends the event loop when the commands that came are done. */
void web_stop(struct web *web);

/* For the status: connections, pages that are open, commands that are done. */
unsigned web_connections(const struct web *web);
unsigned web_pages(const struct web *web);
unsigned long web_commands(const struct web *web);

void web_destroy(struct web *web);

#endif
