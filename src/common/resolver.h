/* SPDX-License-Identifier: MIT */
#ifndef RESOLVER_H
#define RESOLVER_H

#include <stdbool.h>

/*
 * The modules with which the C library looks up the names of hosts. It loads each when it first
 * needs it, and a confined process can load no code: confine.h.
 */

/* Room for the file name of a module. Those with longer names are left out. */
#define RESOLVER_MODULE_MAX 64

/*
 * Finds the services that look up hosts.
 *
 * file: the content of nsswitch.conf(5)
 * Returns the rest of that line, for resolver_next_module(), or "".
 */
const char *resolver_services(const char *file);

/*
 * Reads the next service.
 *
 * services: the rest of the line; moved to what comes after the service
 * module: set to the file name of its module
 * Returns whether there is another one.
 */
bool resolver_next_module(const char **services, char module[RESOLVER_MODULE_MAX]);

/*
 * Loads the modules that /etc/nsswitch.conf names, for as long as the process lives. One that is
 * added to the file later is used after the next start.
 */
void resolver_load(void);

#endif
