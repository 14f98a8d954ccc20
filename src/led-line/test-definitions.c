/* SPDX-License-Identifier: MIT */
#include "definitions.h"
#include "tap.h"

#define NAME                                                                                       \
	"a name is a small letter and up to 15 small letters, digits and hyphens, and no word of " \
	"the protocol"
#define SPEC "an LED is gpio:LINE, gpio:CHIP/OFFSET, leds:NAME or log"
#define TWICE "another LED has this name; one without a name is called led"
#define BLANK "no blank may stand before a comma"
#define COMMENT "no comment may stand after a value; or is a quote not closed?"
#define QUOTE "is a quote not closed, or one too many?"
#define MANY "too many LEDs: there may be 32"

static struct definitions definitions;
static char words[4096];

/* What is wrong with each of some words, one after the other: "it; it". */
static const char *add(const char *text)
{
	static char errors[8192];
	char *rest = words, *word;

	definitions_free(&definitions);
	memset(&definitions, 0, sizeof definitions);
	strcpy(words, text);
	*errors = '\0';
	while ((word = strsep(&rest, " "))) {
		const char *why = definitions_add(&definitions, word);

		if (why)
			sprintf(errors + strlen(errors), "%s%s", *errors ? "; " : "", why);
	}
	return errors;
}

/* The LEDs that there are, each that is wrong with its reason: "door kitchen(reason)"; and " ?". */
static const char *leds(void)
{
	static char all[LEDS_MAX * (LED_WHY_MAX + 32)];

	*all = '\0';
	for (unsigned i = 0; i < definitions.n; i++) {
		const struct definition *definition = &definitions.list[i];
		const char *wrong = definition->wrong;

		CHECK(*wrong || definitions.leds[i]);
		sprintf(all + strlen(all), *wrong ? "%s%s(%s)" : "%s%s", i > 0 ? " " : "",
			definition->name, wrong);
	}
	if (definitions.left_out)
		strcat(all, " ?");
	return all;
}

TEST("which LEDs there are, which are wrong, and what is said")
{
	static const struct {
		const char *text, *leds, *errors;
	} ROWS[] = {
		{"log", "led", ""},
		{"log kitchen=log,pulse=5 door=gpio:GPIO17", "led kitchen door", ""},
		/* A wrong SPEC: there is such an LED. */
		{"kitchen=gpio17 door=log",
			"kitchen(a setting is wrong: kitchen=gpio17: " SPEC ") door", SPEC},
		{"gpio17", "led(a setting is wrong: LED=gpio17: " SPEC ")", SPEC},
		{"led=gpio17", "led(a setting is wrong: led=gpio17: " SPEC ")", SPEC},
		{"a=", "a(a setting is wrong: a=: " SPEC ")", SPEC},
		{"a=log,initial=lit",
			"a(a setting is wrong: a=log,initial=lit: initial is off, on or last)",
			"initial is off, on or last"},
		/* No name, or another's: there is none. */
		{"Kitchen=log door=log =log on=log 1=log", "door ?",
			NAME "; " NAME "; " NAME "; " NAME},
		{"a=log b=log a=leds:x", "a b ?", TWICE},
		{"a=log b=log c=log b=log", "a b c ?", TWICE},
		{"", "led(a setting is wrong: LED=: " SPEC ")", SPEC},
		{"log led=log", "led ?", TWICE},
		{"a=x a=log", "a(a setting is wrong: a=x: " SPEC ") ?", SPEC "; " TWICE},
		/* What is no LED makes the one before wrong. */
		{"a=log b=gpio:x ,active-low c=log",
			"a b(a setting is wrong: b=gpio:x ,active-low: " BLANK ") c", BLANK},
		{"gpio:x ,active-low", "led(a setting is wrong: LED=gpio:x ,active-low: " BLANK ")",
			BLANK},
		{",active-low a=log", "a ?", BLANK},
		{"\"a=log b=log\"", "b(a setting is wrong: b=log\": " QUOTE ") ?",
			QUOTE "; " QUOTE},
		{"\"a=log b=log", "b ?", QUOTE},
		{"a=log ,x ,y", "a(a setting is wrong: a=log ,x: " BLANK ")", BLANK "; " BLANK},
		/* Not the one before that, if that before is left out. */
		{"a=log B=log ,x", "a ?", NAME "; " BLANK},
		{"a=log a=log ,x", "a ?", TWICE "; " BLANK},
		/* Only names are in force after a comment. */
		{"log # the lamp", "led(a setting is wrong: LED=log #: " COMMENT ")", COMMENT},
		{"a=log #the log door=log log",
			"a(a setting is wrong: a=log #the: " COMMENT ") door led", COMMENT},
		{"a=log # an \"old\" lamp ,x b=log",
			"a(a setting is wrong: a=log #: " COMMENT ") b", COMMENT},
		{"# log", " ?", COMMENT},
		{"#a=log b=log", "b ?", COMMENT},
		/* Quotes, and the lines after one that is not closed. */
		{"a=log LED_INITIAL=on", "a(a setting is wrong: a=log LED_INITIAL=on: " QUOTE ")",
			QUOTE},
		{"log LED=log", "led(a setting is wrong: LED=log LED=log: " QUOTE ") ?", QUOTE},
		{"log \"a=log b=log", "led(a setting is wrong: LED=log \"a=log: " QUOTE ") b ?",
			QUOTE},
		{"log 'a=log", "led(a setting is wrong: LED=log 'a=log: " QUOTE ") ?", QUOTE},
		{"log ,x \"a=log", "led(a setting is wrong: LED=log ,x: " BLANK ") ?",
			BLANK "; " QUOTE},
		/* One that has a name is an LED itself, and wrong. */
		{"a=log\" b=log", "a(a setting is wrong: a=log\": " QUOTE ") b", QUOTE},
		{"a=log b=log\" c=log",
			"a(a setting is wrong: a=log b=log\": " QUOTE
			") b(a setting is wrong: b=log\": " QUOTE ") c",
			QUOTE},
		{"a=log B=log\"", "a(a setting is wrong: a=log B=log\": " QUOTE ") ?", QUOTE},
		{"a=log b=log a=log' c=log", "a b(a setting is wrong: b=log a=log': " QUOTE ") c ?",
			QUOTE},
		{"a=x' ,x", "a(a setting is wrong: a=x' ,x: " BLANK ")", QUOTE "; " BLANK},
		{"\"log\"", "led(a setting is wrong: LED=\"log\": " QUOTE ")", QUOTE},
		{"a=leds:it's", "a", ""},
		/* A password is quoted nowhere. */
		{"a=mqtt://me:s3cret@host", "a(a setting is wrong: a: " SPEC ")", SPEC},
	};

	for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
		CHECK_TEXT(add(ROWS[i].text), ROWS[i].errors);
		CHECK_TEXT(leds(), ROWS[i].leds);
	}
}

TEST("the 33rd is left out, whether the others are right or wrong")
{
	for (unsigned n = LEDS_MAX - 1; n <= LEDS_MAX + 2; n++) {
		char text[4096] = "x0=x";

		for (unsigned i = 1; i < n; i++)
			sprintf(text + strlen(text), " x%u=log", i);
		CHECK_TEXT(add(text), n <= LEDS_MAX       ? SPEC
				      : n == LEDS_MAX + 1 ? SPEC "; " MANY
							  : SPEC "; " MANY "; " MANY);
		CHECK(definitions.n == (n < LEDS_MAX ? n : LEDS_MAX));
		CHECK(definitions.left_out == (n > LEDS_MAX));
		/* Its stray words make nobody else wrong. */
		strcat(text, " ,x");
		add(text);
		CHECK(!*definitions.list[LEDS_MAX - 1].wrong == (n != LEDS_MAX));
		/* A quote after it does not make it one more. */
		strcat(text, " y=log'");
		add(text);
		CHECK(definitions.n == LEDS_MAX);
	}
}

TEST("an answer is not too long, with the LED's name before it, too")
{
	char text[1000];

	for (size_t length = 20; length < 900; length++) {
		memset(text, 'x', length);
		memcpy(text, "a-long-name-abcd=", 17);
		text[length] = '\0';
		add(text);
		CHECK(definitions.n == 1);
		CHECK(strlen(definitions.list[0].wrong) <= 199 - strlen("ERR a-long-name-abcd: "));
		CHECK(strstr(definitions.list[0].wrong, length < 200 ? SPEC : "too long") ||
			length < 260);
	}
}

TEST("what stays in the store while a setting is wrong")
{
	static const struct {
		const char *stored;
		bool stays;
	} ROWS[] = {
		{"line-kitchen=gpio_GPIO5", true},
		{"state-kitchen=gpio_GPIO5", true},
		{"line-gpio_GPIO1", true},
		{"line-door=gpio_GPIO1", true},
		{"line-door=gpio_GPIO177,active-low", true},
		{"line-door=gpio_GPIO17x", true},
		/* Of a line that a right LED needs, whatever else it was. */
		{"line-gpio_GPIO17", false},
		{"line-gpio_GPIO17,active-low", false},
		{"line-kitchen=gpio_GPIO17", false},
		{"line-kitchen=gpio_GPIO17,active-low,pull-up", false},
		{"line-x=gpio_/dev/a_b/3", false},
		{"line-x=gpio_/dev/a%_b/3,active-low", false},
		/* Its record holds no line. */
		{"state-kitchen=gpio_GPIO17", true},
		/* The wrong one needs no line. */
		{"line-wrong=gpio_GPIO3", true},
		/* Of a newer version. */
		{"other-x", false},
		{"", false},
	};

	add("lamp=gpio:GPIO17,pull-up x=gpio:/dev/a_b/3 wrong=gpio:GPIO3,x");
	for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
		CHECK(definitions_keeps(&definitions, ROWS[i].stored) == ROWS[i].stays);
	definitions_free(&definitions);
}

TAP_MAIN
