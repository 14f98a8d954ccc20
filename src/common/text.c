/* SPDX-License-Identifier: MIT */

/* Texts for people: without anything unprintable. */

#include "text.h"

#include <stdio.h>
#include <string.h>

/* Returns the length of the character of UTF-8 that a text begins with, or 0 if there is none. */
static size_t utf8_length(const char *text)
{
	static const struct {
		unsigned char from, to;           /* the first byte */
		unsigned char next_from, next_to; /* the second byte */
		size_t length;
	} CHARACTERS[] = {
		{0x20, 0x7e, 0x00, 0xff, 1},
		{0xc2, 0xc2, 0xa0, 0xbf, 2}, /* without the control characters */
		{0xc3, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, /* without the surrogates */
		{0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	const unsigned char *bytes = (const unsigned char *)text;
	size_t i = 0, length;

	while (i < sizeof CHARACTERS / sizeof *CHARACTERS && bytes[0] > CHARACTERS[i].to)
		i++;
	if (i == sizeof CHARACTERS / sizeof *CHARACTERS || bytes[0] < CHARACTERS[i].from)
		return 0;
	length = CHARACTERS[i].length;
	if (bytes[1] < CHARACTERS[i].next_from || bytes[1] > CHARACTERS[i].next_to)
		return 0;
	for (i = 2; i < length; i++)
		if (bytes[i] < 0x80 || bytes[i] > 0xbf)
			return 0;
	return length;
}

const char *text_check(const char *text)
{
	static const char WHY[] = "a text has up to 128 bytes of UTF-8, and nothing unprintable";
	size_t length = 0, n;

	while (text[length]) {
		n = utf8_length(text + length);
		if (n == 0)
			return WHY;
		length += n;
	}
	return length <= TEXT_MAX ? NULL : WHY;
}

const char *text_printable(const char *text, char *copy, size_t size)
{
	size_t length = strlen(text), n = length < size ? length : size - sizeof "...";

	for (size_t i = 0; i < n; i++)
		copy[i] = (char)(text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
	strcpy(copy + n, length < size ? "" : "...");
	return copy;
}

bool text_may_be_secret(const char *text)
{
	const char *colon = strchr(text, ':');

	return colon && strchr(colon, '@');
}

const char *text_quote(const char *text, char *copy, size_t size)
{
	return text_printable(text_may_be_secret(text) ? "..." : text, copy, size);
}

bool text_add(char *list, size_t size, const char *separator, const char *entry)
{
	size_t length = strlen(list);

	if (length + strlen(separator) + strlen(entry) + TEXT_MORE_MAX > size)
		return false;
	snprintf(list + length, size - length, "%s%s", separator, entry);
	return true;
}
