/* SPDX-License-Identifier: MIT */
#include "arguments.h"

#include "tap.h"

static struct arguments arguments;
static const char *wrong;

/* Reads a command line: words with '|' between them, or NULL for none. */
static const char *read_words(const char *words)
{
	static char text[200];
	char *argv[20] = {text};
	unsigned n = 1;

	snprintf(text, sizeof text, "led|%s", words ? words : "");
	for (char *p = text; words && (p = strchr(p, '|')); n++) {
		*p++ = '\0';
		argv[n] = p;
	}
	return arguments_read(argv, &arguments, &wrong);
}

/* The command that is sent, or what is wrong. */
static const char *sent(const char *words)
{
	static char text[COMMAND_MAX + 1];
	const char *why = read_words(words);

	if (why)
		return why;
	command_write(&arguments.request, text);
	return text;
}

TEST("words are the protocol's, without its LED")
{
	static const struct {
		const char *words, *sent;
	} COMMANDS[] = {
		{"on", "LED ON"},
		{"OFF", "LED OFF"},
		{"Toggle", "LED TOGGLE"},
		{"status", "LED STATUS"},
		{"list", "LED LIST"},
		{"list|kinds", "LED LIST KINDS"},
		{"watch", "LED WATCH"},
		{"kitchen|toggle", "LED kitchen TOGGLE"},
		{"Kitchen|watch", "LED kitchen WATCH"},
		{"all|off", "LED ALL OFF"},
		{"door|pulse|500", "LED door PULSE 500"},
		{"toggle|#abc1", "LED TOGGLE #abc1"},
		{"door|pulse|500|#k", "LED door PULSE 500 #k"},
		{"led|on", "LED led ON"},
		{"kitchen on", "LED kitchen ON"},
		{" kitchen  |on ", "LED kitchen ON"},
		{"--|on", "LED ON"},
	};

	for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++)
		CHECK_TEXT(sent(COMMANDS[i].words), COMMANDS[i].sent);
}

TEST("wrong words are no command")
{
	static const char UNKNOWN[] = "no such command: led --help has them all";

	CHECK_TEXT(sent(NULL), "which command? led --help has them all");
	CHECK_TEXT(sent("--"), "which command? led --help has them all");
	CHECK_TEXT(sent("-H|pi"), "which command? led --help has them all");
	CHECK_TEXT(sent(""), UNKNOWN);
	CHECK_TEXT(sent("one"), UNKNOWN);
	CHECK_TEXT(sent("kitchen"), UNKNOWN);
	CHECK_TEXT(sent("kitchen|list"), UNKNOWN);
	CHECK_TEXT(sent("on|off"), UNKNOWN);
	CHECK_TEXT(sent("press|door"), UNKNOWN);
	CHECK_TEXT(sent("on|#abc"), UNKNOWN);
	CHECK_TEXT(sent("toggle|@1"), UNKNOWN);
	CHECK_TEXT(sent("--|-H|pi|on"), UNKNOWN);
	CHECK_TEXT(sent("all|toggle"), "LED ALL takes ON and OFF");
	CHECK_TEXT(sent("pulse"), "LED PULSE takes 1 to 3600000 milliseconds");
	CHECK_TEXT(sent("pulse|1s"), "LED PULSE takes 1 to 3600000 milliseconds");
	CHECK_TEXT(sent("on\nLED off"), "more than one command: a connection carries one");
	CHECK(!wrong);
}

TEST("a command has at most 64 bytes, with its LED")
{
	char fits[] = "on                                                          ";
	char longer[] = "on                                                           ";

	CHECK(strlen("LED ") + strlen(fits) == COMMAND_MAX);
	CHECK_TEXT(sent(fits), "LED ON");
	CHECK_TEXT(sent(longer), "command too long: it has at most 64 bytes");
}

TEST("options stand before, between and after the words")
{
	CHECK_TEXT(sent("-H|pi|kitchen|on"), "LED kitchen ON");
	CHECK_TEXT(arguments.host, "pi");
	CHECK_TEXT(sent("kitchen|-Hpi:5556|on"), "LED kitchen ON");
	CHECK_TEXT(arguments.host, "pi:5556");
	CHECK_TEXT(sent("on|-H|/run/x"), "LED ON");
	CHECK_TEXT(arguments.host, "/run/x");
	CHECK_TEXT(sent("on|-H|"), "LED ON");
	CHECK_TEXT(arguments.host, "");
	CHECK_TEXT(sent("-H|a|on|-H|b"), "LED ON");
	CHECK_TEXT(arguments.host, "b");
	CHECK_TEXT(sent("on"), "LED ON");
	CHECK(!arguments.host && !arguments.help && !arguments.version);
}

TEST("wrong options are named")
{
	CHECK_TEXT(sent("on|-H"), "-H takes a HOST, HOST:PORT or /PATH");
	CHECK_TEXT(wrong, "-H");
	CHECK_TEXT(sent("-x|on"), "unrecognized option");
	CHECK_TEXT(wrong, "-x");
	CHECK_TEXT(sent("on|--host=pi"), "unrecognized option");
	CHECK_TEXT(wrong, "--host=pi");
	CHECK_TEXT(sent("-|on"), "unrecognized option");
	CHECK_TEXT(wrong, "-");
}

TEST("help and version need no command")
{
	CHECK(!read_words("--help") && arguments.help);
	CHECK(!read_words("on|--help") && arguments.help);
	CHECK(!read_words("--version") && arguments.version);
	CHECK(!wrong);
}

/* The address as it is read, or what is wrong. */
static const char *host(const char *text)
{
	static char written[ADDRESS_TEXT_MAX];
	struct address address;
	const char *why = arguments_read_host(text, &address);

	return why ? why : address_text(&address, written);
}

TEST("a host without a port has 5555")
{
	CHECK_TEXT(host("pi"), "pi:5555");
	CHECK_TEXT(host("pi.local"), "pi.local:5555");
	CHECK_TEXT(host("192.0.2.1"), "192.0.2.1:5555");
	CHECK_TEXT(host("[fe80::1%eth0]"), "[fe80::1%eth0]:5555");
}

TEST("a host with a port, and a path, are as they are")
{
	CHECK_TEXT(host("pi:80"), "pi:80");
	CHECK_TEXT(host("[::1]:80"), "[::1]:80");
	CHECK_TEXT(host("/run/led/line.sock"), "/run/led/line.sock");
	CHECK_TEXT(host("/a:b"), "/a:b");
}

TEST("what is no host is said")
{
	static const char BRACKETS[] = "an IPv6 address stands in brackets, as in [::1]:5555";
	char name[300];

	CHECK_TEXT(host("5556"), "a host comes before the port, as in localhost:5555");
	CHECK_TEXT(host("::1"), BRACKETS);
	CHECK_TEXT(host("fe80::abcd"), BRACKETS);
	CHECK_TEXT(host("pi:x"), "a port is a number from 1 to 65535");
	CHECK_TEXT(host("pi:"), "a port is a number from 1 to 65535");
	CHECK_TEXT(host("http://pi"), "an address is /path, HOST:PORT, [IPv6]:PORT or PORT");
	CHECK_TEXT(host(""), "an address is /path, HOST:PORT, [IPv6]:PORT or PORT");
	memset(name, 'a', sizeof name);
	for (size_t length = 250; length < sizeof name - 1; length++) {
		name[length] = '\0';
		CHECK((strcmp(host(name), "the host's name is too long") == 0) == (length > 255));
		name[length] = 'a';
	}
	*name = '/';
	name[sizeof name - 1] = '\0';
	CHECK_TEXT(host(name), "the path is too long for a UNIX socket");
}

TAP_MAIN
