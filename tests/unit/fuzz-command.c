/* SPDX-License-Identifier: MIT */

/*
 * libFuzzer: whatever bytes come, in whatever pieces, the verdict is the same and
 * nothing is read or written out of bounds.
 */

#include <stdlib.h>
#include <string.h>

#include "../../src/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *verdict(const struct command *command, uint64_t *at)
{
	enum verb verb = VERB_STATUS;
	const char *why = command_parse(command, &verb, at);

	return why ? why : verb_text(verb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct command whole = {0}, pieces = {0};
	char quoted[COMMAND_QUOTE_MAX];
	uint64_t at;
	size_t step = size > 0 ? data[0] % 7 + 1 : 1;

	command_feed(&whole, bytes, size);
	for (size_t i = 0; i < size; i += step)
		command_feed(&pieces, bytes + i, size - i < step ? size - i : step);

	if (strcmp(verdict(&whole, NULL), verdict(&pieces, NULL)) != 0 ||
		strcmp(verdict(&whole, &at), verdict(&pieces, &at)) != 0)
		abort();
	if (strlen(command_quote(&whole, quoted)) >= sizeof quoted)
		abort();
	for (const char *q = quoted; *q; q++)
		if (*q < ' ' || *q > '~')
			abort();
	return 0;
}
