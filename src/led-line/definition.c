/* SPDX-License-Identifier: MIT */

/* Reads what an LED is, as a person writes it: [NAME=]SPEC. */

#include "definition.h"

#include <stdio.h>
#include <string.h>

#include "store-name.h"

const char *definition_parse_initial(const char *text, enum initial *initial)
{
	static const char *const WORDS[] = {
		[INITIAL_OFF] = "off",
		[INITIAL_ON] = "on",
		[INITIAL_LAST] = "last",
	};

	for (size_t i = INITIAL_OFF; i < sizeof WORDS / sizeof *WORDS; i++) {
		if (strcmp(text, WORDS[i]) == 0) {
			*initial = (enum initial)i;
			return NULL;
		}
	}
	return "initial is off, on or last";
}

/* If the word begins so, returns what follows; else NULL. */
static const char *value_of(const char *word, const char *option)
{
	size_t length = strlen(option);

	return strncmp(word, option, length) == 0 ? word + length : NULL;
}

/* Takes a word after a comma. Returns NULL, or a constant reason. */
static const char *take_word(const char *word, struct definition *definition)
{
	size_t length = strlen(definition->label);
	const char *value;

	if ((value = value_of(word, "initial=")))
		return definition_parse_initial(value, &definition->initial);
	if ((value = value_of(word, "pulse=")))
		return command_read_pulse(value, strlen(value), &definition->pulse_ms)
			       ? NULL
			       : "pulse= takes 1 to 3600000 milliseconds";
	if ((value = value_of(word, "kind=")))
		return kind_read(value, strlen(value), &definition->kind)
			       ? NULL
			       : "kind is light or switch";
	if (strchr(word, '='))
		return "after an LED, of the words with = there may be initial=, pulse= and kind=";
	snprintf(definition->label + length, sizeof definition->label - length, ",%s", word);
	return NULL;
}

const char *definition_parse(const char *text, struct definition *definition)
{
	char copy[DEFINITION_LABEL_MAX + 64], *rest = copy, *word;
	size_t length = strcspn(text, "=:,");
	char name[STORE_NAME_MAX];
	const char *why = NULL;

	*definition = (struct definition){.name = DEFINITION_UNNAMED, .kind = KIND_UNKNOWN};
	definition->spec = definition->label;
	if (text[length] == '=') {
		if (!command_read_name(text, length, definition->name) ||
			strncmp(definition->name, text, length) != 0) {
			*definition->name = '\0';
			return "a name is a small letter and up to 15 small letters, digits and "
			       "hyphens, and no word of the protocol";
		}
		text += length + 1;
	}
	if (strcmp(definition->name, DEFINITION_UNNAMED) != 0)
		definition->spec += sprintf(definition->label, "%s=", definition->name);
	if (strlen(text) >= sizeof copy - sizeof definition->name)
		return "too long";
	strcpy(copy, text);
	length = strlen(definition->label);
	snprintf(definition->label + length, sizeof definition->label - length, "%s",
		strsep(&rest, ","));
	while (!why && (word = strsep(&rest, ",")))
		why = take_word(word, definition);
	if (!why && (strlen(definition->label) == sizeof definition->label - 1 ||
			    !store_name(STORE_STATE, definition->label, name)))
		why = "too long";
	if (definition->kind == KIND_UNKNOWN)
		definition->kind = definition->pulse_ms > 0 ? KIND_SWITCH : KIND_LIGHT;
	return why;
}

bool definition_is_momentary(const struct definition *definition)
{
	return kind_is_momentary(definition->kind, definition->pulse_ms);
}

const char *definition_name(const struct definition *definition)
{
	return strcmp(definition->name, DEFINITION_UNNAMED) == 0 ? "" : definition->name;
}
