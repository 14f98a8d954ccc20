/* SPDX-License-Identifier: MIT */

/* What led prints of a server's line: src/led/answer.h. */

#include "fuzz.h"
#include "led/answer.h"

/* How a line begins that is an answer, and of a watch a state that is none of all LEDs. */
static struct pattern is_ok = {.text = "OK( .*)?"};
static struct pattern is_err = {.text = "ERR( .*)?"};
static struct pattern is_part = {.text = "OK (LED )?ALL [^ ]* .*"};
static struct pattern is_trouble = {.text = "ERR [A-Za-z][A-Za-z0-9-]{0,15}: .*"};
static struct pattern is_reserved = {.text = "ERR " RESERVED ": .*", .any_case = true};

/* The line as people see it: printable, without blanks at its end. */
static void clean(char *line)
{
	size_t length = strlen(line);

	while (length > 0 && strchr(" \r", line[length - 1]))
		line[--length] = '\0';
	for (char *p = line; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

static bool is_printable(const char *text, const char *others)
{
	for (; *text; text++)
		if ((*text < ' ' || *text > '~') && !strchr(others, *text))
			return false;
	return true;
}

static enum status wanted(bool watches, const char *line)
{
	if (is_like(&is_part, line))
		return STATUS_REFUSED;
	if (is_like(&is_ok, line))
		return STATUS_DONE;
	if (watches && is_like(&is_trouble, line) && !is_like(&is_reserved, line))
		return STATUS_DONE;
	return is_like(&is_err, line) ? STATUS_REFUSED : STATUS_UNKNOWN;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool watches = size > 0 && data[0] == 'w';
	char *line = text_of(data + (size > 0), size > 0 ? size - 1 : 0);
	struct answer answer;
	size_t length;

	if (strlen(line) >= ANSWER_MAX)
		line[ANSWER_MAX - 1] = '\0';
	answer_read(watches, line, &answer);
	clean(line);
	length = strlen(answer.output);
	MUST(answer.status == wanted(watches, line));
	MUST((answer.status == STATUS_DONE) == !*answer.reason);
	MUST(answer.status != STATUS_UNKNOWN || length == 0);
	MUST(length == 0 || answer.output[length - 1] == '\n');
	MUST(is_printable(answer.output, "\n") && is_printable(answer.reason, ""));
	free(line);
	return 0;
}
