/* SPDX-License-Identifier: MIT */
#include "answer.h"

#include "tap.h"

static struct answer answer;

static void read_line(const char *line)
{
	answer_read(false, line, &answer);
}

static void read_watched(const char *line)
{
	answer_read(true, line, &answer);
}

static void check(const char *output, const char *reason, enum status status)
{
	CHECK_TEXT(answer.output, output);
	CHECK_TEXT(answer.reason, reason);
	CHECK(answer.status == status);
}

TEST("an OK is done, and its state is printed")
{
	read_line("OK LED ON");
	check("ON\n", "", STATUS_DONE);
	read_line("OK LED kitchen OFF");
	check("kitchen OFF\n", "", STATUS_DONE);
	read_line("OK LED ALL OFF");
	check("all OFF\n", "", STATUS_DONE);
	read_line("OK LED door ON \r");
	check("door ON\n", "", STATUS_DONE);
}

TEST("an ERR is refused, with its reason")
{
	read_line("ERR no LED is called x; LED LIST names them");
	check("", "no LED is called x; LED LIST names them", STATUS_REFUSED);
	read_line("ERR pump: broken");
	check("", "pump: broken", STATUS_REFUSED);
	read_line("ERR");
	check("", "no reason was given", STATUS_REFUSED);
}

TEST("where all did not reach some, both are said")
{
	read_line("OK LED ALL OFF except pump: the chip is gone; door: too late");
	check("all OFF\n", "except pump: the chip is gone; door: too late", STATUS_REFUSED);
}

TEST("a list has a line for each LED")
{
	read_line("OK LED LIST led=ON kitchen=OFF pump=ERR");
	check("led ON\nkitchen OFF\npump ERR\n", "", STATUS_DONE);
	read_line("OK LED LIST a=OFF");
	check("a OFF\n", "", STATUS_DONE);
	read_line("OK LED LIST kinds=OFF");
	check("kinds OFF\n", "", STATUS_DONE);
}

TEST("so has a list of kinds")
{
	read_line("OK LED LIST KINDS led=light door=switch,pulse=500 kitchen=? ?");
	check("led light\ndoor switch,pulse=500\nkitchen ?\n?\n", "", STATUS_DONE);
}

TEST("the longest list has room")
{
	char line[ANSWER_MAX + 10] = "OK LED LIST";
	size_t length = strlen(line);

	while (length < ANSWER_MAX - 1)
		length += (size_t)sprintf(line + length, " a=ON");
	line[ANSWER_MAX - 1] = '\0';
	read_line(line);
	CHECK(answer.status == STATUS_DONE);
	CHECK(strlen(answer.output) == ANSWER_MAX - 1 - strlen("OK LED LIST ") + 1);
}

TEST("each line of a watch begins with a name")
{
	read_watched("OK LED ON");
	check("led ON\n", "", STATUS_DONE);
	read_watched("OK LED kitchen OFF");
	check("kitchen OFF\n", "", STATUS_DONE);
	read_watched("ERR pump: there is no LED pump: look");
	check("pump ERR there is no LED pump: look\n", "", STATUS_DONE);
}

TEST("a refused watch is no state of an LED")
{
	static const char *const REASONS[] = {"a setting is wrong: see the log", "too late",
		"no LED is called x; LED LIST names them", "which LED? a, b", "pump:", "all: x",
		"abcdefghijklmnopq: x"};

	for (size_t i = 0; i < sizeof REASONS / sizeof *REASONS; i++) {
		char line[100];

		sprintf(line, "ERR %s", REASONS[i]);
		read_watched(line);
		check("", REASONS[i], STATUS_REFUSED);
	}
}

TEST("an OK in other words is printed as it is")
{
	read_line("OK PULSE 500");
	check("PULSE 500\n", "", STATUS_DONE);
	read_line("OK");
	check("", "", STATUS_DONE);
}

TEST("what another server says is not known")
{
	static const char *const LINES[] = {"HTTP/1.1 400 Bad Request", "OKAY", "ERROR", "", " OK"};

	for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
		read_line(LINES[i]);
		CHECK(answer.status == STATUS_UNKNOWN);
		CHECK_TEXT(answer.output, "");
		CHECK(strstr(answer.reason, LINES[i]));
	}
}

TEST("what is no printable character is a question mark")
{
	read_line("OK LED \x1b[2J\tkitchen\xff ON");
	check("?[2J?kitchen? ON\n", "", STATUS_DONE);
	read_line("ERR ~\x7f");
	check("", "~?", STATUS_REFUSED);
}

TAP_MAIN
