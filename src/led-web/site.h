/* SPDX-License-Identifier: MIT */
#ifndef SITE_H
#define SITE_H

/*
 * Other sites' pages: what a browser says of the page that it asks for, and of the page that makes
 * it ask. No I/O.
 */

#include <stdbool.h>

/* The longest value of a Host header, in bytes. */
#define SITE_HOST_MAX 255

/*
 * Whether a Host header names this machine and no other site: an address, one word, or a name that
 * only private networks have. Any other name could lead here although it belongs to a stranger: DNS
 * rebinding.
 *
 * host: NAME or NAME:PORT; [v6] in brackets
 * hosts: other names that are ours, with blanks between them
 */
bool site_is_ours(const char *host, const char *hosts);

/*
 * Reads the name in a Host header.
 *
 * name: set to it, without a port and without a dot at its end
 * Returns whether there is one.
 */
bool site_read_name(const char *host, char name[SITE_HOST_MAX + 1]);

/* Whether a word may stand among those names: letters, digits, dots, hyphens and underscores. */
bool site_is_name(const char *word);

/*
 * Whether a command may come from the page that sends it: from our own, or from none.
 *
 * fetch_site: the Sec-Fetch-Site header, or NULL
 * origin: the Origin header, or NULL; it counts only without the other
 * host: the Host header, or NULL
 */
bool site_may_command(const char *fetch_site, const char *origin, const char *host);

#endif
