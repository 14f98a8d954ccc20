/* SPDX-License-Identifier: MIT */
#include "tap.h"
#include "text.h"

TEST("texts for people are checked")
{
	static const char *const GOOD[] = {"", "x", "Garden shed", "K\xc3\xbc\x63he",
		"\xe2\x82\xac", "\xf0\x9f\x92\xa1", "\"\\", "\xed\x9f\xbf", "\xc2\xa0"};
	static const char *const BAD[] = {"\n", "a\x7f", "\x80", "\xc3", "\xc0\x80", "\xc2\x85",
		"\xe0\x80\x80", "\xe2\x82", "\xe2\x82x", "\xed\xa0\x80", "\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", "\xff"};
	char text[TEXT_MAX + 2];

	for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
		CHECK(!text_check(GOOD[i]));
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
		CHECK(text_check(BAD[i]));
	memset(text, 'x', sizeof text);
	text[TEXT_MAX + 1] = '\0';
	CHECK(text_check(text));
	text[TEXT_MAX] = '\0';
	CHECK(!text_check(text));
}

TEST("a text of somebody else is printable in a message, and has an end")
{
	char copy[8];

	CHECK_TEXT(text_printable("", copy, sizeof copy), "");
	CHECK_TEXT(text_printable("1234567", copy, sizeof copy), "1234567");
	CHECK_TEXT(text_printable("12345678", copy, sizeof copy), "1234...");
	CHECK_TEXT(text_printable("\033[1m\n\xc3\xa4", copy, sizeof copy), "?[1m???");
	CHECK_TEXT(text_printable("12345", copy, 4), "...");
}

TEST("what may hold a secret is not quoted")
{
	char copy[40];

	CHECK_TEXT(text_quote("mqtt://me:s3cret@pi", copy, sizeof copy), "...");
	CHECK_TEXT(text_quote("pi:5555", copy, sizeof copy), "pi:5555");
	CHECK_TEXT(text_quote("me@pi:5555", copy, sizeof copy), "me@pi:5555");
}

TEST("a list has whole entries, and room for how many it has not")
{
	char list[11 + TEXT_MORE_MAX] = "";

	CHECK(text_add(list, sizeof list, "", "12345"));
	CHECK(!text_add(list, sizeof list, ", ", "67890"));
	CHECK(text_add(list, sizeof list, ", ", "6789"));
	CHECK(!text_add(list, sizeof list, "", "0"));
	CHECK_TEXT(list, "12345, 6789");
	CHECK(sizeof ", and 4294967295 more" <= TEXT_MORE_MAX);
}

int main(void)
{
	return tap_run();
}
