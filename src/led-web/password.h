/* SPDX-License-Identifier: MIT */
#ifndef PASSWORD_H
#define PASSWORD_H

/* HTTP's Basic authentication: RFC 7617. No I/O. */

#include <stdbool.h>

/* The longest USER:PASSWORD, in bytes. */
#define PASSWORD_MAX 255

/* Returns NULL if a text is USER:PASSWORD, else what is wrong with it, a constant. */
const char *password_check(const char *text);

/*
 * Whether an Authorization header has the right user and password. How long that takes says nothing
 * about them.
 *
 * header: its value: "Basic ..."
 * password: USER:PASSWORD
 */
bool password_is_right(const char *header, const char *password);

#endif
