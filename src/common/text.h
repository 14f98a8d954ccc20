/* SPDX-License-Identifier: MIT */
#ifndef TEXT_H
#define TEXT_H

/*
 * Texts for people: settings such as the name of a machine, what others wrote, in a message, and
 * lists.
 */

#include <stdbool.h>
#include <stddef.h>

/* The longest, in bytes. */
#define TEXT_MAX 128

/* Returns NULL if a text is UTF-8 without control characters, else what is wrong, a constant. */
const char *text_check(const char *text);

/*
 * Copies a text as printable ASCII: a question mark for each other byte, and "..." in place of what
 * has no room.
 *
 * size: of the copy, with its NUL; 4 at least
 * Returns the copy.
 */
const char *text_printable(const char *text, char *copy, size_t size);

/* Whether a text may hold a secret, as a URL with user:password@ does. */
bool text_may_be_secret(const char *text);

/* The same as text_printable(), and "..." for what may hold a secret. */
const char *text_quote(const char *text, char *copy, size_t size);

/* Room that text_add() leaves for how many entries had none: ", and 4294967295 more". */
#define TEXT_MORE_MAX 24

/*
 * Adds an entry to a list if the whole of it fits.
 *
 * size: the list's room
 * separator: before the entry
 * Returns whether it was added.
 */
bool text_add(char *list, size_t size, const char *separator, const char *entry);

#endif
