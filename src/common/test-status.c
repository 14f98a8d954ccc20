/* SPDX-License-Identifier: MIT */
#include "status.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tap.h"

static sd_event *event;
static int manager; /* the socket that sd_notify(3) writes to */
static char it[] = "it";
static int value, written;

static void write_text(void *userdata, char text[STATUS_MAX])
{
	snprintf(text, STATUS_MAX, "%s is %d", (const char *)userdata, value);
	written++;
}

/* Runs the loop until the manager has a message. Returns it, or "" if it has none in a second. */
static const char *message(void)
{
	static char text[STATUS_MAX];
	ssize_t n = -1;

	for (int i = 0; i < 10 && n < 0; i++) {
		sd_event_run(event, 100000);
		n = recv(manager, text, sizeof text - 1, MSG_DONTWAIT);
	}
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

TEST("a batch of changes is one message, which says how it is in the end")
{
	struct status *status = status_create(event, write_text, it);

	for (value = 1; value < 1000; value++)
		status_changed(status);
	CHECK_TEXT(message(), "STATUS=it is 1000");
	CHECK(written == 1);
	value = 7;
	status_changed(status);
	CHECK_TEXT(message(), "STATUS=it is 7");
	CHECK(written == 2);
	status_destroy(status);
}

TEST("a service that is ready says how it is in the same message, and once")
{
	struct status *status = status_create(event, write_text, it);

	value = 3;
	status_changed(status);
	status_ready(status);
	CHECK_TEXT(message(), "READY=1\nSTATUS=it is 3");
	CHECK_TEXT(message(), "");
	status_destroy(status);
}

TEST("nothing is sent without a change, nor after the end")
{
	struct status *status = status_create(event, write_text, it);

	CHECK_TEXT(message(), "");
	status_changed(status);
	status_destroy(status);
	CHECK_TEXT(message(), "");
	CHECK(written == 3);
	status_destroy(NULL);
}

int main(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	char folder[] = "/tmp/led-status-test.XXXXXX";
	int failed;

	if (!mkdtemp(folder))
		return 1;
	snprintf(sun.sun_path, sizeof sun.sun_path, "%s/notify", folder);
	setenv("NOTIFY_SOCKET", sun.sun_path, 1);
	manager = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (bind(manager, (struct sockaddr *)&sun, sizeof sun) < 0 || sd_event_new(&event) < 0)
		return 1;
	failed = tap_run();
	sd_event_unref(event);
	close(manager);
	unlink(sun.sun_path);
	rmdir(folder);
	return failed;
}
