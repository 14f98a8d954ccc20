/* SPDX-License-Identifier: MIT */
#include "command-list.h"
#include "tap.h"

#define KEY "abcdefghijklmnop"

/* Reads a list with one command, or none if the text is NULL. */
static void read(struct command_list *list, const char *text)
{
	*list = (struct command_list){0};
	if (text)
		CHECK(!command_list_add(list, text));
}

TEST("a command has 1 to 64 bytes without control characters, and a list 32 of them")
{
	static const char LONGEST[] =
		"0123456789012345678901234567890123456789012345678901234567890123";
	static const char TOO_LONG[] =
		"01234567890123456789012345678901234567890123456789012345678901234";
	struct command_list list = {0};

	CHECK_TEXT(command_list_add(&list, ""), "a command has 1 to 64 bytes");
	CHECK_TEXT(command_list_add(&list, TOO_LONG), "a command has 1 to 64 bytes");
	CHECK_TEXT(command_list_add(&list, "a\nb"), "a command has no control characters");
	CHECK_TEXT(command_list_add(&list, "a\x7f"), "a command has no control characters");
	CHECK(list.n == 0);
	for (unsigned i = 0; i < COMMAND_LIST_MAX; i++)
		CHECK(!command_list_add(&list, i % 2 ? LONGEST : "x"));
	CHECK_TEXT(command_list_add(&list, "x"), "too many commands");
	CHECK(list.n == COMMAND_LIST_MAX);
	CHECK_TEXT(list.commands[0].text, "x");
	CHECK_TEXT(list.commands[31].text, LONGEST);
}

TEST("TOGGLE and PULSE are sent with a key, everything else as it is written")
{
	static const struct {
		const char *text, *line;
	} CASES[] = {
		{"LED TOGGLE", "LED TOGGLE #" KEY},
		{"led  toggle ", "LED TOGGLE #" KEY},
		{"LED kitchen TOGGLE", "LED kitchen TOGGLE #" KEY},
		{"LED PULSE 500", "LED PULSE 500 #" KEY},
		{"LED door PULSE 3600000", "LED door PULSE 3600000 #" KEY},
		{"LED TOGGLE #mine", "LED TOGGLE #mine"},
		{"LED TOGGLE @5", "LED TOGGLE @5"},
		{"led  on", "led  on"},
		{"LED OFF", "LED OFF"},
		{"LED ALL ON", "LED ALL ON"},
		{"LED STATUS", "LED STATUS"},
		{"PRESS kitchen", "PRESS kitchen"},
		{"TOGGLE", "TOGGLE"},
	};

	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		char line[COMMAND_LINE_MAX], wanted[COMMAND_LINE_MAX];
		struct command_list list;

		read(&list, CASES[i].text);
		CHECK(command_needs_key(list.commands) == (strstr(CASES[i].line, KEY) != NULL));
		command_write_line(list.commands, KEY, line);
		snprintf(wanted, sizeof wanted, "%s\n", CASES[i].line);
		CHECK_TEXT(line, wanted);
		/* The server knows no keys. */
		command_write_line(list.commands, "", line);
		snprintf(wanted, sizeof wanted, "%s\n", CASES[i].text);
		CHECK_TEXT(line, wanted);
	}
}

static bool have_position(const char *press, const char *release, const char *long_press)
{
	struct command_list lists[OCCASIONS];

	read(&lists[ON_PRESS], press);
	read(&lists[ON_RELEASE], release);
	read(&lists[ON_LONG_PRESS], long_press);
	return command_lists_have_position(lists);
}

TEST("ON and OFF of the same LED or contact are a position, in both directions, and nothing else "
     "is")
{
	static const struct {
		const char *press, *release;
		bool position;
	} CASES[] = {
		{"LED ON", "LED OFF", true},
		{"led off", " LED  ON ", true},
		{"LED led ON", "LED OFF", true},
		{"LED ON", "LED LED OFF", true},
		{"LED kitchen ON", "LED Kitchen OFF", true},
		{"LED ALL ON", "LED ALL OFF", true},
		{"LED ON", "LED ON", false},
		{"LED OFF", "LED OFF", false},
		{"LED kitchen ON", "LED OFF", false},
		{"LED kitchen ON", "LED cellar OFF", false},
		{"LED ALL ON", "LED OFF", false},
		{"LED led ON", "LED ALL OFF", false},
		{"LED TOGGLE", "LED OFF", false},
		{"LED ON", "LED TOGGLE", false},
		{"LED TOGGLE", "LED TOGGLE", false},
		{"LED PULSE 500", "LED OFF", false},
		{"LED ON", "LED STATUS", false},
		{"PRESS door", "PRESS door", false},
		{"ON", "OFF", false},
		{"LED ON", "OFF", false},
		{"OFF", "LED ON", false},
		{"CONTACT door ON", "CONTACT door OFF", true},
		{"contact Door off", " CONTACT  door ON ", true},
		{"CONTACT door ON", "CONTACT door ON", false},
		{"CONTACT door ON", "CONTACT window OFF", false},
		{"CONTACT door ON", "CONTACT door GONE", false},
		{"CONTACT door GONE", "CONTACT door OFF", false},
		{"CONTACT door ON", "LED door OFF", false},
		{"LED door ON", "CONTACT door OFF", false},
		{"CONTACT door ON", NULL, false},
		{"LED ON", NULL, false},
		{NULL, "LED OFF", false},
		{NULL, NULL, false},
	};

	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		CHECK(have_position(CASES[i].press, CASES[i].release, NULL) == CASES[i].position);
		CHECK(!have_position(CASES[i].press, CASES[i].release, "LED ON"));
	}
}

TEST("a list of several commands is no position")
{
	struct command_list lists[OCCASIONS];

	for (enum occasion longer = ON_PRESS; longer <= ON_RELEASE; longer++) {
		read(&lists[ON_PRESS], "LED ON");
		read(&lists[ON_RELEASE], "LED OFF");
		read(&lists[ON_LONG_PRESS], NULL);
		CHECK(command_lists_have_position(lists));
		CHECK(!command_list_add(&lists[longer], lists[longer].commands->text));
		CHECK(!command_lists_have_position(lists));
	}
}

TAP_MAIN
