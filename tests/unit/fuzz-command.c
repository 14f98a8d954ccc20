/* SPDX-License-Identifier: MIT */

/*
 * libFuzzer: whatever bytes come, in whatever pieces, the verdict is the same and
 * nothing is read or written out of bounds.
 */

#include <stdlib.h>
#include <string.h>

#include "../../src/common/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *verdict(const struct command *command)
{
	struct request request;
	const char *why = command_parse(command, &request);

	return why ? why : verb_text(request.verb);
}

static void try_bytes(const char *bytes, size_t size, size_t step, bool timed)
{
	struct command whole = {.timed = timed}, pieces = {.timed = timed};
	char quoted[COMMAND_QUOTE_MAX];

	command_feed(&whole, bytes, size);
	for (size_t i = 0; i < size; i += step)
		command_feed(&pieces, bytes + i, size - i < step ? size - i : step);

	if (strcmp(verdict(&whole), verdict(&pieces)) != 0 || whole.begun != pieces.begun)
		abort();
	if (strlen(command_quote(&whole, quoted)) >= sizeof quoted)
		abort();
	for (const char *q = quoted; *q; q++)
		if (*q < ' ' || *q > '~')
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t step = size > 0 ? data[0] % 7 + 1 : 1;

	try_bytes((const char *)data, size, step, false);
	try_bytes((const char *)data, size, step, true);
	return 0;
}
