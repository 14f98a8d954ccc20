/* SPDX-License-Identifier: MIT */
#ifndef SPEC_H
#define SPEC_H

/* How a person names hardware: BACKEND:ARGUMENT, or BACKEND alone. */

#include <stdbool.h>

/*
 * Whether a SPEC is for a backend.
 *
 * argument: set to the text after the colon, or to NULL if there is no colon
 */
bool spec_is_for(const char *spec, const char *backend, const char **argument);

#endif
