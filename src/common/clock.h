/* SPDX-License-Identifier: MIT */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* Returns the time of CLOCK_MONOTONIC in microseconds. */
uint64_t clock_usec(void);

#endif
