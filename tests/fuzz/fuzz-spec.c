/* SPDX-License-Identifier: MIT */

/* LEDs and buttons as a person writes them: src/led-line/definition.h, hal/spec.h, hal/line.h. */

#include "contact.h"
#include "fuzz.h"
#include "led-line/definition.h"
#include "led.h"
#include "line.h"

/* Texts shorter than this break no limit of a name or a path. */
#define SHORT 60

#define PLACE "([^,/]+|[^,]+/[0-9]{1,9})"

static struct pattern name_like = {.text = NAME};
static struct pattern reserved_like = {.text = RESERVED};
static struct pattern pulse_like = {.text = PULSE};
static struct pattern initial_like = {.text = "on|off|last"};
static struct pattern kind_like = {.text = "light|switch"};
static struct pattern led_like = {
	.text = "log|leds:[^./][^/]*|gpio:" PLACE
		"(,(active-low|active-high|open-drain|open-source|pull-up|pull-down))*",
};
static struct pattern button_like = {
	.text = "fifo:.+|input:[^,]+(,[^,]+)?(,grab)?|gpio:" PLACE
		"(,(active-low|active-high|pull-up|pull-down|pull-off))*",
};
/* An offset of ten digits may be too large. */
static struct pattern large_offset_like = {.text = "gpio:[^,]*/[0-9]{10,}(,.*)?"};

static bool has_both(const char *text, const char *one, const char *other)
{
	return strstr(text, one) && strstr(text, other);
}

static bool contradicts_itself(const char *text)
{
	return strncmp(text, "gpio:", 5) == 0 &&
	       (has_both(text, ",active-low", ",active-high") ||
		       has_both(text, ",open-drain", ",open-source") ||
		       has_both(text, ",pull-up", ",pull-down") ||
		       has_both(text, ",pull-up", ",pull-off") ||
		       has_both(text, ",pull-down", ",pull-off"));
}

/* A line that is written with all its words, and read again, is the same. */
static void check_line(const char *text, enum line_use use)
{
	static const char *const DRIVES[] = {"", ",open-drain", ",open-source"};
	static const char *const BIASES[] = {"", ",pull-up", ",pull-down", ",pull-off"};
	struct line_spec line, same;
	char written[sizeof line + 100];

	if (line_spec_parse(text, use, &line))
		return;
	MUST(strlen(line.chip) < sizeof line.chip && strlen(line.name) < sizeof line.name);
	MUST(*line.name && !strchr(line.chip, ','));
	MUST(use == LINE_OUTPUT ? line.bias != LINE_PULL_OFF : line.drive == LINE_PUSH_PULL);
	MUST(use == LINE_OUTPUT || line.bias != LINE_BIAS_AS_IS);
	if (*line.chip)
		sprintf(written, "%s/%u", line.chip, line.offset);
	else
		strcpy(written, line.name);
	MUST(strncmp(text, written, *line.chip ? strlen(line.chip) : strlen(written)) == 0);
	MUST(!*line.chip || strtoull(text + strlen(line.chip) + 1, NULL, 10) == line.offset);
	strcat(written, line.active_low ? ",active-low" : ",active-high");
	strcat(written, DRIVES[line.drive]);
	strcat(written, BIASES[line.bias]);
	MUST(!line_spec_parse(written, use, &same));
	MUST(memcmp(&line, &same, sizeof line) == 0);
}

/* Returns whether it is an LED. */
static bool check_led(const char *spec)
{
	const char *why = NULL;
	struct led *led = led_create("", spec, &why);
	bool is_led = is_like(&led_like, spec) && !contradicts_itself(spec);

	MUST(!led == !!why);
	MUST(!led || is_led || is_like(&large_offset_like, spec));
	MUST(led || !is_led || strlen(spec) >= SHORT);
	MUST(!led || !led_is_open(led));
	led_destroy(led);
	return led;
}

static void check_button(const char *spec)
{
	const char *why = NULL;
	struct contact *button = contact_create(spec, &why);
	bool is_button = is_like(&button_like, spec) && !contradicts_itself(spec);

	MUST(!button == !!why);
	MUST(!button || is_button || is_like(&large_offset_like, spec));
	/* libevdev alone knows the names of the keys. */
	MUST(button || !is_button || strlen(spec) >= SHORT || strncmp(spec, "input:", 6) == 0);
	MUST(!button || strcmp(contact_spec(button), spec) == 0);
	contact_destroy(button);
}

/* Whether the name and the options of a definition are as the manual says. */
static bool is_definition(const char *text)
{
	char *copy = strdup(text), *rest = copy, *word, *name = copy;
	size_t length = strcspn(copy, "=:,");
	bool is_right = true;

	if (copy[length] == '=') {
		copy[length] = '\0';
		rest += length + 1;
		is_right = is_like(&name_like, name) && !is_like(&reserved_like, name);
	}
	strsep(&rest, ","); /* the hardware comes first */
	while ((word = strsep(&rest, ","))) {
		if (strncmp(word, "initial=", 8) == 0)
			is_right &= is_like(&initial_like, word + 8);
		else if (strncmp(word, "pulse=", 6) == 0)
			is_right &= is_like(&pulse_like, word + 6);
		else if (strncmp(word, "kind=", 5) == 0)
			is_right &= is_like(&kind_like, word + 5);
		else
			is_right &= !strchr(word, '=');
	}
	free(copy);
	return is_right;
}

/* What an LED is: the last word says it, or else its pulse. */
static enum kind kind_of(const char *text, unsigned pulse_ms)
{
	enum kind kind = pulse_ms ? KIND_SWITCH : KIND_LIGHT;

	for (; (text = strstr(text, ",kind=")); text++)
		kind = text[strlen(",kind=")] == 'l' ? KIND_LIGHT : KIND_SWITCH;
	return kind;
}

static void check_definition(const char *text)
{
	static const char *const INITIAL[] = {"", ",initial=off", ",initial=on", ",initial=last"};
	struct definition led, same;
	char written[DEFINITION_LABEL_MAX + 100];
	const char *why = definition_parse(text, &led), *hardware = text + strcspn(text, "=:,");

	hardware = *hardware == '=' ? hardware + 1 : text;
	MUST(why || is_definition(text));
	MUST(!why || !is_definition(text) || strlen(text) >= SHORT);
	if (why)
		return;
	MUST(is_like(&name_like, led.name) && !is_like(&reserved_like, led.name));
	MUST(strlen(led.label) < sizeof led.label);
	MUST(led.spec >= led.label && led.spec <= led.label + strlen(led.label));
	MUST(strncmp(led.spec, hardware, strcspn(hardware, ",")) == 0);
	MUST(!strstr(led.spec, ",initial=") && !strstr(led.spec, ",pulse="));
	MUST(!strstr(led.spec, ",kind=") && led.kind == kind_of(text, led.pulse_ms));
	MUST(definition_is_momentary(&led) == (led.kind == KIND_SWITCH && led.pulse_ms > 0));
	MUST(led.pulse_ms <= COMMAND_PULSE_MAX && led.initial <= INITIAL_LAST);
	if (!check_led(led.spec))
		return;

	sprintf(written, "%s%s,kind=%s", led.label, INITIAL[led.initial], kind_text(led.kind));
	if (led.pulse_ms)
		sprintf(written + strlen(written), ",pulse=%u", led.pulse_ms);
	MUST(!definition_parse(written, &same));
	MUST(strcmp(led.name, same.name) == 0 && strcmp(led.label, same.label) == 0);
	MUST(strcmp(led.spec, same.spec) == 0);
	MUST(led.initial == same.initial && led.pulse_ms == same.pulse_ms);
	MUST(led.kind == same.kind);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size);

	check_definition(text);
	check_led(text);
	check_button(text);
	if (strncmp(text, "gpio:", 5) == 0) {
		check_line(text + 5, LINE_OUTPUT);
		check_line(text + 5, LINE_EDGES);
	}
	free(text);
	return 0;
}
