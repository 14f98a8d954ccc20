/* SPDX-License-Identifier: MIT */
#ifndef RANDOM_NUMBER_H
#define RANDOM_NUMBER_H

#include <stdint.h>

/* Returns a random number, for pauses: nobody need be unable to guess it. */
uint32_t random_number(void);

#endif
