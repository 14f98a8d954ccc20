/* SPDX-License-Identifier: MIT */
#ifndef REQUEST_H
#define REQUEST_H

/* What an HTTP request asks for, by its line and its headers, or how it is refused. No I/O. */

#include <stdbool.h>

#include "command.h"
#include "site.h"

/* The longest body, in bytes. */
#define REQUEST_BODY_MAX COMMAND_MAX

/* Room for what a refusal says. */
#define REQUEST_TEXT_MAX 640

/* A header that may stand in a request once. */
struct header {
	const char *value; /* of the first; NULL: there is none */
	unsigned n;
};

/* A request without its body. */
struct request_head {
	const char *method;  /* "GET" */
	const char *path;    /* "/leds/kitchen" or "http://pi/leds/kitchen", without a query */
	const char *version; /* "HTTP/1.1" */
	struct header host, origin, fetch_site, authorization, content_length, transfer_encoding;
	bool is_unclear; /* request_is_header() is false for one of its headers */
};

/* Who may ask for something. */
struct request_rules {
	const char *refusal;  /* why nobody is served, or NULL; without "ERR " */
	bool allowed;         /* this client's address may connect */
	const char *hosts;    /* names that are ours, beside those of site.h */
	const char *password; /* USER:PASSWORD, or NULL */
};

enum request_kind {
	REQUEST_REFUSED,
	REQUEST_PAGE,
	REQUEST_ICON,
	REQUEST_LIST,    /* all LEDs */
	REQUEST_STATE,   /* of one LED */
	REQUEST_COMMAND, /* for one LED or all, in the body */
	REQUEST_EVENTS,
};

/* What becomes of a request. */
struct judgement {
	enum request_kind kind;
	char name[COMMAND_NAME_MAX + 1]; /* the LED, of REQUEST_STATE and REQUEST_COMMAND */
	bool all;                        /* a REQUEST_COMMAND is for all LEDs */
	bool closes;                     /* the connection cannot go on */

	/* Of REQUEST_REFUSED: */
	unsigned status;             /* of HTTP */
	char text[REQUEST_TEXT_MAX]; /* "ERR ..." */
	const char *allow;           /* methods for the Allow header, or NULL */
	bool asks_password;          /* with a WWW-Authenticate header */
	bool is_logged;              /* somebody tried what he may not */
};

/*
 * Whether a header can be called so.
 *
 * Blanks before a colon are no part of a name, but libmicrohttpd 0.9.75 takes them for one, as it
 * does what it finds of a value on a line of its own. Other readers may find the header there.
 */
bool request_is_header(const char *name);

/* Judges a request before its body is read. */
void request_judge(const struct request_head *asked, const struct request_rules *rules,
	struct judgement *judgement);

/* Makes a refusal of a judgement. The text is made of "ERR " and why. */
void request_refuse(struct judgement *judgement, unsigned status, const char *why);

#endif
