/* SPDX-License-Identifier: MIT */
#include "descriptors.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

/* Whether a descriptor is /dev/null, to read and to write. */
static bool is_null(int fd)
{
	struct stat st, null;

	return fstat(fd, &st) == 0 && stat("/dev/null", &null) == 0 && st.st_rdev == null.st_rdev &&
	       S_ISCHR(st.st_mode) && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR;
}

/*
 * The result of descriptors_fill() in a process where these of descriptors 0 to 3 are closed, a bit
 * each; or -1 if it leaves one of 0 to 2 closed, or changes one that was open.
 */
static int fill(unsigned closed)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		unsigned result;
		int pipes[2];

		/* No descriptor that is open is /dev/null, and the lowest one is 10 or more. */
		if (pipe(pipes) < 0)
			_exit(255);
		pipes[0] = fcntl(pipes[0], F_DUPFD, 10);
		for (int fd = 0; fd <= 3; fd++) {
			dup2(pipes[0], fd);
			if (closed & 1U << fd)
				close(fd);
		}
		for (int fd = 4; fd < 10; fd++)
			close(fd);
		result = descriptors_fill();
		for (int fd = 0; fd <= 2; fd++)
			if (is_null(fd) != !!(closed & 1U << fd))
				_exit(255);
		if ((fcntl(3, F_GETFD) < 0) != !!(closed & 1U << 3) || fcntl(4, F_GETFD) >= 0)
			_exit(255);
		_exit((int)result);
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status) == 255 ? -1 : WEXITSTATUS(status);
}

TEST("each standard descriptor that is closed becomes /dev/null, and no other one")
{
	fflush(stdout);
	for (unsigned closed = 0; closed < 16; closed++)
		CHECK(fill(closed) == (int)closed);
}

TAP_MAIN
