/* SPDX-License-Identifier: MIT */
#include "definition.h"
#include "tap.h"

/* The reason why a text is not a definition, or "" */
static const char *problem(const char *text)
{
	struct definition definition;
	const char *why = definition_parse(text, &definition);

	return why ? why : "";
}

TEST("an LED without a name is called led")
{
	struct definition led;

	CHECK(!definition_parse("gpio:GPIO17", &led));
	CHECK_TEXT(led.name, "led");
	CHECK_TEXT(definition_name(&led), "");
	/* The descriptor store of 0.1.0 has this name. */
	CHECK_TEXT(led.label, "gpio:GPIO17");
	CHECK_TEXT(led.spec, "gpio:GPIO17");
	CHECK(led.initial == INITIAL_UNSET && led.pulse_ms == 0);
	CHECK(!definition_parse("led=gpio:GPIO17", &led));
	CHECK_TEXT(led.label, "gpio:GPIO17");
	CHECK_TEXT(definition_name(&led), "");
	CHECK(!definition_parse("gpio:chip,active-low", &led));
	CHECK_TEXT(led.label, "gpio:chip,active-low");
}

TEST("an LED with a name")
{
	struct definition led;

	CHECK(!definition_parse("kitchen-2=log", &led));
	CHECK_TEXT(led.name, "kitchen-2");
	CHECK_TEXT(definition_name(&led), "kitchen-2");
	CHECK_TEXT(led.label, "kitchen-2=log");
	CHECK_TEXT(led.spec, "log");
	/* A = after the first : is not the name's. */
	CHECK(!definition_parse("gpio:a=b", &led));
	CHECK_TEXT(definition_name(&led), "");
	CHECK_TEXT(led.spec, "gpio:a=b");
}

TEST("what is no name")
{
	static const char *const BAD[] = {"=log", "Kitchen=log", "1a=log", "a_b=log", "all=log",
		"on=log", "watch=log", "press=log", "a123456789abcdefg=log", "a b=log"};
	struct definition led;

	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
		CHECK(strstr(problem(BAD[i]), "a name is"));
	/* It is not taken for its first letters. */
	CHECK(definition_parse("kitchen_=log", &led) && !*led.name);
}

/* What an LED is, without its name: "switch,pulse=500", and whether it is momentary. */
static const char *kind(const char *text)
{
	static char words[64];
	struct definition led;

	CHECK(!definition_parse(text, &led));
	CHECK_TEXT(led.label, "log");
	snprintf(words, sizeof words, "%s,pulse=%u%s", kind_text(led.kind), led.pulse_ms,
		definition_is_momentary(&led) ? " momentary" : "");
	return words;
}

TEST("kind= says what an LED is; without it, pulse= does")
{
	CHECK_TEXT(kind("log"), "light,pulse=0");
	CHECK_TEXT(kind("log,kind=light"), "light,pulse=0");
	CHECK_TEXT(kind("log,kind=switch"), "switch,pulse=0");
	CHECK_TEXT(kind("log,pulse=500"), "switch,pulse=500 momentary");
	CHECK_TEXT(kind("log,pulse=500,kind=switch"), "switch,pulse=500 momentary");
	/* In any order; the lamp of a staircase. */
	CHECK_TEXT(kind("log,kind=light,pulse=180000"), "light,pulse=180000");
	CHECK_TEXT(kind("log,pulse=180000,kind=light"), "light,pulse=180000");
	CHECK_TEXT(problem("log,kind=lamp"), "kind is light or switch");
	CHECK_TEXT(problem("log,kind=Light"), "kind is light or switch");
	CHECK_TEXT(problem("log,kind=?"), "kind is light or switch");
	CHECK_TEXT(problem("log,kind="), "kind is light or switch");
}

TEST("initial= and pulse= are not part of the SPEC")
{
	struct definition led;

	CHECK(!definition_parse("door=gpio:GPIO5,pulse=500,active-low,initial=last", &led));
	CHECK_TEXT(led.label, "door=gpio:GPIO5,active-low");
	CHECK_TEXT(led.spec, "gpio:GPIO5,active-low");
	CHECK(led.initial == INITIAL_LAST && led.pulse_ms == 500);
	CHECK(!definition_parse("log,initial=on", &led));
	CHECK_TEXT(led.label, "log");
	CHECK(led.initial == INITIAL_ON);

	/* The hardware comes first: led_create() refuses these. */
	CHECK(!definition_parse("door=initial=on,log", &led));
	CHECK_TEXT(led.spec, "initial=on,log");
	CHECK(!definition_parse("door=,log", &led));
	CHECK_TEXT(led.spec, ",log");

	CHECK_TEXT(problem("log,puls=500"),
		"after an LED, of the words with = there may be initial=, pulse= and kind=");
	CHECK_TEXT(problem("log,initial=lit"), "initial is off, on or last");
	CHECK_TEXT(problem("log,initial="), "initial is off, on or last");
	CHECK_TEXT(problem("log,pulse=0"), "pulse= takes 1 to 3600000 milliseconds");
	CHECK_TEXT(problem("log,pulse=3600001"), "pulse= takes 1 to 3600000 milliseconds");
	CHECK_TEXT(problem("log,pulse="), "pulse= takes 1 to 3600000 milliseconds");
}

TEST("a definition that is too long is refused whole")
{
	char text[1000];

	for (size_t length = 200; length < sizeof text; length++) {
		struct definition led;
		const char *why;

		memset(text, 'x', length);
		memcpy(text, "a=gpio:", 7);
		text[length] = '\0';
		why = definition_parse(text, &led);
		CHECK(why ? strcmp(why, "too long") == 0 : strcmp(led.label, text) == 0);
		CHECK(!why == (length < DEFINITION_LABEL_MAX - 1));
	}
}

TAP_MAIN
