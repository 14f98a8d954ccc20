/* SPDX-License-Identifier: MIT */
#ifndef OCCASION_H
#define OCCASION_H

/* What a command is sent for. Each occasion has a list of commands, which advances by itself. */
enum occasion { ON_PRESS, ON_RELEASE, ON_LONG_PRESS, OCCASIONS };

#endif
