/* SPDX-License-Identifier: MIT */

/* The LEDs of a led-line as they are given: which there are, and which of them are wrong. */

#include "definitions.h"

#include <stdio.h>
#include <string.h>

#include "settings.h"
#include "store-name.h"

/* Room for an LED's text and the one after it, as far as an answer quotes them. */
#define QUOTE_MAX (2 * SETTINGS_ERROR_TEXT_MAX)

/* Why a text makes the LED before it wrong, or NULL. */
static const char *stray_reason(const char *text)
{
	size_t length = strlen(text);

	if (*text == ',')
		return "no blank may stand before a comma";
	if (*text == '#')
		return "no comment may stand after a value; or is a quote not closed?";
	/* The lines after a quote that is not closed are part of the value. */
	if (length > 0 && (strchr("'\"", *text) || strchr("'\"", text[length - 1])))
		return "is a quote not closed, or one too many?";
	if (strncmp(text, "LED_", 4) == 0 || strncmp(text, "LED=", 4) == 0)
		return "is a quote not closed, or one too many?";
	return NULL;
}

/* Whether such a text is a part of an LED, a comment or another variable, and so no LED itself. */
static bool is_no_led(const char *text)
{
	return *text == ',' || *text == '#' || strncmp(text, "LED_", 4) == 0;
}

static bool is_named(const char *text)
{
	return text[strcspn(text, "=:, ")] == '=';
}

/* Writes what clients are answered. A watcher's line, with the LED's name, is not too long, too. */
static void set_wrong(struct definition *definition, const char *text, const char *why)
{
	char prefix[sizeof "ERR : " + COMMAND_NAME_MAX + sizeof "a setting is wrong"];
	char line[SETTINGS_ERROR_TEXT_MAX];
	struct settings_error error = {.source = "LED", .value = text, .why = why};
	int before = snprintf(prefix, sizeof prefix, "ERR %s: ", definition->name);

	if (is_named(text)) {
		error.source = definition->name;
		error.value = strchr(text, '=') + 1;
	}
	strcat(prefix, "a setting is wrong");
	strcpy(definition->wrong, settings_error_text(&error, prefix, line) + before);
}

/* Makes the last LED wrong because of the text after it. */
static void blame_last(struct definitions *definitions, const char *text, const char *why)
{
	char both[QUOTE_MAX];

	if (!definitions->last)
		return;
	snprintf(both, sizeof both, "%s %s", definitions->last, text);
	set_wrong(&definitions->list[definitions->n - 1], both, why);
}

static bool has_name(const struct definitions *definitions, const char *name)
{
	for (unsigned i = 0; i < definitions->n; i++)
		if (strcmp(definitions->list[i].name, name) == 0)
			return true;
	return false;
}

static const char *leave_out(struct definitions *definitions, const char *why)
{
	definitions->left_out = true;
	return why;
}

/* Adds an LED. stray: what is wrong with it already, or NULL. Returns NULL, or what is wrong. */
static const char *add_led(struct definitions *definitions, const char *text, const char *stray)
{
	struct definition *definition = &definitions->list[definitions->n];
	const char *why;

	if (definitions->n == LEDS_MAX)
		return leave_out(definitions, "too many LEDs: there may be 32");
	why = definition_parse(text, definition);
	if (!*definition->name)
		return leave_out(definitions, why);
	if (has_name(definitions, definition->name))
		return leave_out(
			definitions, "another LED has this name; one without a name is called led");
	if (stray)
		why = stray;
	if (!why)
		definitions->leds[definitions->n] =
			led_create(definition_name(definition), definition->spec, &why);
	if (why)
		set_wrong(definition, text, why);
	definitions->n++;
	definitions->last = text;
	return why;
}

const char *definitions_add(struct definitions *definitions, const char *text)
{
	const char *stray = stray_reason(text), *why;

	if (definitions->in_comment && !is_named(text))
		return NULL;
	if (stray)
		blame_last(definitions, text, stray);
	definitions->in_comment = *text == '#';
	definitions->last = NULL;
	if (is_no_led(text)) {
		definitions->left_out |= definitions->n == 0;
		return stray;
	}
	why = add_led(definitions, text, stray);
	return stray ? stray : why;
}

bool definitions_keeps(const struct definitions *definitions, const char *stored)
{
	for (unsigned i = 0; i < definitions->n; i++)
		if (!*definitions->list[i].wrong &&
			store_name_is_line(stored, definitions->list[i].spec))
			return false;
	return store_name_is_ours(stored);
}

void definitions_free(struct definitions *definitions)
{
	for (unsigned i = 0; i < definitions->n; i++)
		led_destroy(definitions->leds[i]);
}
