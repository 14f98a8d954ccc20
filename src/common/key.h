/* SPDX-License-Identifier: MIT */
#ifndef KEY_H
#define KEY_H

/* The key of a TOGGLE or PULSE: by it, led-line knows a command that it has carried out already. */

#include "command.h"

/* Makes a random key; without random numbers it is "", and the command has none. */
void key_make(char key[COMMAND_KEY_MAX + 1]);

#endif
