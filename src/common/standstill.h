/* SPDX-License-Identifier: MIT */
#ifndef STANDSTILL_H
#define STANDSTILL_H

/* Notices in an event loop that the process stood still, before anything is read: stillness.h. */

#include <stdbool.h>
#include <systemd/sd-event.h>

struct standstill;

/*
 * stood_still: called with true each time when what is read next may have waited for too long, and
 * with false when all that had come has been read, or after 5 s in which it never was so. SIGCONT
 * has to be blocked in every thread, so this comes before the first one is started.
 *
 * Returns NULL if memory is short.
 */
struct standstill *standstill_create(
	sd_event *event, void (*stood_still)(void *userdata, bool may_be_late), void *userdata);

/* Somebody has connected before this process listened, and nobody later. usec: how long ago */
void standstill_connected(struct standstill *standstill, uint64_t usec);

/* standstill may be NULL. */
void standstill_destroy(struct standstill *standstill);

#endif
