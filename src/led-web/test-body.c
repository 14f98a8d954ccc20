/* SPDX-License-Identifier: MIT */
#include "body.h"
#include "tap.h"

static struct judgement j;
static struct request r;

/* What a body means for an LED, or for ALL, as a command or as a refusal. */
static const char *read_bytes(const char *name, const char *bytes, size_t n)
{
	static char text[COMMAND_MAX + 1];
	struct body body = {0};

	j = (struct judgement){.kind = REQUEST_COMMAND, .all = strcmp(name, "ALL") == 0};
	if (!j.all)
		strcpy(j.name, name);
	r = (struct request){0};
	body_feed(&body, bytes, n);
	body_read(&body, &j, &r);
	if (j.kind == REQUEST_REFUSED)
		return j.text;
	command_write(&r, text);
	return text;
}

static const char *read(const char *name, const char *text)
{
	return read_bytes(name, text, strlen(text));
}

TEST("commands")
{
	CHECK_TEXT(read("kitchen", "ON"), "LED kitchen ON");
	CHECK_TEXT(read("kitchen", "off"), "LED kitchen OFF");
	CHECK_TEXT(read("kitchen", "TOGGLE"), "LED kitchen TOGGLE");
	CHECK_TEXT(read("kitchen", "TOGGLE #a1"), "LED kitchen TOGGLE #a1");
	CHECK_TEXT(read("kitchen", " PULSE  500 #KEY "), "LED kitchen PULSE 500 #KEY");
	CHECK_TEXT(read("led", "ON"), "LED led ON");
	CHECK_TEXT(read("ALL", "OFF"), "LED ALL OFF");
	CHECK_TEXT(read("kitchen", "ON\n"), "LED kitchen ON");
	CHECK_TEXT(read("kitchen", "ON\r\n"), "LED kitchen ON");
}

TEST("forms")
{
	CHECK_TEXT(read("kitchen", "command=ON"), "LED kitchen ON");
	CHECK_TEXT(read("kitchen", "command=PULSE+500"), "LED kitchen PULSE 500");
	CHECK_TEXT(read("kitchen", "command=TOGGLE%20%23a1"), "LED kitchen TOGGLE #a1");
	CHECK_TEXT(read("kitchen", "command=ON&x=OFF"), "LED kitchen ON");
	CHECK_TEXT(read("ALL", "command=ON"), "LED ALL ON");
}

TEST("what is no command is 400, and for nobody else")
{
	static const char *const BODIES[] = {"", " ", "\n", "ONE", "ON OFF", "STATUS", "WATCH",
		"LIST", "LIST KINDS", "kitchen ON", "LED ON", "PULSE", "PULSE 0", "PULSE 3600001",
		"ON #a1", "TOGGLE #", "TOGGLE @1", "ON @1", "ON\nOFF", "ON\rOFF",
		"command=", "command=%", "command=%4", "command=%00", "command=ON%0a",
		"command=ON%0AOFF", "COMMAND=ON", "x=ON", "command=command=ON",
		/* No telnet speaks HTTP. */
		"O\xff\xfbxN", "\xff\xfdxON", "command=ON%FF%FBx", "ON\xff\xf1", "\xc2\xa0ON"};

	for (size_t i = 0; i < sizeof BODIES / sizeof *BODIES; i++) {
		static const char *const NAMES[] = {"kitchen", "led", "ALL"};

		for (size_t k = 0; k < 3; k++) {
			read(NAMES[k], BODIES[i]);
			/* In a form's value, an end of line is its end, too. */
			if (strcmp(BODIES[i], "command=ON%0a") == 0)
				CHECK(j.kind == REQUEST_COMMAND);
			else if (j.kind != REQUEST_REFUSED || j.status != 400)
				CHECK_TEXT(BODIES[i], "400");
		}
	}
	CHECK_TEXT(read("ALL", "TOGGLE"), "ERR send ON or OFF");
	CHECK_TEXT(read("kitchen", "x"),
		"ERR send ON, OFF, TOGGLE or PULSE MS, and #KEY after the last two");
	CHECK(strncmp(read_bytes("kitchen", "ON\0", 3), "ERR ", 4) == 0);
	CHECK(strncmp(read_bytes("kitchen", "O\0N", 3), "ERR ", 4) == 0);
}

TEST("64 bytes, and no more, in pieces of any size")
{
	char text[100];

	for (size_t size = 60; size <= 100; size++) {
		for (size_t piece = 1; piece <= size; piece += 9) {
			struct body body = {0};

			memset(text, ' ', sizeof text);
			memcpy(text, "ON", 2);
			for (size_t i = 0; i < size; i += piece)
				body_feed(&body, text + i, size - i < piece ? size - i : piece);
			j = (struct judgement){.kind = REQUEST_COMMAND, .name = "a"};
			body_read(&body, &j, &r);
			CHECK((j.kind == REQUEST_REFUSED && j.status == 413) == (size > 64));
		}
	}
}

TEST("a body of any length is 413 at its end")
{
	struct body body = {0};
	char text[1000];

	memset(text, ' ', sizeof text);
	memcpy(text, "ON", 2);
	for (unsigned n = 0; n < 100000; n++)
		body_feed(&body, text, sizeof text);
	CHECK(body.length == REQUEST_BODY_MAX);
	j = (struct judgement){.kind = REQUEST_COMMAND, .name = "a"};
	body_read(&body, &j, &r);
	CHECK(j.kind == REQUEST_REFUSED && j.status == 413);
}

int main(void)
{
	return tap_run();
}
