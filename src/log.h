/* SPDX-License-Identifier: MIT */
#ifndef LOG_H
#define LOG_H

/*
 * Opens the log of a long-lived program: syslog(3), and standard error too where a
 * person may be looking at it. Where standard error is a socket nobody is: it is the
 * journal, which has the line already, or under inetd the client.
 *
 * name: a string that stays
 */
void log_open(const char *name);

#endif
