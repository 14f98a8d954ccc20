/* SPDX-License-Identifier: MIT */
#ifndef WATCH_H
#define WATCH_H

/*
 * Passes on what led-line says to a client that watches, until one of them has left. A client that
 * does not read for 10 s is given up. Whatever the client sends is read and dropped: the end of
 * that does not end it, but more than COMMAND_STREAM_MAX bytes do.
 *
 * in, out: the client; from: led-line
 */
void watch_pass_on(int in, int out, int from);

#endif
