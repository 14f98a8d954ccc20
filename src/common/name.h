/* SPDX-License-Identifier: MIT */
#ifndef NAME_H
#define NAME_H

/* The names of LEDs and buttons as people write them. */

#include "command.h"

/* Writes a name for people: "garden-pump" is "Garden pump". Returns text. */
const char *name_for_people(const char *name, char text[COMMAND_NAME_MAX + 1]);

#endif
