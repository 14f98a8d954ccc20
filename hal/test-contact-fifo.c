/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "contact.h"
#include "tap.h"

static char folder[] = "/tmp/led-test-fifo.XXXXXX", path[64], spec[80];
static struct contact *contact;
static char why[CONTACT_WHY_MAX];

static void open_contact(void)
{
	const char *wrong;

	contact = contact_create(spec, &wrong);
	CHECK(contact && contact_open(contact, why) == 0);
	CHECK(!contact_is_closed(contact));
}

/* What a process writes that has the FIFO open for this alone. */
static void write_text(const char *text)
{
	int fd = open(path, O_WRONLY | O_NONBLOCK);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* The events since the last call, as a letter each: c for closed, o for open. */
static const char *events(void)
{
	static char letters[64];
	struct contact_event event;
	uint64_t before = 0;
	size_t n = 0;

	while (n < sizeof letters - 1 && contact_next(contact, &event, why) > 0) {
		letters[n++] = event.closed ? 'c' : 'o';
		CHECK(contact_is_closed(contact) == event.closed);
		CHECK(event.at >= before);
		before = event.at;
	}
	letters[n] = '\0';
	return letters;
}

TEST("a line 0 is a press, down and up at once")
{
	open_contact();
	write_text("0\n");
	CHECK_TEXT(events(), "co");
	write_text("0\n0\r\n0\n");
	CHECK_TEXT(events(), "cococo");
	write_text("1\nx\n\nDOWN\ndownx\n 0\ndown up\n");
	CHECK_TEXT(events(), "");
	contact_destroy(contact);
}

TEST("lines down and up, each only when it changes something")
{
	open_contact();
	write_text("down\n");
	CHECK_TEXT(events(), "c");
	CHECK(contact_is_closed(contact));
	write_text("down\n");
	CHECK_TEXT(events(), "");
	write_text("up\r\nup\ndown\nup\n");
	CHECK_TEXT(events(), "oco");
	contact_destroy(contact);
}

TEST("a press while it is down")
{
	open_contact();
	write_text("down\n0\n");
	CHECK_TEXT(events(), "coco");
	contact_destroy(contact);
}

TEST("writers without newlines")
{
	open_contact();
	write_text("down");
	CHECK_TEXT(events(), "c");
	write_text("up");
	CHECK_TEXT(events(), "o");
	/* Several, before the first has been read. */
	write_text("down");
	write_text("up");
	write_text("0");
	write_text("down");
	CHECK_TEXT(events(), "cococ");
	write_text("0up");
	CHECK_TEXT(events(), "");
	contact_destroy(contact);
}

TEST("a FIFO that is removed stays as it is")
{
	open_contact();
	write_text("down\n");
	CHECK_TEXT(events(), "c");
	CHECK(unlink(path) == 0);
	CHECK_TEXT(events(), "");
	CHECK(contact_is_closed(contact));
	write_text("up\n");
	CHECK_TEXT(events(), "o");
	contact_destroy(contact);
	CHECK(access(path, F_OK) < 0);
}

TEST("a FIFO is open when it is opened")
{
	open_contact();
	write_text("down\n");
	CHECK_TEXT(events(), "c");
	contact_close(contact);
	CHECK(contact_open(contact, why) == 0);
	CHECK(!contact_is_closed(contact));
	write_text("down\n");
	CHECK_TEXT(events(), "c");
	contact_destroy(contact);
}

int main(void)
{
	int r;

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof path, "%s/press", folder);
	snprintf(spec, sizeof spec, "fifo:%s", path);
	r = tap_run();
	rmdir(folder);
	return r;
}
