/* SPDX-License-Identifier: MIT */

/* HTTP's Basic authentication: base64, and a comparison in constant time. */

#include "password.h"

#include <string.h>
#include <strings.h>

const char *password_check(const char *text)
{
	const char *colon = strchr(text, ':');

	if (!colon || colon == text || !colon[1])
		return "the first line has to be USER:PASSWORD";
	if (strlen(text) > PASSWORD_MAX)
		return "USER:PASSWORD has at most 255 bytes";
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return "there is a control character in USER:PASSWORD";
	return NULL;
}

/* Returns the value of a digit of base64, or -1. */
static int digit(char c)
{
	static const char DIGITS[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found = c ? strchr(DIGITS, c) : NULL;

	return found ? (int)(found - DIGITS) : -1;
}

/*
 * Decodes base64.
 *
 * bytes: filled up with NULs
 * Returns whether it is base64, and not too long.
 */
static bool decode(const char *text, char bytes[PASSWORD_MAX + 1])
{
	unsigned bits = 0, n_bits = 0;
	size_t n = 0;

	memset(bytes, 0, PASSWORD_MAX + 1);
	for (; digit(*text) >= 0; text++) {
		bits = bits << 6 | (unsigned)digit(*text);
		n_bits += 6;
		if (n_bits < 8)
			continue;
		n_bits -= 8;
		if (n == PASSWORD_MAX)
			return false;
		bytes[n++] = (char)(bits >> n_bits & 0xff);
	}
	text += strspn(text, "=");
	text += strspn(text, " \t");
	return !*text && !memchr(bytes, '\0', n);
}

bool password_is_right(const char *header, const char *password)
{
	static const char BASIC[] = "Basic ";
	char got[PASSWORD_MAX + 1], wanted[PASSWORD_MAX + 1] = {0};
	bool is_readable = strncasecmp(header, BASIC, strlen(BASIC)) == 0;
	volatile unsigned char different = 0;

	if (is_readable) {
		header += strlen(BASIC);
		is_readable = decode(header + strspn(header, " "), got);
	}
	if (!is_readable)
		return false;
	memcpy(wanted, password, strnlen(password, PASSWORD_MAX));
	for (size_t i = 0; i < sizeof got; i++)
		different = different | (unsigned char)(got[i] ^ wanted[i]);
	explicit_bzero(got, sizeof got);
	explicit_bzero(wanted, sizeof wanted);
	return !different;
}
