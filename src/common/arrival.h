/* SPDX-License-Identifier: MIT */
#ifndef ARRIVAL_H
#define ARRIVAL_H

/*
 * When bytes reached this machine, which may be long before a process reads them. The kernel
 * remembers it, in ticks: TCP_INFO's tcpi_last_data_recv (tcp(7), linux/tcp.h) is the number of
 * milliseconds since the last bytes came.
 */

#include <stdint.h>

/* The kernel's tick, as a clock to read. Long-lived programs keep it open. */
struct arrival_clock {
	int fd;
};

void arrival_clock_open(struct arrival_clock *clock);
void arrival_clock_close(struct arrival_clock *clock);

/*
 * Returns the time now, in milliseconds, which all processes on this machine count alike. It is
 * that of the last tick.
 */
uint64_t arrival_now_ms(const struct arrival_clock *clock);

/*
 * When the last bytes on a TCP connection came.
 *
 * fd: the connection; anything else counts as having got its bytes just now
 * now: set to what arrival_now_ms() would return
 * Returns milliseconds of arrival_now_ms(): of two connections, the one whose bytes came later has
 * a value that is not smaller.
 */
uint64_t arrival_ms(const struct arrival_clock *clock, int fd, uint64_t *now);

#endif
