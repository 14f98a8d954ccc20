/* SPDX-License-Identifier: MIT */
#ifndef CONFIGURATION_H
#define CONFIGURATION_H

/*
 * The settings of led-line. What is wrong in the environment does not end it, because the lines of
 * all LEDs would go with it; where sockets were passed, a wrong option does not, either, because
 * the next connection would start it again.
 */

#include "address.h"
#include "definitions.h"
#include "settings.h"

#define LISTEN_ADDRESSES 16

struct configuration {
	struct settings settings; /* with what is wrong */
	struct definitions leds;
	enum initial initial;
	const char *allow; /* NULL: it is wrong, and nobody may connect over the network */
	bool allow_is_wrong;
	bool has_sockets;
	struct address listen[LISTEN_ADDRESSES];
	unsigned n_listen;
};

/*
 * Reads options and environment, or ends the program.
 *
 * configuration: set; never moved; configuration_free() frees it
 * has_sockets: whether sockets were passed: then it does not matter where to listen
 */
void configuration_read(struct configuration *configuration, char *argv[], bool has_sockets);

/*
 * Whether a descriptor in the store that is no LED's stays there, until the settings are all right.
 *
 * name: its name in the store
 */
bool configuration_keeps(const struct configuration *configuration, const char *name);

/*
 * Writes what is wrong, "" if nothing is: "a setting is wrong: ...; a setting is wrong: ...". What
 * there is no room for is counted: "; and 3 more".
 *
 * size: at least TEXT_MORE_MAX
 */
void configuration_wrong(const struct configuration *configuration, char *text, size_t size);

void configuration_free(struct configuration *configuration);

#endif
