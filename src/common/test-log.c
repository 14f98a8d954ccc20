/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>

#include "mounts.h"
#include "tap.h"

static const char *why_not; /* this cannot run, or NULL */
static int keeper;          /* the socket of who keeps the log */

/* What was read from a descriptor. */
static const char *text_from(int fd)
{
	static char text[256];
	ssize_t n = read(fd, text, sizeof text - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

/* Logs a line with standard error as given. */
static void log_to(int fd, int priority, const char *text)
{
	int saved = dup(STDERR_FILENO);

	dup2(fd, STDERR_FILENO);
	log_open("test");
	syslog(priority, "%s", text);
	dup2(saved, STDERR_FILENO);
	close(saved);
}

TEST("standard error that is a socket gets no line: it is the journal, or a client")
{
	int pair[2];

	if (why_not)
		SKIP(why_not);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	log_to(pair[0], LOG_INFO, "hello");
	CHECK_TEXT(text_from(pair[1]), "");
	CHECK(strstr(text_from(keeper), ": hello"));
	log_to(pair[0], LOG_DEBUG, "details");
	CHECK(strstr(text_from(keeper), ": details"));
	close(pair[0]);
	close(pair[1]);
}

TEST("any other gets the lines too, but none of those to debug")
{
	int fds[2];

	if (why_not)
		SKIP(why_not);
	CHECK(pipe2(fds, O_NONBLOCK) == 0);
	log_to(fds[1], LOG_INFO, "hello");
	CHECK(strstr(text_from(fds[0]), ": hello\n"));
	CHECK(strstr(text_from(keeper), ": hello"));
	log_to(fds[1], LOG_DEBUG, "details");
	CHECK_TEXT(text_from(fds[0]), "");
	close(fds[0]);
	/* Nobody reads it any more. */
	log_to(fds[1], LOG_INFO, "still here");
	CHECK(strstr(text_from(keeper), ": still here"));
	close(fds[1]);
}

TEST("it is journald's log if its link says so")
{
	if (why_not)
		SKIP(why_not);
	CHECK(log_is_journal());
	CHECK(unlink("/dev/log") == 0 && !log_is_journal());
	CHECK(symlink("/run/systemd/journal/dev-log2", "/dev/log") == 0 && !log_is_journal());
	CHECK(unlink("/dev/log") == 0);
	CHECK(symlink("/run/systemd/journal/dev-lo", "/dev/log") == 0 && !log_is_journal());
	CHECK(unlink("/dev/log") == 0);
	CHECK(symlink("/run/systemd/journal/dev-lox", "/dev/log") == 0 && !log_is_journal());
	CHECK(unlink("/dev/log") == 0 && mounts_write("/dev/log", "") && !log_is_journal());
	CHECK(!log_connect());
	CHECK(unlink("/dev/log") == 0);
	CHECK(symlink("/run/systemd/journal/dev-log", "/dev/log") == 0 && log_is_journal());
}

TEST("a connection to journald needs its path no more")
{
	if (why_not)
		SKIP(why_not);
	closelog();
	CHECK(log_connect());
	CHECK(unlink("/dev/log") == 0);
	syslog(LOG_INFO, "confined");
	CHECK(strstr(text_from(keeper), ": confined"));
}

static const char *prepare(void)
{
	struct sockaddr_un sun = {
		.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/dev-log"};
	const char *why = mounts_hide("/run");

	if (!why)
		why = mounts_hide("/dev");
	if (why)
		return why;
	keeper = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (mkdir("/run/systemd", 0755) < 0 || mkdir("/run/systemd/journal", 0755) < 0 ||
		bind(keeper, (struct sockaddr *)&sun, sizeof sun) < 0 ||
		symlink(sun.sun_path, "/dev/log") < 0)
		return strerror(errno);
	return NULL;
}

int main(void)
{
	why_not = prepare();
	return tap_run();
}
