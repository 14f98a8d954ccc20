/* SPDX-License-Identifier: MIT */

/*
 * The floors of the benchmark: what a connection costs when there is nothing to do.
 *
 *   noop        a handler: reads a chunk from its connection, answers a constant
 *   noop PORT   an accept loop that does so, with a line in the log for each connection
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

static const char ANSWER[] = "OK LED ON\n";

static int answer(int in, int out, int log)
{
	char bytes[1024];

	if (read(in, bytes, sizeof bytes) <= 0)
		return -1;
	if (log)
		syslog(LOG_INFO, "answered");
	return write(out, ANSWER, sizeof ANSWER - 1) < 0 ? -1 : 0;
}

int main(int argc, char *argv[])
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	int fd, client;

	if (argc < 2)
		return getenv("LISTEN_FDS") ? answer(3, 3, 0) : answer(0, 1, 0);

	any.sin_port = htons((in_port_t)atoi(argv[1]));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) < 0 ||
		bind(fd, (struct sockaddr *)&any, sizeof any) < 0 || listen(fd, SOMAXCONN) < 0)
		return EXIT_FAILURE;
	openlog("noop", LOG_PID, LOG_DAEMON);
	while ((client = accept(fd, NULL, NULL)) >= 0) {
		answer(client, client, 1);
		close(client);
	}
	return EXIT_FAILURE;
}
