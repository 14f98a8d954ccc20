/* SPDX-License-Identifier: MIT */
#include "command.h"
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

TEST("every command is understood")
{
	CHECK_TEXT(MEANING("LED ON\n"), "LED ON");
	CHECK_TEXT(MEANING("LED OFF\n"), "LED OFF");
	CHECK_TEXT(MEANING("LED TOGGLE\n"), "LED TOGGLE");
	CHECK_TEXT(MEANING("LED STATUS\n"), "LED STATUS");
}

TEST("an LED may have a name")
{
	CHECK_TEXT(MEANING("LED kitchen ON\n"), "LED kitchen ON");
	CHECK_TEXT(MEANING("led Kitchen-2 toggle\n"), "LED kitchen-2 TOGGLE");
	CHECK_TEXT(MEANING("LED led STATUS\n"), "LED led STATUS");
	CHECK_TEXT(MEANING("LED a123456789abcdef OFF\n"), "LED a123456789abcdef OFF");
	CHECK_TEXT(MEANING("LED a OFF\n"), "LED a OFF");
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

TEST("ALL takes ON and OFF, LIST no name")
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

TEST("LIST KINDS")
{
	CHECK_TEXT(MEANING("LED LIST KINDS\n"), "LED LIST KINDS");
	CHECK_TEXT(MEANING(" led  list\tKinds \r\n"), "LED LIST KINDS");
	CHECK_TEXT(MEANING("LED LIST KIND\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED LIST KINDS KINDS\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED LIST KINDS #k\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED kitchen LIST KINDS\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED ALL LIST KINDS\n"), "LED ALL takes ON and OFF");
	CHECK_TEXT(MEANING("LED STATUS KINDS\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED WATCH KINDS\n"), UNKNOWN);
	CHECK_TEXT(MEANING("LED KINDS\n"), UNKNOWN);
	/* It may be a name. */
	CHECK_TEXT(MEANING("LED KINDS ON\n"), "LED kinds ON");
}

TEST("a PULSE has 1 to 3600000 milliseconds")
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

TEST("every terminator ends a command")
{
	CHECK_TEXT(MEANING("LED ON\n"), "LED ON");
	CHECK_TEXT(MEANING("LED ON\r\n"), "LED ON");
	CHECK_TEXT(MEANING("LED ON\0"), "LED ON");
	CHECK_TEXT(MEANING("LED ON\r\0"), "LED ON");
	CHECK_TEXT(MEANING("LED ON"), "LED ON");
}

TEST("any case and any blanks")
{
	CHECK_TEXT(MEANING("led on\n"), "LED ON");
	CHECK_TEXT(MEANING("Led Toggle\n"), "LED TOGGLE");
	CHECK_TEXT(MEANING(" \t LED \t  OFF  \n"), "LED OFF");
}

TEST("what is not a command is refused")
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

TEST("empty and blank commands are two cases")
{
	CHECK_TEXT(MEANING(""), EMPTY);
	CHECK_TEXT(MEANING("\n"), EMPTY);
	CHECK_TEXT(MEANING("\r\n"), EMPTY);
	CHECK_TEXT(MEANING("\0"), EMPTY);
	CHECK_TEXT(MEANING("  \t \n"), EMPTY);
}

TEST("64 bytes are taken, 65 are not")
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

TEST("nothing may follow the terminator")
{
	CHECK_TEXT(MEANING("LED ON\nLED OFF\n"), MORE);
	CHECK_TEXT(MEANING("LED ON\0LED OFF\0"), MORE);
	CHECK_TEXT(MEANING("LED\0ON\n"), MORE);
	CHECK_TEXT(MEANING("LED ON\nx"), MORE);
	CHECK_TEXT(MEANING("\nLED ON\n"), MORE);
}

TEST("blanks and NULs may")
{
	CHECK_TEXT(MEANING("LED ON\n\n"), "LED ON");
	CHECK_TEXT(MEANING("LED ON\n \t\r\n"), "LED ON");
	CHECK_TEXT(MEANING("LED ON\0\0\0\0\0\0\0\0\0"), "LED ON");
	CHECK_TEXT(MEANING("LED ON\0\n"), "LED ON");
}

TEST("endless blanks have an end")
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

TEST("a command is decided at its terminator")
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

TEST("a time is taken from those who may say it")
{
	uint64_t at = 1;

	CHECK_TEXT(meaning_at("LED ON @1234567\n", &at), "LED ON");
	CHECK(at == 1234567);
	CHECK_TEXT(meaning_at("LED ON\n", &at), "LED ON");
	CHECK(at == 0);
	CHECK_TEXT(meaning_at("LED ON @18446744073709551615\n", &at), "LED ON");
	CHECK(at == UINT64_MAX);
	CHECK_TEXT(meaning_at("LED LIST KINDS @1234567\n", &at), "LED LIST KINDS");
	CHECK(at == 1234567);
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

TEST("a TOGGLE may have a key")
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

TEST("telnet's negotiation is passed over")
{
	struct command silent = {0};

	CHECK_TEXT(MEANING(PUTTY "LED ON\r\n"), "LED ON");
	CHECK_TEXT(MEANING("LED \xff\xf1ON\r\0"), "LED ON");
	CHECK_TEXT(MEANING("LED ON\r\n" PUTTY), "LED ON");
	/* A subnegotiation: what is in it is not looked at, IAC twice stands for itself there. */
	CHECK_TEXT(MEANING("\xff\xfa\x1f\0\x50\xff\xff\0\n\xff\xf0LED OFF\n"), "LED OFF");
	/* And in a command it is one byte of it. */
	CHECK_TEXT(MEANING("LED ON\xff\xff\n"), UNKNOWN);
	/* Its Synch is one byte and urgent data, which is read past. */
	CHECK_TEXT(MEANING("\xffLED ON\n"), "LED ON");
	CHECK_TEXT(MEANING("LED ON\xff\n"), "LED ON");
	CHECK_TEXT(MEANING("\xff\xecLED ON\n"), "LED ON");

	command_feed(&silent, PUTTY, sizeof PUTTY - 1);
	CHECK(!silent.begun && silent.length == 0);
	for (int i = 0; i < 4000; i++)
		command_feed(&silent, PUTTY, sizeof PUTTY - 1);
	CHECK(silent.begun && silent.too_long);
}

/* The button whose press bytes are, or "". */
static const char *press(const char *text)
{
	static char name[COMMAND_NAME_MAX + sizeof " LONG"];
	struct command command = {0};
	bool is_long;

	command_feed(&command, text, strlen(text));
	if (!command_parse_press(&command, name, &is_long))
		return "";
	return is_long ? strcat(name, " LONG") : name;
}

TEST("a PRESS has the name of a button")
{
	CHECK_TEXT(press("PRESS door\n"), "door");
	CHECK_TEXT(press(" press  Door-2 \r\n"), "door-2");
	CHECK_TEXT(press("PRESS\n"), "");
	CHECK_TEXT(press("PRESS door bell\n"), "");
	CHECK_TEXT(press("press door  long \n"), "door LONG");
	CHECK_TEXT(press("PRESS long LONG\n"), "long LONG");
	CHECK_TEXT(press("PRESS long\n"), "long");
	CHECK_TEXT(press("PRESS door LONGER\n"), "");
	CHECK_TEXT(press("PRESS door LONG LONG\n"), "");
	CHECK_TEXT(press("PRESS LONG LONG LONG\n"), "");
	CHECK_TEXT(press("PRESS list\n"), "");
	CHECK_TEXT(press("PRESS abcd                                                      \n"),
		"abcd");
	CHECK_TEXT(
		press("PRESS abcd                                                       \n"), "");
	CHECK_TEXT(press("PRESS a/b\n"), "");
	CHECK_TEXT(press("PRESSdoor\n"), "");
	CHECK_TEXT(press("PRESS door\nPRESS door\n"), "");
	CHECK_TEXT(press("LED ON\n"), "");
	CHECK_TEXT(MEANING("PRESS door\n"), UNKNOWN);
}

TEST("the log sees printable ASCII only")
{
	struct command command = {0}, long_one = {0};
	char quoted[COMMAND_QUOTE_MAX];

	command_feed(&command, "a\"b\\\x1b[31m\xfe\r\n", 12);
	CHECK_TEXT(command_quote(&command, quoted), "a\\x22b\\x5c\\x1b[31m\\xfe");
	command = (struct command){0};
	command_feed(&command, "\x1f ~\x7f\n", 5);
	CHECK_TEXT(command_quote(&command, quoted), "\\x1f ~\\x7f");
	for (int i = 0; i < 70; i++)
		command_feed(&long_one, "\x01", 1);
	CHECK(strlen(command_quote(&long_one, quoted)) == (COMMAND_MAX + 1) * 4);
}

/* What the bytes say of a contact, as it is written, or "". */
static const char *contact(const char *text)
{
	static char written[COMMAND_MAX + 1];
	struct command command = {0};
	struct contact_report report;

	command_feed(&command, text, strlen(text));
	if (!command_parse_contact(&command, &report))
		return "";
	CHECK(command_write_contact(&report, written) == strlen(written));
	return written;
}

TEST("CONTACT, a name, and how the contact is; an LED may be called contact")
{
	CHECK_TEXT(contact("CONTACT door ON\n"), "CONTACT door ON");
	CHECK_TEXT(contact(" contact\tDoor-2  off \r\n"), "CONTACT door-2 OFF");
	CHECK_TEXT(contact("CONTACT door Gone"), "CONTACT door GONE");
	CHECK_TEXT(contact("CONTACT contact ON\n"), "CONTACT contact ON");
	CHECK_TEXT(contact("CONTACT abcdefghijklmnop GONE\n"), "CONTACT abcdefghijklmnop GONE");
	CHECK_TEXT(contact("CONTACT abcdefghijklmnopq ON\n"), "");
	CHECK_TEXT(contact("CONTACT\n"), "");
	CHECK_TEXT(contact("CONTACT ON\n"), "");
	CHECK_TEXT(contact("CONTACT door\n"), "");
	CHECK_TEXT(contact("CONTACT door TOGGLE\n"), "");
	CHECK_TEXT(contact("CONTACT door ON ON\n"), "");
	CHECK_TEXT(contact("CONTACT door ON #key\n"), "");
	CHECK_TEXT(contact("CONTACT on ON\n"), "");
	CHECK_TEXT(contact("CONTACT a/b ON\n"), "");
	CHECK_TEXT(contact("CONTACTdoor ON\n"), "");
	CHECK_TEXT(contact("CONTACT door ON\nCONTACT door ON\n"), "");
	CHECK_TEXT(contact("LED door ON\n"), "");
	CHECK_TEXT(contact("CONTACT door ON                                                 \n"),
		"CONTACT door ON");
	CHECK_TEXT(
		contact("CONTACT door ON                                                  \n"), "");
	CHECK_TEXT(MEANING("LED contact ON\n"), "LED contact ON");
}

TAP_MAIN
