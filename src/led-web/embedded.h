/* SPDX-License-Identifier: MIT */
#ifndef EMBEDDED_H
#define EMBEDDED_H

/* The page's files, which embed.py makes a part of the program. */

#include <stddef.h>

/* Between <style> and </style>. */
extern const char EMBEDDED_STYLE[];

/* Between <script> and </script>. */
extern const char EMBEDDED_SCRIPT[];

/* Content-Security-Policy, with the hashes of both. */
extern const char EMBEDDED_POLICY[];

/* A PNG. */
extern const unsigned char EMBEDDED_ICON[];
extern const size_t EMBEDDED_ICON_SIZE;

#endif
