/* SPDX-License-Identifier: MIT */
#include "contact.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "tap.h"

static bool is_button(const char *text)
{
	const char *wrong;
	struct contact *button = contact_create(text, &wrong);

	CHECK(button || *wrong);
	contact_destroy(button);
	return button;
}

TEST("buttons")
{
	CHECK(is_button("gpio:GPIO4"));
	CHECK(is_button("gpio:/dev/buttons/4,active-high,pull-off"));
	CHECK(!is_button("gpio:GPIO4,open-drain"));
	CHECK(is_button("fifo:/tmp/x"));
	CHECK(!is_button(""));
	CHECK(!is_button("fifo"));
	CHECK(!is_button("fifo:"));
	CHECK(!is_button("log"));
}

TEST("one that is no button says what buttons there are, one that is wrong what is wrong with it")
{
	const char *wrong;

	CHECK(!contact_create("leds:ACT", &wrong));
	CHECK_TEXT(wrong, "a button is gpio:LINE, gpio:CHIP/OFFSET, input:DEVICE or fifo:PATH");
	CHECK(!contact_create("gpio:GPIO4,x", &wrong));
	CHECK(!strstr(wrong, "a button is"));
}

TEST("it has its SPEC; a GPIO line bounces, a FIFO does not")
{
	static const char GPIO[] = "gpio:GPIO4", FIFO[] = "fifo:/tmp/x";
	const char *wrong;
	struct contact *gpio = contact_create(GPIO, &wrong), *fifo = contact_create(FIFO, &wrong);

	CHECK(contact_spec(gpio) == GPIO && contact_bounces(gpio));
	CHECK(contact_spec(fifo) == FIFO && !contact_bounces(fifo));
	contact_destroy(gpio);
	contact_destroy(fifo);
}

TEST("it is opened, gives events, and is closed by its end")
{
	char folder[] = "/tmp/led-test-contact.XXXXXX", path[64], spec[80], why[CONTACT_WHY_MAX];
	struct contact_event event;
	struct contact *contact;
	const char *wrong;
	int writer, fd;

	CHECK(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/x", folder);
	snprintf(spec, sizeof spec, "fifo:%s", path);
	contact = contact_create(spec, &wrong);
	CHECK(contact_open(contact, why) == 0);
	fd = contact_fd(contact);
	CHECK(fcntl(fd, F_GETFD) >= 0 && !contact_is_closed(contact));
	CHECK(contact_next(contact, &event, why) == 0);
	writer = open(path, O_WRONLY | O_NONBLOCK);
	CHECK(write(writer, "down\n", 5) == 5);
	CHECK(contact_next(contact, &event, why) == 1 && event.closed);
	CHECK(contact_is_closed(contact));
	contact_close(contact);
	CHECK(fcntl(fd, F_GETFD) < 0 && errno == EBADF);
	/* What has its number now stays open. */
	CHECK(dup2(writer, fd) == fd);
	contact_close(contact);
	CHECK(close(fd) == 0);
	CHECK(contact_open(contact, why) == 0);
	fd = contact_fd(contact);
	contact_destroy(contact);
	CHECK(fcntl(fd, F_GETFD) < 0 && errno == EBADF);
	contact_destroy(NULL);
	close(writer);
	unlink(path);
	rmdir(folder);
}

TEST("one that cannot be opened is not closed by its end")
{
	char why[CONTACT_WHY_MAX] = "";
	const char *wrong;
	struct contact *contact = contact_create("fifo:/dev/null/x", &wrong);
	int zero = dup(STDIN_FILENO);

	CHECK(contact_open(contact, why) < 0 && *why);
	dup2(zero, STDIN_FILENO);
	contact_destroy(contact);
	CHECK(fcntl(STDIN_FILENO, F_GETFD) >= 0);
	close(zero);
}

TAP_MAIN
