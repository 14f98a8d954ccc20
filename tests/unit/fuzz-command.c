/* SPDX-License-Identifier: MIT */

/*
 * libFuzzer: whatever bytes come, in whatever pieces, the verdict is the same and
 * nothing is read or written out of bounds.
 */

#include <stdlib.h>
#include <string.h>

#include "../../src/common/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether two commands mean the same. */
static bool are_alike(const struct command *one, const struct command *other)
{
	struct request request, its;
	const char *why = command_parse(one, &request), *its_why = command_parse(other, &its);

	if (why || its_why)
		return why == its_why;
	return request.verb == its.verb && request.all == its.all &&
	       strcmp(request.name, its.name) == 0 && request.pulse_ms == its.pulse_ms &&
	       strcmp(request.key, its.key) == 0 && request.at == its.at;
}

/* Whether a request is one that the protocol has. */
static bool is_possible(const struct command *command)
{
	struct request request;
	char name[COMMAND_NAME_MAX + 1];

	if (command_parse(command, &request))
		return true;
	if (*request.name && !command_read_name(request.name, strlen(request.name), name))
		return false;
	return (request.verb == VERB_PULSE) == (request.pulse_ms > 0) &&
	       request.pulse_ms <= COMMAND_PULSE_MAX && !(request.all && *request.name);
}

static void try_bytes(const char *bytes, size_t size, size_t step, bool timed)
{
	struct command whole = {.timed = timed}, pieces = {.timed = timed};
	char quoted[COMMAND_QUOTE_MAX];

	command_feed(&whole, bytes, size);
	for (size_t i = 0; i < size; i += step)
		command_feed(&pieces, bytes + i, size - i < step ? size - i : step);

	if (!are_alike(&whole, &pieces) || !is_possible(&whole) || whole.begun != pieces.begun)
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
