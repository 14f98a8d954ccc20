/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <signal.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

void log_open(const char *name)
{
	struct stat st;
	int echo = LOG_PERROR;

	if (fstat(STDERR_FILENO, &st) < 0 || S_ISSOCK(st.st_mode))
		echo = 0;
	signal(SIGPIPE, SIG_IGN); /* nor does anybody have to go on looking */
	openlog(name, LOG_PID | echo, LOG_DAEMON);
	if (echo)
		setlogmask(LOG_UPTO(LOG_INFO));
}
