/* SPDX-License-Identifier: MIT */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

/*
 * Opens /dev/null for each standard descriptor that is closed. Else what a program opens next
 * would get its number, and be taken for the client, for a listening socket, or for the place
 * to write messages to. To be called before anything is opened.
 *
 * Returns the descriptors that were closed, a bit each (1 << STDIN_FILENO), and among them, as
 * it is, the first that a service manager passes: 1 << 3. Ends the program where there is no
 * /dev/null.
 */
unsigned descriptors_fill(void);

#endif
