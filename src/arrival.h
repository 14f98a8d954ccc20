/* SPDX-License-Identifier: MIT */
#ifndef ARRIVAL_H
#define ARRIVAL_H

#include <stdint.h>

/*
 * When the last bytes on a connection reached this machine, which is not when
 * somebody got round to reading them: the kernel remembers it in TCP_INFO's
 * tcpi_last_data_recv (tcp(7), linux/tcp.h), to within a tick.
 *
 * fd: a connection; anything but TCP counts as having arrived just now
 * Returns milliseconds of CLOCK_MONOTONIC.
 */
uint64_t arrival_ms(int fd);

#endif
