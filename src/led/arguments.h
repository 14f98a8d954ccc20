/* SPDX-License-Identifier: MIT */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

/* The command line of led: words in, a command of the protocol out. No I/O. */

#include <stdbool.h>

#include "address.h"
#include "command.h"

/* The port where a HOST has none. */
#define ARGUMENTS_PORT "5555"

struct arguments {
	bool help, version;     /* asked for: the rest is not set */
	const char *host;       /* what -H says, or NULL */
	struct request request; /* what the words ask for; a TOGGLE or PULSE may have a key */
};

/*
 * Reads the command line. Options may also stand after the words, or between them.
 *
 * argv: ends with a NULL; host points into it
 * wrong: set to the argument that is wrong, or NULL where none is to blame
 * Returns NULL, or what is wrong, a constant.
 */
const char *arguments_read(char *const argv[], struct arguments *arguments, const char **wrong);

/*
 * Reads HOST[:PORT] or /PATH. Names are not looked up.
 *
 * Returns NULL, or what is wrong with it, a constant.
 */
const char *arguments_read_host(const char *text, struct address *address);

#endif
