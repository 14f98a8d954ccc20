/* SPDX-License-Identifier: MIT */
#include "store.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tap.h"

static char folder[] = "/tmp/test-store.XXXXXX";
static int manager;

/* The next message that the service manager has got, or "". fd: set to what came with it, or -1 */
static const char *message(int *fd)
{
	static char text[512];
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec part = {text, sizeof text - 1};
	struct msghdr header = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control};
	ssize_t n = recvmsg(manager, &header, MSG_DONTWAIT);
	const struct cmsghdr *first = n >= 0 ? CMSG_FIRSTHDR(&header) : NULL;

	text[n < 0 ? 0 : n] = '\0';
	*fd = -1;
	/* Our account comes with it, too, if it is asked for. */
	if (first && first->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(first), sizeof *fd);
	return text;
}

TEST("a descriptor takes the place of all that have its name")
{
	int pipes[2], fd;
	struct stat sent, got;

	CHECK(pipe(pipes) == 0);
	store_put(STORE_LINE, "a=gpio:GPIO_1", pipes[0]);
	CHECK_TEXT(message(&fd), "FDSTOREREMOVE=1\nFDNAME=line-a=gpio_GPIO%_1");
	CHECK(fd < 0);
	CHECK_TEXT(message(&fd), "FDSTORE=1\nFDNAME=line-a=gpio_GPIO%_1");
	CHECK(fstat(pipes[0], &sent) == 0 && fstat(fd, &got) == 0 && sent.st_ino == got.st_ino);
	close(fd);
	CHECK_TEXT(message(&fd), "");
	close(pipes[0]);
	close(pipes[1]);
}

TEST("nothing takes their place, and one name is removed")
{
	int fd;

	store_put(STORE_STATE, "log", -1);
	CHECK_TEXT(message(&fd), "FDSTOREREMOVE=1\nFDNAME=state-log");
	CHECK_TEXT(message(&fd), "");
	store_remove("other");
	CHECK_TEXT(message(&fd), "FDSTOREREMOVE=1\nFDNAME=other");
}

static void *flush(void *done)
{
	store_flush();
	*(_Atomic bool *)done = true;
	return NULL;
}

TEST("a flush ends when the service manager has read everything")
{
	struct pollfd readable = {.fd = manager, .events = POLLIN};
	_Atomic bool done = false;
	pthread_t thread;
	int fd;

	CHECK(pthread_create(&thread, NULL, flush, (void *)&done) == 0);
	CHECK(poll(&readable, 1, 10000) == 1);
	CHECK(!done);
	CHECK_TEXT(message(&fd), "BARRIER=1");
	close(fd);
	pthread_join(thread, NULL);
	CHECK(done);
}

int main(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int r;

	if (!mkdtemp(folder))
		return 1;
	snprintf(sun.sun_path, sizeof sun.sun_path, "%s/notify", folder);
	manager = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (bind(manager, (struct sockaddr *)&sun, sizeof sun) < 0)
		return 1;
	setenv("NOTIFY_SOCKET", sun.sun_path, 1);
	r = tap_run();
	unlink(sun.sun_path);
	rmdir(folder);
	return r;
}
