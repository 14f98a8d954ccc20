/* SPDX-License-Identifier: MIT */
#ifndef BOARD_H
#define BOARD_H

/* Room for the name of a board. */
#define BOARD_MAX 128

/*
 * Reads what kind of board this machine is: from its device tree, else from its firmware (DMI).
 *
 * sys: "/sys"
 * Returns text, which is "" if neither says it.
 */
const char *board_read(const char *sys, char text[BOARD_MAX]);

#endif
