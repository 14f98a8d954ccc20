/* SPDX-License-Identifier: MIT */
#ifndef LOGGED_H
#define LOGGED_H

/* What a module logs: syslog(3) of the test program keeps the lines, but for those to debug. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

static char logged_text[16384];
static size_t logged_length;

/* Returns the lines since the last call, each with a newline, or "". */
static inline const char *logged(void)
{
	static char text[sizeof logged_text];

	memcpy(text, logged_text, logged_length);
	text[logged_length] = '\0';
	logged_length = 0;
	return text;
}

static inline void logged_keep(int priority, const char *format, va_list args)
{
	size_t room = sizeof logged_text - 1 - logged_length;
	int n;

	if (priority == LOG_DEBUG)
		return;
	n = vsnprintf(logged_text + logged_length, room, format, args);
	logged_length += (size_t)n < room ? (size_t)n : room - 1;
	logged_text[logged_length++] = '\n';
}

void syslog(int priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	logged_keep(priority, format, args);
	va_end(args);
}

/* What syslog() is called with _FORTIFY_SOURCE. */
void __syslog_chk(int priority, int flag, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void __syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	logged_keep(priority, format, args);
	va_end(args);
}

#endif
