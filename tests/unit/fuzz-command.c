/* SPDX-License-Identifier: MIT */

/*
 * libFuzzer: whatever bytes come, in whatever pieces, the verdict is the same and
 * nothing is read or written out of bounds. The same for topics, payloads, and what is retained for
 * Home Assistant.
 */

#include <stdlib.h>
#include <string.h>

#include "../../src/common/command.h"
#include "../../src/led-mqtt/discovery.h"
#include "../../src/led-mqtt/topics.h"

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

/* Whether what comes on a topic ends as a command for one LED that led-mqtt may send. */
static bool is_possible_payload(const char *bytes, size_t size)
{
	struct request request;
	char text[COMMAND_MAX + 1];

	if (topics_read_command(bytes, size, &request))
		return true;
	if (request.all || *request.name || request.at || request.late)
		return false;
	/* Written, it means the same. */
	topics_write_command(&request, text);
	return !topics_read_command(text, strlen(text), &request);
}

static void try_topic(const char *bytes, size_t size)
{
	static const struct topics TOPICS = {"led", "pi"};
	char text[200], name[COMMAND_NAME_MAX + 1], same[TOPIC_MAX];

	if (size >= sizeof text - strlen("led/pi/"))
		return;
	/* Half of them begin as ours do. */
	strcpy(text, size % 2 ? "led/pi/" : "");
	strncat(text, bytes, size);
	switch (topics_read(&TOPICS, text, name)) {
	case TOPIC_LED:
		topics_write(&TOPICS, name, "", same);
		break;
	case TOPIC_LED_AVAILABILITY:
	case TOPIC_AVAILABILITY:
		topics_write(&TOPICS, name, "availability", same);
		break;
	case TOPIC_SET:
		topics_write(&TOPICS, name, "set", same);
		break;
	case TOPIC_GROUP_SET:
	case TOPIC_OTHER:
		return;
	}
	if (strcmp(text, same) != 0)
		abort();
}

/* Whatever is retained, only names are taken from it. */
static void try_discovery(const char *bytes, size_t size)
{
	static const char KEY[] = "{\"button_";
	char text[200], name[COMMAND_NAME_MAX + 1], same[COMMAND_NAME_MAX + 1];
	const char *end = text + size;

	if (size > sizeof text)
		return;
	memcpy(text, bytes, size);
	/* Half of them begin as ours do. */
	if (size % 2 && size > strlen(KEY))
		memcpy(text, KEY, strlen(KEY));
	for (const char *p = text; (p = discovery_next_button(p, end, name));)
		if (p <= text || p >= end || !command_read_name(name, strlen(name), same))
			abort();
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
	const char *bytes = (const char *)data;
	size_t step = size > 0 ? data[0] % 7 + 1 : 1;

	try_bytes(bytes, size, step, false);
	try_bytes(bytes, size, step, true);
	if (!is_possible_payload(bytes, size))
		abort();
	try_topic(bytes, size);
	try_discovery(bytes, size);
	return 0;
}
