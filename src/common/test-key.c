/* SPDX-License-Identifier: MIT */
#include "key.h"

#include "tap.h"

TEST("a key is one of the protocol's, as long as there may be, and another one each time")
{
	struct request request = {.verb = VERB_TOGGLE}, read;
	struct command command = {0};
	char other[COMMAND_KEY_MAX + 1], text[COMMAND_MAX + 1];

	key_make(request.key);
	key_make(other);
	CHECK(strlen(request.key) == COMMAND_KEY_MAX);
	CHECK(strcmp(request.key, other) != 0);
	command_feed(&command, text, command_write(&request, text));
	CHECK(!command_parse(&command, &read));
	CHECK_TEXT(read.key, request.key);
}

TAP_MAIN
