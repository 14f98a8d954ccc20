/* SPDX-License-Identifier: MIT */

/* Opens the log, and finds out who keeps it. */

#include "log.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

static int options = LOG_PID;

void log_open(const char *name)
{
	struct stat st;

	if (fstat(STDERR_FILENO, &st) == 0 && !S_ISSOCK(st.st_mode)) {
		options |= LOG_PERROR;
		setlogmask(LOG_UPTO(LOG_INFO));
	}
	signal(SIGPIPE, SIG_IGN); /* the reader of standard error may be gone */
	openlog(name, options, LOG_DAEMON);
}

bool log_is_journal(void)
{
	static const char JOURNALD[] = "/run/systemd/journal/dev-log";
	char target[sizeof JOURNALD] = "";

	return readlink(_PATH_LOG, target, sizeof target) == sizeof JOURNALD - 1 &&
	       strcmp(target, JOURNALD) == 0;
}

bool log_connect(void)
{
	if (!log_is_journal())
		return false;
	openlog(NULL, options | LOG_NDELAY, LOG_DAEMON);
	return true;
}
