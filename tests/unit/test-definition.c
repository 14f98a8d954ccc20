/* SPDX-License-Identifier: MIT */
#include "../../src/led-line/definition.h"
#include "tap.h"

/* The reason why a text is not a definition, or "" */
static const char *problem(const char *text)
{
	struct definition definition;
	const char *why = definition_parse(text, &definition);

	return why ? why : "";
}

static void without_a_name(void)
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

static void with_a_name(void)
{
	struct definition led;

	CHECK(!definition_parse("kitchen-2=log", &led));
	CHECK_TEXT(led.name, "kitchen-2");
	CHECK_TEXT(definition_name(&led), "kitchen-2");
	CHECK_TEXT(led.label, "kitchen-2=log");
	CHECK_TEXT(led.spec, "log");
	/* A = behind the first : is not the name's. */
	CHECK(!definition_parse("gpio:a=b", &led));
	CHECK_TEXT(definition_name(&led), "");
	CHECK_TEXT(led.spec, "gpio:a=b");
}

static void names_that_are_none(void)
{
	static const char *const BAD[] = {"=log", "Kitchen=log", "1a=log", "a_b=log", "all=log",
		"on=log", "watch=log", "press=log", "a123456789abcdefg=log", "a b=log"};

	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
		CHECK(strstr(problem(BAD[i]), "a name is"));
}

static void options(void)
{
	struct definition led;

	CHECK(!definition_parse("door=gpio:GPIO5,pulse=500,active-low,initial=last", &led));
	CHECK_TEXT(led.label, "door=gpio:GPIO5,active-low");
	CHECK_TEXT(led.spec, "gpio:GPIO5,active-low");
	CHECK(led.initial == INITIAL_LAST && led.pulse_ms == 500);
	CHECK(!definition_parse("log,initial=on", &led));
	CHECK_TEXT(led.label, "log");
	CHECK(led.initial == INITIAL_ON);

	CHECK_TEXT(problem("log,initial=lit"), "initial is off, on or last");
	CHECK_TEXT(problem("log,initial="), "initial is off, on or last");
	CHECK_TEXT(problem("log,pulse=0"), "pulse= takes 1 to 3600000 milliseconds");
	CHECK_TEXT(problem("log,pulse=3600001"), "pulse= takes 1 to 3600000 milliseconds");
	CHECK_TEXT(problem("log,pulse="), "pulse= takes 1 to 3600000 milliseconds");
}

static void long_ones(void)
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

TAP_MAIN({"an LED without a name is called led", without_a_name},
	{"an LED with a name", with_a_name}, {"what is no name", names_that_are_none},
	{"initial= and pulse= are not part of the SPEC", options},
	{"a definition that is too long is refused whole", long_ones})
