/* SPDX-License-Identifier: MIT */
#include "password.h"
#include "tap.h"

TEST("the right one, written in any way")
{
	CHECK(password_is_right("Basic YW5uYTpzZWNyZXQ=", "anna:secret"));
	CHECK(password_is_right("basic  YW5uYTpzZWNyZXQ", "anna:secret"));
	CHECK(password_is_right("Basic YW5uYTpzZWNyZXQ= ", "anna:secret"));
	CHECK(password_is_right("Basic YTpi", "a:b"));
	CHECK(password_is_right("Basic YTpiOmM=", "a:b:c"));
	CHECK(password_is_right("Basic w6Q6w7Y=", "\xc3\xa4:\xc3\xb6"));
}

TEST("a wrong one, and what is none")
{
	static const char *const WRONG[] = {
		"Basic YW5uYTpzZWNyZXU=", /* anna:secreu */
		"Basic YW5uYTpzZWNyZQ==", /* anna:secre */
		"Basic YW5uYTpzZWNyZXRz", /* anna:secrets */
		"Basic YW5uYTpzZWNyZXQA", /* and a NUL after it */
		"Basic ",
		"Basic",
		"",
		"Bearer YW5uYTpzZWNyZXQ=",
		"YW5uYTpzZWNyZXQ=",
		"Basic YW5uYTpzZWNyZXQ=x",
		"Basic !",
		"Basic anna:secret",
	};

	for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
		if (password_is_right(WRONG[i], "anna:secret"))
			CHECK_TEXT(WRONG[i], "wrong");
}

TEST("one that is too long is wrong, and harms nobody")
{
	char header[8000] = "Basic ";

	memset(header + 6, 'A', sizeof header - 7);
	CHECK(!password_is_right(header, "a:b"));
	memset(header + 6, 'Y', sizeof header - 7);
	CHECK(!password_is_right(header, "a:b"));
}

TEST("the longest one")
{
	char header[6 + 344 + 1] = "Basic ", password[PASSWORD_MAX + 2];

	/* "YWFh" is "aaa", "YTph" is "a:a". */
	memcpy(header + 6, "YTph", 4);
	for (size_t i = 10; i < sizeof header - 1; i += 4)
		memcpy(header + i, "YWFh", 4);
	memset(password, 'a', sizeof password);
	password[1] = ':';
	password[PASSWORD_MAX] = '\0';
	/* It begins with the right one, and is longer. */
	CHECK(!password_check(password) && !password_is_right(header, password));
	header[6 + 340] = '\0';
	CHECK(password_is_right(header, password));
	password[PASSWORD_MAX] = 'a';
	password[PASSWORD_MAX + 1] = '\0';
	CHECK_TEXT(password_check(password), "USER:PASSWORD has at most 255 bytes");
}

TEST("what may be set")
{
	CHECK(!password_check("anna:secret") && !password_check("a:b:c"));
	CHECK(password_check("") && password_check("anna") && password_check("anna:"));
	CHECK(password_check(":secret") && password_check("anna:a\tb"));
}

int main(void)
{
	return tap_run();
}
