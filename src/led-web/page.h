/* SPDX-License-Identifier: MIT */
#ifndef PAGE_H
#define PAGE_H

/* The page, with the LEDs as they are when it is asked for. No I/O. */

#include <stddef.h>

#include "follow.h"

/* The longest page, in bytes. Texts that are too long for it are cut off. */
#define PAGE_MAX 8192

/*
 * Writes the page.
 *
 * title: UTF-8
 * away: why led-line cannot be followed, or ""
 * length: set to its length in bytes
 * Returns it, for the caller to free(3), or NULL when memory is short.
 */
char *page_write(const char *title, const struct follow *follow, const char *away, size_t *length);

#endif
