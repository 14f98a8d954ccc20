/* SPDX-License-Identifier: MIT */
#include "refusal.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "tap.h"

#define USEC 300000ULL

static struct sockaddr_un address;
static socklen_t size;

/* Opens a socket, of which the kernel picks the name. */
static int listen_anywhere(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	address = (struct sockaddr_un){.sun_family = AF_UNIX};
	size = sizeof address;
	CHECK(bind(fd, (struct sockaddr *)&address, sizeof address.sun_family) == 0);
	CHECK(listen(fd, 200) == 0);
	getsockname(fd, (struct sockaddr *)&address, &size);
	return fd;
}

static int connect_client(const char *text)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	const struct timeval patience = {.tv_sec = 5};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	CHECK(connect(fd, (struct sockaddr *)&address, size) == 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	return fd;
}

/* All that a client reads until its connection ends; a reset, or silence for 5 s, is "reset". */
static const char *read_answer(int fd)
{
	static char text[100];
	size_t length = 0;
	ssize_t n;

	while ((n = read(fd, text + length, sizeof text - 1 - length)) > 0)
		length += (size_t)n;
	text[length] = '\0';
	if (n < 0)
		strcpy(text, "reset");
	close(fd);
	return text;
}

TEST("each connection has the answer, whatever it sends, and the time is kept to")
{
	static const char *const TEXTS[] = {"", "PRESS door\n", "LED ON", "\xff\xff\n\n\n"};
	int listening = listen_anywhere(), fds[100];
	uint64_t began = clock_usec(), took;

	for (int i = 0; i < 100; i++)
		fds[i] = connect_client(TEXTS[i % 4]);
	CHECK(refuse(listening, 1, "wrong", 3 * USEC) == 0);
	took = clock_usec() - began;
	CHECK(took >= 3 * USEC);
	for (int i = 0; i < 100; i++)
		CHECK_TEXT(read_answer(fds[i]), "ERR wrong\n");
	/* Nobody listens any more. */
	CHECK(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, size) < 0);
}

TEST("where nobody waits, it ends at once")
{
	int listening = listen_anywhere();
	uint64_t began = clock_usec();

	CHECK(refuse(listening, 1, "wrong", 10 * USEC) == 0);
	CHECK(clock_usec() - began < 10 * USEC);
	close(listening);
}

TEST("one connection at the second socket is enough")
{
	int second = listen_anywhere(), fd = connect_client("LED ON\n");
	struct sockaddr_un second_address = address;
	int first = listen_anywhere();

	address = second_address;
	CHECK(dup2(first, 100) == 100 && dup2(second, 101) == 101);
	close(first);
	close(second);
	CHECK(refuse(100, 2, "wrong", USEC) == 0);
	CHECK_TEXT(read_answer(fd), "ERR wrong\n");
}

TEST("what is no socket is an error")
{
	int fds[2];

	CHECK(pipe(fds) == 0);
	CHECK(write(fds[1], "x", 1) == 1);
	close(fds[0]);
	CHECK(refuse(fds[0], 1, "wrong", USEC) < 0);
	close(fds[1]);
}

TAP_MAIN
