/* SPDX-License-Identifier: MIT */
#ifndef KEEPALIVE_H
#define KEEPALIVE_H

/*
 * Has the kernel find out whether the other end of a TCP connection is still there, after a minute
 * of silence: tcp(7).
 */
void keepalive_start(int fd);

#endif
