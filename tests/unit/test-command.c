/* SPDX-License-Identifier: MIT */
#include "../../src/common/command.h"
#include "tap.h"

#define COMMANDS "LED ON, LED OFF, LED TOGGLE, LED STATUS, LED PULSE MS, LED LIST or LED WATCH"
#define UNKNOWN "unknown command: send " COMMANDS
#define EMPTY "empty command: send " COMMANDS
#define PULSE "LED PULSE takes 1 to 3600000 milliseconds"
#define LONG "command too long: it has at most 64 bytes"
#define MORE "more than one command: a connection carries one"

static const char *words(const struct request *request)
{
	static char text[COMMAND_MAX + 1];

	CHECK(command_write(request, text) == strlen(text));
	return text;
}

/* What bytes mean, as one piece: the request in words, or the reason. */
static const char *meaning(const char *bytes, size_t n)
{
	struct command command = {0};
	struct request request;
	const char *why;

	command_feed(&command, bytes, n);
	why = command_parse(&command, &request);
	return why ? why : words(&request);
}

#define MEANING(literal) meaning(literal, sizeof literal - 1)

static void every_command(void)
{
	CHECK_TEXT(MEANING("LED ON\n"), "LED ON");
	CHECK_TEXT(MEANING("LED OFF\n"), "LED OFF");
	CHECK_TEXT(MEANING("LED TOGGLE\n"), "LED TOGGLE");
	CHECK_TEXT(MEANING("LED STATUS\n"), "LED STATUS");
}

static void names(void)
{
	CHECK_TEXT(MEANING("LED kitchen ON\n"), "LED kitchen ON");
	CHECK_TEXT(MEANING("led Kitchen-2 toggle\n"), "LED kitchen-2 TOGGLE");
	CHECK_TEXT(MEANING("LED led STATUS\n"), "LED led STATUS");
	CHECK_TEXT(MEANING("LED a123456789abcdef OFF\n"), "LED a123456789abcdef OFF");
	CHECK_TEXT(MEANING("LED a123456789abcdefg OFF\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED 1a ON\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED -a ON\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED a_b ON\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED \xc3\xa4 ON\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED kitchen\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED kitchen lamp ON\n"), UNKNOWN);
	/* Words of the protocol are not names. */
	CHECK_TEXT(MEANING("LED ON ON\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED list ON\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED watch ON\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED press ON\n"), UNKNOWN);
}

static void all_and_list(void)
{
	CHECK_TEXT(MEANING("LED ALL ON\n"), "LED ALL ON");
	CHECK_TEXT(MEANING("led all off\n"), "LED ALL OFF");
	CHECK_TEXT(MEANING("LED ALL TOGGLE\n"), "LED ALL takes ON and OFF");
	CHECK_TEXT(MEANING("LED ALL PULSE 10\n"), "LED ALL takes ON and OFF");
	CHECK_TEXT(MEANING("LED ALL STATUS\n"), "LED ALL takes ON and OFF");
	CHECK_TEXT(MEANING("LED ALL\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED ALL ALL ON\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED LIST\n"), "LED LIST");
	CHECK_TEXT(MEANING("LED LIST ON\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED kitchen LIST\n"), UNKNOWN);
}

static void pulses(void)
{
	CHECK_TEXT(MEANING("LED PULSE 1\n"), "LED PULSE 1");
	CHECK_TEXT(MEANING("LED door PULSE 3600000\n"), "LED door PULSE 3600000");
	CHECK_TEXT(MEANING("LED door PULSE 0500 #k\n"), "LED door PULSE 500 #k");
	CHECK_TEXT(MEANING("LED PULSE\n"), PULSE);
	CHECK_TEXT(MEANING("LED PULSE 0\n"), PULSE);
	CHECK_TEXT(MEANING("LED PULSE 3600001\n"), PULSE);
	CHECK_TEXT(MEANING("LED PULSE 99999999999999999999999\n"), PULSE);
	CHECK_TEXT(MEANING("LED PULSE -5\n"), PULSE);
	CHECK_TEXT(MEANING("LED PULSE 5s\n"), PULSE);
	CHECK_TEXT(MEANING("LED PULSE #k\n"), PULSE);
	CHECK_TEXT(MEANING("LED PULSE 5 5\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED ON 5\n"), UNKNOWN);
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
	CHECK_TEXT(MEANING("\xfe\xff\xff\n"), UNKNOWN);
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
	struct request request;

	command_feed(&command, "LED ON\n", 7);
	for (int i = 0; i < 15; i++)
		command_feed(&command, NULS, sizeof NULS);
	CHECK(!command_parse(&command, &request));
	command_feed(&command, NULS, sizeof NULS);
	CHECK_TEXT(command_parse(&command, &request), LONG);
}

static void says_when_it_is_decided(void)
{
	static const char TEXT[] = "LED STATUS";
	struct command command = {0}, flood = {0};
	struct request request;

	for (const char *p = TEXT; *p; p++)
		CHECK(!command_feed(&command, p, 1));
	CHECK(command_feed(&command, "\n", 1));
	CHECK(!command_parse(&command, &request) && request.verb == VERB_STATUS);

	for (int i = 0; i < 65; i++)
		CHECK(!command_feed(&flood, "x", 1));
	CHECK(command_feed(&flood, "x", 1));
}

static const char *meaning_at(const char *text, uint64_t *at)
{
	struct command command = {.timed = true};
	struct request request;
	const char *why;

	command_feed(&command, text, strlen(text));
	why = command_parse(&command, &request);
	*at = request.at;
	return why ? why : words(&request);
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
	CHECK_TEXT(MEANING("LED ON @1234567\n"), UNKNOWN);
	/* The time does not count as a part of the command. */
	CHECK_TEXT(meaning_at("LED                                                           ON"
			      " @18446744073709551615\n",
			   &at),
		"LED ON");
	CHECK_TEXT(meaning_at("LED                                                            ON"
			      " @1\n",
			   &at),
		LONG);
}

/* A command's key, or what is wrong with it. */
static const char *key_of(const char *text)
{
	static struct request request;
	struct command command = {0};
	const char *why;

	command_feed(&command, text, strlen(text));
	why = command_parse(&command, &request);
	return why ? why : request.key;
}

static void a_toggle_has_a_key(void)
{
	CHECK_TEXT(key_of("LED TOGGLE #a\n"), "a");
	CHECK_TEXT(key_of("led toggle  #0123456789abcDEF \n"), "0123456789abcDEF");
	CHECK_TEXT(key_of("LED TOGGLE\n"), "");
	CHECK_TEXT(key_of("LED TOGGLE #\n"), UNKNOWN);
	CHECK_TEXT(key_of("LED TOGGLE #0123456789abcdefg\n"), UNKNOWN);
	CHECK_TEXT(key_of("LED TOGGLE # a\n"), UNKNOWN);
	CHECK_TEXT(key_of("LED TOGGLE a\n"), UNKNOWN);
	CHECK_TEXT(key_of("LED TOGGLE #a-b\n"), UNKNOWN);
	CHECK_TEXT(key_of("LED TOGGLE #a #b\n"), UNKNOWN);
	CHECK_TEXT(key_of("LED TOGGLE #\xc3\xa4\n"), UNKNOWN);
	CHECK_TEXT(key_of("LED ON #a\n"), UNKNOWN);
	CHECK_TEXT(key_of("LED STATUS #a\n"), UNKNOWN);
}

/* What PuTTY says before its user does: RFC 854, RFC 1073, RFC 1079. */
#define PUTTY "\xff\xfb\x1f\xff\xfb\x20\xff\xfb\x18\xff\xfb\x27\xff\xfd\x01\xff\xfb\x03\xff\xfd\x03"

static void telnet_is_passed_over(void)
{
	struct command silent = {0};

	CHECK_TEXT(MEANING(PUTTY "LED ON\r\n"), "LED ON");
	CHECK_TEXT(MEANING("LED \xff\xf1ON\r\0"), "LED ON");
	CHECK_TEXT(MEANING("LED ON\r\n" PUTTY), "LED ON");
	/* A subnegotiation: what is in it is not looked at, IAC twice stands for itself there. */
	CHECK_TEXT(MEANING("\xff\xfa\x1f\0\x50\xff\xff\0\n\xff\xf0LED OFF\n"), "LED OFF");
	/* And in a command it is one byte of it. */
	CHECK_TEXT(MEANING("LED ON\xff\xff\n"), UNKNOWN);

	command_feed(&silent, PUTTY, sizeof PUTTY - 1);
	CHECK(!silent.begun && silent.length == 0);
	for (int i = 0; i < 4000; i++)
		command_feed(&silent, PUTTY, sizeof PUTTY - 1);
	CHECK(silent.begun && silent.too_long);
}

/* The button whose press bytes are, or "". */
static const char *press(const char *text)
{
	static char name[COMMAND_NAME_MAX + 1];
	struct command command = {0};

	command_feed(&command, text, strlen(text));
	return command_parse_press(&command, name) ? name : "";
}

static void a_press(void)
{
	CHECK_TEXT(press("PRESS door\n"), "door");
	CHECK_TEXT(press(" press  Door-2 \r\n"), "door-2");
	CHECK_TEXT(press("PRESS\n"), "");
	CHECK_TEXT(press("PRESS door bell\n"), "");
	CHECK_TEXT(press("PRESS list\n"), "");
	CHECK_TEXT(press("PRESS a/b\n"), "");
	CHECK_TEXT(press("PRESSdoor\n"), "");
	CHECK_TEXT(press("PRESS door\nPRESS door\n"), "");
	CHECK_TEXT(press("LED ON\n"), "");
	CHECK_TEXT(MEANING("PRESS door\n"), UNKNOWN);
}

static void quoted_for_the_log(void)
{
	struct command command = {0}, long_one = {0};
	char quoted[COMMAND_QUOTE_MAX];

	command_feed(&command, "a\"b\\\x1b[31m\xfe\r\n", 12);
	CHECK_TEXT(command_quote(&command, quoted), "a\\x22b\\x5c\\x1b[31m\\xfe");
	for (int i = 0; i < 70; i++)
		command_feed(&long_one, "\x01", 1);
	CHECK(strlen(command_quote(&long_one, quoted)) == (COMMAND_MAX + 1) * 4);
}

TAP_MAIN({"every command is understood", every_command}, {"an LED may have a name", names},
	{"ALL takes ON and OFF, LIST no name", all_and_list},
	{"a PULSE has 1 to 3600000 milliseconds", pulses},
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
	{"a TOGGLE may have a key", a_toggle_has_a_key},
	{"telnet's negotiation is passed over", telnet_is_passed_over},
	{"a PRESS has the name of a button", a_press},
	{"the log sees printable ASCII only", quoted_for_the_log})
