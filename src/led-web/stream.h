/* SPDX-License-Identifier: MIT */
#ifndef STREAM_H
#define STREAM_H

/* Streams of events: what feed.h decides, on a connection that stays open. */

#include "visit.h"

/* Adds the timer of all streams. Returns 0 or a negative errno. */
int stream_set_up(struct web *web);

/* Answers a request for /events. Returns as in response.h. */
enum MHD_Result stream_begin(struct visit *visit);

/* Frees what a stream has, if there is one. */
void stream_end(struct visit *visit);

#endif
