/* SPDX-License-Identifier: MIT */
#include "../../src/command.h"
#include "tap.h"

#define UNKNOWN "unknown command: send LED ON, LED OFF, LED TOGGLE or LED STATUS"
#define EMPTY "empty command: send LED ON, LED OFF, LED TOGGLE or LED STATUS"
#define LONG "command too long: it has at most 64 bytes"
#define MORE "more than one command: a connection carries one"

/* What bytes mean, as one piece: a verb's text, or the reason. */
static const char *meaning(const char *bytes, size_t n)
{
	struct command command = {0};
	enum verb verb;
	const char *why;

	command_feed(&command, bytes, n);
	why = command_parse(&command, &verb, NULL);
	return why ? why : verb_text(verb);
}

#define MEANING(literal) meaning(literal, sizeof literal - 1)

static void every_command(void)
{
	CHECK_TEXT(MEANING("LED ON\n"), "LED ON");
	CHECK_TEXT(MEANING("LED OFF\n"), "LED OFF");
	CHECK_TEXT(MEANING("LED TOGGLE\n"), "LED TOGGLE");
	CHECK_TEXT(MEANING("LED STATUS\n"), "LED STATUS");
}

static void every_terminator(void)
{
	CHECK_TEXT(MEANING("LED ON\n"), "LED ON");
	CHECK_TEXT(MEANING("LED ON\r\n"), "LED ON");
	CHECK_TEXT(MEANING("LED ON\0"), "LED ON");
	CHECK_TEXT(MEANING("LED ON\r\0"), "LED ON");
	CHECK_TEXT(MEANING("LED ON"), "LED ON");
}

static void any_case_and_blanks(void)
{
	CHECK_TEXT(MEANING("led on\n"), "LED ON");
	CHECK_TEXT(MEANING("Led Toggle\n"), "LED TOGGLE");
	CHECK_TEXT(MEANING(" \t LED \t  OFF  \n"), "LED OFF");
}

static void what_is_not_a_command(void)
{
	CHECK_TEXT(MEANING("LED\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED ONE\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LEDON\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED O\n"), UNKNOWN);
	CHECK_TEXT(MEANING("ON\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED ON LED OFF\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED ON now\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED\rON\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED ON\r\r\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED \xc3\x96N\n"), UNKNOWN);
	CHECK_TEXT(MEANING("\xff\xfe\n"), UNKNOWN);
	/* A Turkish i or a fullwidth letter is no ASCII letter in any case. */
	CHECK_TEXT(MEANING("LED STATU\xc5\xbf\n"), UNKNOWN);
}

static void empty_and_blank(void)
{
	CHECK_TEXT(MEANING(""), EMPTY);
	CHECK_TEXT(MEANING("\n"), EMPTY);
	CHECK_TEXT(MEANING("\r\n"), EMPTY);
	CHECK_TEXT(MEANING("\0"), EMPTY);
	CHECK_TEXT(MEANING("  \t \n"), EMPTY);
}

static void sixty_four_bytes(void)
{
	char bytes[70];

	memset(bytes, ' ', sizeof bytes);
	memcpy(bytes, "LED ON", 6);

	bytes[64] = '\n';
	CHECK_TEXT(meaning(bytes, 65), "LED ON");
	CHECK_TEXT(meaning(bytes, 64), "LED ON");
	bytes[64] = '\r';
	bytes[65] = '\n';
	CHECK_TEXT(meaning(bytes, 66), "LED ON");
	bytes[64] = ' ';
	CHECK_TEXT(meaning(bytes, 65), LONG);
	bytes[65] = '\n';
	CHECK_TEXT(meaning(bytes, 66), LONG);
	bytes[65] = '\r';
	bytes[66] = '\n';
	CHECK_TEXT(meaning(bytes, 67), LONG);
}

static void nothing_behind_the_terminator(void)
{
	CHECK_TEXT(MEANING("LED ON\nLED OFF\n"), MORE);
	CHECK_TEXT(MEANING("LED ON\0LED OFF\0"), MORE);
	CHECK_TEXT(MEANING("LED\0ON\n"), MORE);
	CHECK_TEXT(MEANING("LED ON\nx"), MORE);
	CHECK_TEXT(MEANING("\nLED ON\n"), MORE);
}

static void blanks_and_nuls_behind_the_terminator(void)
{
	CHECK_TEXT(MEANING("LED ON\n\n"), "LED ON");
	CHECK_TEXT(MEANING("LED ON\n \t\r\n"), "LED ON");
	CHECK_TEXT(MEANING("LED ON\0\0\0\0\0\0\0\0\0"), "LED ON");
	CHECK_TEXT(MEANING("LED ON\0\n"), "LED ON");
}

static void endless_blanks_have_an_end(void)
{
	static const char NULS[4096];
	struct command command = {0};
	enum verb verb;

	command_feed(&command, "LED ON\n", 7);
	for (int i = 0; i < 15; i++)
		command_feed(&command, NULS, sizeof NULS);
	CHECK(!command_parse(&command, &verb, NULL));
	command_feed(&command, NULS, sizeof NULS);
	CHECK_TEXT(command_parse(&command, &verb, NULL), LONG);
}

static void says_when_it_is_decided(void)
{
	static const char TEXT[] = "LED STATUS";
	struct command command = {0}, flood = {0};
	enum verb verb;

	for (const char *p = TEXT; *p; p++)
		CHECK(!command_feed(&command, p, 1));
	CHECK(command_feed(&command, "\n", 1));
	CHECK(!command_parse(&command, &verb, NULL) && verb == VERB_STATUS);

	for (int i = 0; i < 65; i++)
		CHECK(!command_feed(&flood, "x", 1));
	CHECK(command_feed(&flood, "x", 1));
}

static const char *meaning_at(const char *text, uint64_t *at)
{
	struct command command = {0};
	enum verb verb;
	const char *why;

	command_feed(&command, text, strlen(text));
	why = command_parse(&command, &verb, at);
	return why ? why : verb_text(verb);
}

static void time_from_those_who_may_say_it(void)
{
	uint64_t at = 1;

	CHECK_TEXT(meaning_at("LED ON @1234567\n", &at), "LED ON");
	CHECK(at == 1234567);
	CHECK_TEXT(meaning_at("LED ON\n", &at), "LED ON");
	CHECK(at == 0);
	CHECK_TEXT(meaning_at("LED ON @18446744073709551615\n", &at), "LED ON");
	CHECK(at == UINT64_MAX);
	CHECK_TEXT(meaning_at("LED ON @18446744073709551616\n", &at), UNKNOWN);
	CHECK_TEXT(meaning_at("LED ON @\n", &at), UNKNOWN);
	CHECK_TEXT(meaning_at("LED ON @-1\n", &at), UNKNOWN);
	CHECK_TEXT(meaning_at("LED ON @1 @2\n", &at), UNKNOWN);
	CHECK_TEXT(meaning_at("LED ON 1\n", &at), UNKNOWN);
	CHECK_TEXT(meaning_at("LED @1\n", &at), UNKNOWN);
	CHECK_TEXT(meaning_at("LED ON @1234567\n", NULL), UNKNOWN);
}

static void quoted_for_the_log(void)
{
	struct command command = {0}, long_one = {0};
	char quoted[COMMAND_QUOTE_MAX];

	command_feed(&command, "a\"b\\\x1b[31m\xff\r\n", 12);
	CHECK_TEXT(command_quote(&command, quoted), "a\\x22b\\x5c\\x1b[31m\\xff");
	for (int i = 0; i < 70; i++)
		command_feed(&long_one, "\x01", 1);
	CHECK(strlen(command_quote(&long_one, quoted)) == (COMMAND_MAX + 1) * 4);
}

TAP_MAIN({"every command is understood", every_command},
	{"every terminator ends a command", every_terminator},
	{"any case and any blanks", any_case_and_blanks},
	{"what is not a command is refused", what_is_not_a_command},
	{"empty and blank commands are told apart", empty_and_blank},
	{"64 bytes are taken, 65 are not", sixty_four_bytes},
	{"nothing may stand behind the terminator", nothing_behind_the_terminator},
	{"blanks and NULs may", blanks_and_nuls_behind_the_terminator},
	{"endless blanks have an end", endless_blanks_have_an_end},
	{"a command is decided at its terminator", says_when_it_is_decided},
	{"a time is taken from those who may say it", time_from_those_who_may_say_it},
	{"the log sees printable ASCII only", quoted_for_the_log})
