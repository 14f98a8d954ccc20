/* SPDX-License-Identifier: MIT */
#include "news.h"
#include "tap.h"

#define N 4

static struct news news;
static struct showing shown[N];

static void begin(uint32_t mask)
{
	news = (struct news){.mask = mask};
	for (unsigned i = 0; i < N; i++)
		shown[i].shown = i == 2 ? SHOWN_TROUBLE : SHOWN_OFF;
}

/* The LEDs that the watcher is sent now, by their numbers. */
static const char *sent(void)
{
	static char text[64];
	size_t length = 0;
	unsigned number;

	while (length < sizeof text - 1 && news_next(&news, shown, N, &number))
		text[length++] = (char)('0' + number);
	text[length] = '\0';
	return text;
}

TEST("first each LED in its order, then each change")
{
	begin(NEWS_OF_ALL);
	CHECK_TEXT(sent(), "0123");
	CHECK_TEXT(sent(), "");
	shown[3].shown = SHOWN_ON;
	shown[1].shown = SHOWN_ON;
	CHECK_TEXT(sent(), "13");
	shown[2].shown = SHOWN_OFF;
	CHECK_TEXT(sent(), "2");
	CHECK_TEXT(sent(), "");
}

TEST("what is not known yet is nothing to send")
{
	begin(NEWS_OF_ALL);
	shown[0].shown = SHOWN_NOTHING;
	CHECK_TEXT(sent(), "123");
	shown[0].shown = SHOWN_OFF;
	CHECK_TEXT(sent(), "0");
}

TEST("a change that is undone before it is sent is none")
{
	begin(NEWS_OF_ALL);
	sent();
	shown[0].shown = SHOWN_ON;
	shown[0].shown = SHOWN_OFF;
	CHECK_TEXT(sent(), "");
}

TEST("another reason why one does not work is a change, and one of before is not")
{
	begin(NEWS_OF_ALL);
	CHECK_TEXT(sent(), "0123");
	shown[2].reason++;
	CHECK_TEXT(sent(), "2");
	CHECK_TEXT(sent(), "");
	shown[2].shown = SHOWN_ON;
	CHECK_TEXT(sent(), "2");
	shown[2].reason++;
	CHECK_TEXT(sent(), "");
}

TEST("only the LEDs of its mask")
{
	begin(1 << 0 | 1 << 3);
	CHECK_TEXT(sent(), "03");
	shown[1].shown = SHOWN_ON;
	CHECK_TEXT(sent(), "");
	begin(1 << 3);
	CHECK_TEXT(sent(), "3");
}

TEST("one that changes all the time holds up no other")
{
	unsigned number, turns[N] = {0};

	begin(NEWS_OF_ALL);
	for (unsigned i = 0; i < 2 * N; i++) {
		CHECK(news_next(&news, shown, N, &number));
		turns[number]++;
		for (unsigned j = 0; j < N; j++)
			shown[j].shown = shown[j].shown == SHOWN_ON ? SHOWN_OFF : SHOWN_ON;
	}
	for (unsigned i = 0; i < N; i++)
		CHECK(turns[i] == 2);
}

TEST("without an LED there is nothing")
{
	unsigned number;

	begin(NEWS_OF_ALL);
	CHECK(!news_next(&news, shown, 0, &number));
}

TAP_MAIN
