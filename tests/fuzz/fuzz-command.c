/* SPDX-License-Identifier: MIT */

/* What comes on a connection, in whatever pieces: src/common/command.h. */

#include <strings.h>

#include "command.h"
#include "fuzz.h"

#define BLANK "[ \t]"

static struct pattern command_like = {
	.text = BLANK "*led(" BLANK "+" NAME ")?" BLANK "+(on|off|status|watch|list(" BLANK
		      "+kinds)?|toggle(" BLANK "+" KEY ")?|pulse" BLANK "+" PULSE "(" BLANK "+" KEY
		      ")?)" BLANK "*",
	.any_case = true,
};
/* A word of the protocol in the place of the name, and a name where none may be. */
static struct pattern no_name_like = {
	.text = BLANK "*led" BLANK "+((on|off|toggle|status|pulse|list|watch|press)" BLANK "+" VERB
		      "|all" BLANK "+(toggle|status|pulse|list|watch)|" NAME BLANK "+list)(" BLANK
		      ".*)?",
	.any_case = true,
};
static struct pattern press_like = {
	.text = BLANK "*press" BLANK "+" NAME "(" BLANK "+long)?" BLANK "*",
	.any_case = true,
};
static struct pattern press_no_name_like = {
	.text = BLANK "*press" BLANK "+" RESERVED BLANK "*",
	.any_case = true,
};
static struct pattern contact_like = {
	.text = BLANK "*contact" BLANK "+" NAME BLANK "+(on|off|gone)" BLANK "*",
	.any_case = true,
};
static struct pattern contact_no_name_like = {
	.text = BLANK "*contact" BLANK "+" RESERVED BLANK ".*",
	.any_case = true,
};

static bool are_alike(const struct request *one, const struct request *other)
{
	return one->verb == other->verb && one->all == other->all &&
	       strcmp(one->name, other->name) == 0 && one->pulse_ms == other->pulse_ms &&
	       strcmp(one->key, other->key) == 0 && one->kinds == other->kinds;
}

/* One blank between the words, and no zeros before a number. */
static void tidy(const char *text, char tidied[COMMAND_MAX + 1])
{
	char copy[COMMAND_MAX + 1], *rest = copy, *word;

	strcpy(copy, text);
	*tidied = '\0';
	while ((word = strsep(&rest, " \t"))) {
		if (*word)
			sprintf(tidied + strlen(tidied), "%s%s", *tidied ? " " : "",
				word + strspn(word, "0"));
	}
}

/* What the log shows of a command says each of its bytes. */
static void check_quote(const struct command *command, const char *text)
{
	char quoted[COMMAND_QUOTE_MAX];
	const char *q = command_quote(command, quoted);

	MUST(strlen(quoted) < sizeof quoted);
	for (; *text; text++) {
		char byte[3] = "";

		MUST(*q >= ' ' && *q <= '~' && *q != '"');
		if (*q == '\\') {
			MUST(q[1] == 'x' && q[2] && q[3]);
			memcpy(byte, q + 2, 2);
			MUST((char)strtoul(byte, NULL, 16) == *text);
			q += 4;
		} else {
			MUST(*q++ == *text);
		}
	}
	MUST(!*q);
}

/* With the time of its arrival after it, a command is the same. */
static void check_timed(const char *text, const char *why, const struct request *request)
{
	struct command timed = {.timed = true};
	struct request its;

	if (strpbrk(text, "\r\xff"))
		return;
	command_feed(&timed, text, strlen(text));
	command_feed(&timed, " @18446744073709551615", sizeof " @18446744073709551615");
	MUST(command_parse(&timed, &its) == why);
	MUST(its.at == UINT64_MAX);
	MUST(why || are_alike(request, &its));

	/* A larger one is no time. */
	timed = (struct command){.timed = true};
	command_feed(&timed, text, strlen(text));
	command_feed(&timed, " @18446744073709551616", sizeof " @18446744073709551616");
	MUST(command_parse(&timed, &its) && its.at == 0);
}

/* The commands for a broker. text: without its terminator */
static void check_for_broker(const struct command *command, bool is_whole, const char *text)
{
	char name[COMMAND_NAME_MAX + 1] = "", written[COMMAND_MAX + 1], tidied[COMMAND_MAX + 1];
	struct contact_report report;
	bool is_long, presses = command_parse_press(command, name, &is_long);
	bool reports = command_parse_contact(command, &report);

	MUST(presses ==
		(is_whole && is_like(&press_like, text) && !is_like(&press_no_name_like, text)));
	MUST(reports == (is_whole && is_like(&contact_like, text) &&
				!is_like(&contact_no_name_like, text)));
	if (!presses && !reports)
		return;
	tidy(text, tidied);
	if (presses)
		snprintf(written, sizeof written, "PRESS %s%s", name, is_long ? " LONG" : "");
	else
		MUST(command_write_contact(&report, written) == strlen(written));
	MUST(strcasecmp(written, tidied) == 0);
}

static void check_verdict(const struct command *command)
{
	struct request request;
	const char *why = command_parse(command, &request);
	bool is_whole = !command->too_long && !command->trailing;
	char text[COMMAND_TEXT_MAX + 1] = "", written[COMMAND_MAX + 1], tidied[COMMAND_MAX + 1];
	size_t length = command->length;

	if (length > 0 && command->text[length - 1] == '\r')
		length--;
	memcpy(text, command->text, length);
	check_quote(command, text);

	is_whole &= length <= COMMAND_MAX;
	MUST(!why == (is_whole && is_like(&command_like, text) && !is_like(&no_name_like, text)));
	check_for_broker(command, is_whole, text);
	if (is_whole)
		check_timed(text, why, &request);
	if (why)
		return;
	tidy(text, tidied);
	MUST(command_write(&request, written) == strlen(written));
	MUST(strcasecmp(written, tidied) == 0);
	MUST(strstr(tidied, request.key));
	MUST(request.at == 0 && !(request.all && *request.name));
	for (const char *p = request.name; *p; p++)
		MUST(*p < 'A' || *p > 'Z');
}

/* Whether two connections got the same. */
static bool got_the_same(const struct command *one, const struct command *other)
{
	struct request request, its;
	const char *why = command_parse(one, &request), *its_why = command_parse(other, &its);

	return why == its_why && one->begun == other->begun &&
	       (why || (are_alike(&request, &its) && request.at == its.at));
}

/* IAC NOP, IAC WILL ECHO, IAC SB TERMINAL-TYPE ... IAC SE: RFC 854. */
static const char NEGOTIATION[] = "\xff\xf1\xff\xfb\x01\xff\xfa\x18VT100\xff\xf0";

static void try_bytes(const char *bytes, size_t size, size_t step, bool timed)
{
	struct command whole = {.timed = timed}, pieces = {.timed = timed};

	command_feed(&whole, bytes, size);
	for (size_t i = 0; i < size; i += step) {
		/* Telnet's negotiation may come at any time. */
		if (pieces.telnet == TELNET_TEXT)
			command_feed(&pieces, NEGOTIATION, sizeof NEGOTIATION - 1);
		command_feed(&pieces, bytes + i, size - i < step ? size - i : step);
	}
	MUST(got_the_same(&whole, &pieces));
	if (!timed)
		check_verdict(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t step = size > 0 ? data[0] % 7 + 1 : 1;

	try_bytes((const char *)data, size, step, false);
	try_bytes((const char *)data, size, step, true);
	return 0;
}
