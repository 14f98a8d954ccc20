/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_H
#define FUZZ_H

/*
 * A fuzz target: takes any bytes, gives them to one parser, and aborts when the result is wrong.
 * The fuzzer searches for such bytes (meson's option fuzz), and tests/fuzz/replay.c tries those of
 * the corpus.
 */

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What has to be so, whatever the bytes are. */
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* The contract in regular expressions: how a name, a pulse and a key are written. */
#define NAME "[a-z][a-z0-9-]{0,15}"
#define VERB "(on|off|toggle|status|pulse|list|watch)"
#define RESERVED "(on|off|toggle|status|pulse|list|watch|all|press)"
#define PULSE "0*([1-9][0-9]{0,5}|[12][0-9]{6}|3[0-5][0-9]{5}|3600000)"
#define KEY "#[A-Za-z0-9]{1,16}"

/* An extended regular expression, for a whole text. */
struct pattern {
	const char *text;
	bool any_case;
	bool compiled;
	regex_t regex;
};

static inline bool is_like(struct pattern *pattern, const char *text)
{
	char whole[1000];

	if (!pattern->compiled) {
		snprintf(whole, sizeof whole, "^(%s)$", pattern->text);
		MUST(regcomp(&pattern->regex, whole,
			     REG_EXTENDED | REG_NOSUB | (pattern->any_case ? REG_ICASE : 0)) == 0);
		pattern->compiled = true;
	}
	return regexec(&pattern->regex, text, 0, NULL, 0) == 0;
}

/* The bytes up to the first NUL, for free(3): a sanitizer sees an access past their end. */
static inline char *text_of(const uint8_t *data, size_t size)
{
	char *text = strndup(size > 0 ? (const char *)data : "", size);

	MUST(text);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
