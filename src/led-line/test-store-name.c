/* SPDX-License-Identifier: MIT */
#include "store-name.h"
#include "tap.h"

static const char *name_of(enum store_item item, const char *spec)
{
	static char name[STORE_NAME_MAX];

	CHECK(store_name(item, spec, name));
	return name;
}

static const char *old_name_of(enum store_item item, const char *spec)
{
	static char name[STORE_NAME_MAX];

	store_old_name(item, spec, name);
	return name;
}

TEST("names, and what 0.1.0 to 0.4.1 called them")
{
	static const struct {
		const char *spec, *name, *old;
	} ROWS[] = {
		{"log", "line-log", "line-log"},
		{"leds:ACT", "line-leds_ACT", "line-leds_ACT"},
		{"door=gpio:0/17,active-low", "line-door=gpio_0/17,active-low",
			"line-door=gpio_0/17,active-low"},
		{"gpio:GPIO_GCLK", "line-gpio_GPIO%_GCLK", "line-gpio_GPIO_GCLK"},
		{"leds:a b", "line-leds_a b", "line-leds_a b"},
		{"leds:a:b%", "line-leds_a%3ab%%", "line-leds_a_b%"},
		{"leds:\xc3\xa4\x7f\t~", "line-leds_%c3%a4%7f%09~", "line-leds_____~"},
	};

	for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
		CHECK_TEXT(name_of(STORE_LINE, ROWS[i].spec), ROWS[i].name);
		CHECK_TEXT(old_name_of(STORE_LINE, ROWS[i].spec), ROWS[i].old);
	}
	CHECK_TEXT(name_of(STORE_STATE, "log"), "state-log");
}

TEST("another SPEC makes another name")
{
	/* All texts of four of these characters. */
	static const char CHARACTERS[] = ":_%a3f\xff\n";
	enum { N = sizeof CHARACTERS - 1, TEXTS = N * N * N * N };
	static char names[TEXTS][STORE_NAME_MAX];
	static char texts[TEXTS][5];

	for (unsigned i = 0; i < TEXTS; i++) {
		for (unsigned j = 0, rest = i; j < 4; j++, rest /= N)
			texts[i][j] = CHARACTERS[rest % N];
		CHECK(store_name(STORE_LINE, texts[i], names[i]));
	}
	for (unsigned i = 0; i < TEXTS; i += 7)
		for (unsigned j = 0; j < TEXTS; j++)
			if ((strcmp(names[i], names[j]) == 0) !=
				(strcmp(texts[i], texts[j]) == 0)) {
				CHECK(false);
				return;
			}
}

TEST("a name has a valid form and at most 255 bytes")
{
	char spec[STORE_NAME_MAX + 1], name[STORE_NAME_MAX];

	memset(spec, 'a', sizeof spec);
	spec[255 - 5] = '\0';
	CHECK(store_name(STORE_LINE, spec, name) && strlen(name) == 255);
	CHECK(!store_name(STORE_STATE, spec, name));
	spec[0] = '_';
	CHECK(!store_name(STORE_LINE, spec, name));
	spec[255 - 6] = '\0';
	CHECK(store_name(STORE_LINE, spec, name) && strlen(name) == 255);
	for (int c = 1; c < 256; c++) {
		const char text[2] = {(char)c, '\0'};

		for (const char *p = name_of(STORE_LINE, text); *p; p++)
			CHECK(*p > ' ' - 1 && *p <= '~' && *p != ':');
	}
}

TEST("which names are led-line's")
{
	CHECK(store_name_is_ours("line-x") && store_name_is_ours("state-x"));
	CHECK(!store_name_is_ours("lines-x") && !store_name_is_ours("led-line.socket"));
}

TEST("whose a name is: an old name is nobody's own")
{
	static const char COLON[] = "gpio:/dev/relay:1/3", UNDERSCORE[] = "gpio:/dev/relay_1/3";
	static const char OLD[] = "line-gpio_/dev/relay_1/3";

	CHECK(store_name_is("state-log", STORE_STATE, "log"));
	CHECK(!store_name_is("state-log", STORE_LINE, "log"));
	CHECK(!store_name_is("state-lo", STORE_STATE, "log"));
	/* The upgrade: what either of them had is found. */
	CHECK(store_name_is(OLD, STORE_LINE, COLON) && store_name_is(OLD, STORE_LINE, UNDERSCORE));
	/* From now on, they are two. */
	CHECK(strcmp(name_of(STORE_LINE, COLON), OLD) != 0);
	CHECK(!store_name_is(name_of(STORE_LINE, COLON), STORE_LINE, UNDERSCORE));
	CHECK(strcmp(name_of(STORE_LINE, UNDERSCORE), OLD) != 0);
	CHECK(!store_name_is(name_of(STORE_LINE, UNDERSCORE), STORE_LINE, COLON));
	CHECK(store_name_is(name_of(STORE_LINE, UNDERSCORE), STORE_LINE, UNDERSCORE));
}

TEST("which stored line a SPEC names")
{
	CHECK(store_name_is_line("line-gpio_GPIO17", "gpio:GPIO17"));
	CHECK(store_name_is_line("line-a-2=gpio_GPIO17,active-low", "gpio:GPIO17,pull-up"));
	CHECK(store_name_is_line("line-gpio_c_d/1", "gpio:c_d/1"));
	CHECK(store_name_is_line("line-gpio_c%_d/1", "gpio:c_d/1"));
	CHECK(!store_name_is_line("line-gpio_c%_d/1", "gpio:c:d/1"));
	CHECK(!store_name_is_line("line-gpio_GPIO1", "gpio:GPIO17"));
	CHECK(!store_name_is_line("line-gpio_GPIO17", "gpio:GPIO1"));
	CHECK(!store_name_is_line("state-gpio_GPIO17", "gpio:GPIO17"));
	CHECK(!store_name_is_line("line-", "gpio:GPIO17") && !store_name_is_line("", "log"));
}

TAP_MAIN
