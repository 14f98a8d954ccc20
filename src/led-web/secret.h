/* SPDX-License-Identifier: MIT */
#ifndef SECRET_H
#define SECRET_H

/* Files that are credentials of the unit: the password, a certificate and its key. */

#include <stdbool.h>

/* How many there are. */
#define SECRET_FILES 3

/* The largest file, in bytes. */
#define SECRET_MAX 65536

/*
 * Reads a file. One that the unit passes is a copy: then the original's permissions count, which is
 * the file in /etc/led with the same name.
 *
 * path: of the file, or "" for none
 * is_secret: nobody else may be able to read it
 * text: set to what is in it, for secret_free(); or to NULL if there is nothing but white space
 * Returns NULL, or what is wrong, which stays until SECRET_FILES others have been wrong.
 */
const char *secret_read(const char *path, bool is_secret, char **text);

/* Forgets what was read. */
void secret_free(char *text);

#endif
