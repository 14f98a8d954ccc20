/* SPDX-License-Identifier: MIT */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>

/*
 * Opens the log of a long-lived program: syslog(3), and standard error too, where a
 * person may be reading it. A socket is not read by one: it is the journal, which has the line
 * already, or under inetd the client.
 *
 * name: a string that stays
 */
void log_open(const char *name);

/* Whether it is journald that keeps the log. */
bool log_is_journal(void);

/*
 * Connects to journald, if it keeps the log, for good: the service manager holds the other end,
 * also while journald restarts. With another syslogd that restarts, syslog(3) has to connect
 * again.
 *
 * Returns whether the log needs no other connection.
 */
bool log_connect(void);

#endif
