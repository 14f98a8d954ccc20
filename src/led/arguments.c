/* SPDX-License-Identifier: MIT */

/* The command line of led: what its words ask for, and whom. */

#include "arguments.h"

#include <stdio.h>
#include <string.h>

static const char NO_COMMAND[] = "which command? led --help has them all";
static const char UNKNOWN[] = "no such command: led --help has them all";

static void feed(struct command *command, const char *text)
{
	command_feed(command, text, strlen(text));
}

/*
 * Takes an option, if argv[0] is one.
 *
 * used: set to the number of arguments that it has
 * Returns NULL, or what is wrong with it.
 */
static const char *take_option(char *const argv[], struct arguments *arguments, unsigned *used)
{
	const char *option = argv[0];

	*used = 1;
	if (strcmp(option, "--help") == 0)
		arguments->help = true;
	else if (strcmp(option, "--version") == 0)
		arguments->version = true;
	else if (strncmp(option, "-H", 2) != 0)
		return "unrecognized option";
	else if (option[2])
		arguments->host = option + 2;
	else if ((arguments->host = argv[1]))
		*used = 2;
	else
		return "-H takes a HOST, HOST:PORT or /PATH";
	return NULL;
}

const char *arguments_read(char *const argv[], struct arguments *arguments, const char **wrong)
{
	struct command command = {0};
	bool options_end = false, has_word = false;
	const char *why;
	unsigned used;

	*arguments = (struct arguments){0};
	*wrong = NULL;
	feed(&command, "LED");
	for (argv++; *argv; argv += used) {
		used = 1;
		if (!options_end && strcmp(*argv, "--") == 0) {
			options_end = true;
		} else if (!options_end && **argv == '-') {
			why = take_option(argv, arguments, &used);
			*wrong = *argv;
			if (why)
				return why;
		} else {
			feed(&command, " ");
			feed(&command, *argv);
			has_word = true;
		}
	}
	*wrong = NULL;
	if (arguments->help || arguments->version)
		return NULL;
	if (!has_word)
		return NO_COMMAND;
	why = command_parse(&command, &arguments->request);
	/* The protocol's words begin with LED: not what is typed here. */
	return why && strstr(why, ": send ") ? UNKNOWN : why;
}

const char *arguments_read_host(const char *text, struct address *address)
{
	const char *bracket = strrchr(text, ']');
	const char *colon = strchr(bracket ? bracket : text, ':');
	char with_port[sizeof *address];

	if (*text == '/')
		return address_parse(text, address);
	if (*text && !text[strspn(text, "0123456789")])
		return "a host comes before the port, as in localhost:5555";
	if (!bracket && colon && strchr(colon + 1, ':'))
		return "an IPv6 address stands in brackets, as in [::1]:5555";
	if (colon)
		return address_parse(text, address);
	if (strlen(text) >= sizeof address->host)
		return "the host's name is too long";
	snprintf(with_port, sizeof with_port, "%s:" ARGUMENTS_PORT, text);
	return address_parse(with_port, address);
}
