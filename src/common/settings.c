/* SPDX-License-Identifier: MIT */

/* Reads a program's table of settings from options and environment, and prints its --help. */

#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "text.h"

/* --help: where the words of an option begin at the most, and where a line ends. */
#define COLUMN_MAX 24
#define WIDTH 80

/* So much of a wrong value is always shown. */
#define VALUE_MIN 8

/* --- help ------------------------------------------------------------------------------- */

/* Prints words, and breaks lines between them. at, column: where the cursor is, and a line begins.
 */
static size_t print_words(const char *words, size_t at, size_t column)
{
	while (*words) {
		size_t length = strcspn(words, " ");

		if (at > column && at + 1 + length >= WIDTH) {
			dprintf(STDOUT_FILENO, "\n%*s", (int)column, "");
			at = column;
		} else if (at > column) {
			dprintf(STDOUT_FILENO, " ");
			at++;
		}
		dprintf(STDOUT_FILENO, "%.*s", (int)length, words);
		at += length;
		words += length;
		words += strspn(words, " ");
	}
	return at;
}

/* Prints "(default: $LED, with blanks between them, else gpio:GPIO17)". */
static void print_default(const struct setting *setting, size_t at, size_t column)
{
	static const char *const BETWEEN[] = {
		[SETTING_WORDS] = ", with blanks between them",
		[SETTING_LIST] = ", with commas between them",
		[SETTING_FLAG] = "",
	};
	const char *otherwise = setting->none;
	char words[2 * WIDTH];

	if (!otherwise)
		otherwise = setting->standard && *setting->standard ? setting->standard : "none";
	snprintf(words, sizeof words, "(default: $%s%s, else %s)", setting->variable,
		BETWEEN[setting->kind] ? BETWEEN[setting->kind] : "", otherwise);
	print_words(words, at, column);
}

static size_t print_option(const char *option, const char *argument)
{
	return (size_t)dprintf(
		STDOUT_FILENO, "      %s%s%s", option, *argument ? "=" : "", argument);
}

static size_t option_width(const struct setting *setting)
{
	return strlen("      =  ") + strlen(setting->option) + strlen(setting->argument);
}

static void print_help(const struct settings_table *table)
{
	size_t column = strlen("      --version  ");

	for (size_t i = 0; i < table->n; i++) {
		size_t width = option_width(&table->settings[i]);

		if (width > column && width <= COLUMN_MAX)
			column = width;
	}
	dprintf(STDOUT_FILENO, "Usage: %s [OPTION]...\n\n", table->program);
	print_words(table->purpose, 0, 0);
	dprintf(STDOUT_FILENO, "\n\n");
	for (size_t i = 0; i < table->n; i++) {
		const struct setting *setting = &table->settings[i];
		size_t at = print_option(setting->option, setting->argument);

		if (at + 2 > column) {
			dprintf(STDOUT_FILENO, "\n");
			at = 0;
		}
		dprintf(STDOUT_FILENO, "%*s", (int)(column - at), "");
		at = print_words(setting->help, column, column);
		if (setting->variable)
			print_default(setting, at, column);
		dprintf(STDOUT_FILENO, "\n");
	}
	dprintf(STDOUT_FILENO, "%-*sshow this help\n%-*sshow the version\n\nSee %s.\n", (int)column,
		"      --help", (int)column, "      --version", table->manual);
}

/* --- values ----------------------------------------------------------------------------- */

static size_t index_of(const struct settings *settings, const struct setting *setting)
{
	return (size_t)(setting - settings->table->settings);
}

static bool has_error_of(const struct settings *settings, const char *source)
{
	for (unsigned i = 0; i < settings->n_errors; i++)
		if (settings->errors[i].source == source)
			return true;
	return false;
}

/* One setting with many errors must not hide what is wrong with another. */
static void add_error(struct settings *settings, struct settings_error error)
{
	if (settings->n_errors >= SETTINGS_ERRORS_KEPT && has_error_of(settings, error.source))
		settings->n_more++;
	else
		settings->errors[settings->n_errors++] = error;
}

void settings_add_error(struct settings *settings, const struct setting *setting, const char *why)
{
	size_t i = index_of(settings, setting);
	struct settings_error error = {.why = why,
		.source = settings->given[i].source,
		.value = settings->given[i].value,
		.is_option = settings->given[i].source == setting->option};

	if (!error.source) {
		error.source = setting->variable ? setting->variable : setting->option;
		error.value = NULL;
	}
	add_error(settings, error);
}

/* Has a value taken. One with several lines has more than was meant. */
static void take(struct settings *settings, const struct setting *setting, const char *source,
	const char *value, void *options)
{
	const char *why;

	if (setting->kind != SETTING_TEXT && strchr(value, '\n'))
		why = "it has more than one line: is a quote not closed?";
	else
		why = setting->take(setting, value, options);
	if (why)
		add_error(settings,
			(struct settings_error){source == setting->option, source, value, why});
}

/* --- the command line ------------------------------------------------------------------- */

/* argument: of the command line, "--line" or "--line=ADDR". value: set to what follows the "=". */
static const struct setting *find_option(
	const struct settings_table *table, const char *argument, const char **value)
{
	size_t length = strcspn(argument, "=");

	*value = argument[length] ? argument + length + 1 : NULL;
	for (size_t i = 0; i < table->n; i++) {
		const struct setting *setting = &table->settings[i];

		if (strncmp(setting->option, argument, length) == 0 && !setting->option[length])
			return setting;
	}
	return NULL;
}

/* An option. next: the argument after it, or NULL. Returns whether that is its value. */
static bool take_option(
	struct settings *settings, const char *argument, const char *next, void *options)
{
	const char *value, *why = NULL;
	const struct setting *setting = find_option(settings->table, argument, &value);
	bool uses_next = setting && setting->kind != SETTING_FLAG && !value;

	if (!setting)
		why = "unrecognized option '%s'";
	else if (setting->kind == SETTING_FLAG && value)
		why = "option '%s' takes no value";
	else if (uses_next && !next)
		why = "option '%s' takes a value";
	/* The variable, or the default, is not what was meant. */
	if (setting)
		settings->given[index_of(settings, setting)].source = setting->option;
	if (why) {
		add_error(settings, (struct settings_error){true, NULL, argument, why});
		return false;
	}
	if (setting->kind == SETTING_FLAG)
		value = "";
	else if (uses_next)
		value = next;
	settings->given[index_of(settings, setting)].value = value;
	take(settings, setting, setting->option, value, options);
	return uses_next;
}

static void read_options(struct settings *settings, char *argv[], void *options)
{
	bool options_end = false;

	for (argv++; *argv; argv++) {
		if (!options_end && strcmp(*argv, "--help") == 0) {
			print_help(settings->table);
			exit(EXIT_SUCCESS);
		}
		if (!options_end && strcmp(*argv, "--version") == 0) {
			dprintf(STDOUT_FILENO, "%s %s\n", settings->table->program, VERSION);
			exit(EXIT_SUCCESS);
		}
		if (!options_end && strcmp(*argv, "--") == 0)
			options_end = true;
		else if (options_end || **argv != '-' || !(*argv)[1])
			add_error(settings, (struct settings_error){
						    true, NULL, *argv, "unexpected argument '%s'"});
		else if (take_option(settings, *argv, argv[1], options))
			argv++;
	}
}

/* --- the environment -------------------------------------------------------------------- */

/* Takes the values of a variable or default one by one, from a copy that is cut into them. */
static void take_each(struct settings *settings, const struct setting *setting, const char *source,
	const char *text, void *options)
{
	const char *separators = setting->kind == SETTING_LIST ? "," : " \t\r\n";
	char *value = strdup(text), *next;

	settings->texts[index_of(settings, setting)] = value;
	for (; value; value = next) {
		next = value + strcspn(value, separators);
		if (*next)
			*next++ = '\0';
		else
			next = NULL;
		if (setting->kind == SETTING_LIST)
			value += strspn(value, " ");
		if (*value || setting->kind == SETTING_LIST)
			take(settings, setting, source, value, options);
	}
}

static void read_environment(
	struct settings *settings, const struct setting *setting, void *options)
{
	const char *source = setting->variable;
	const char *value = source ? getenv(source) : NULL;

	if (!value || (!*value && setting->kind != SETTING_EMPTY)) {
		source = NULL;
		value = setting->standard;
	}
	settings->given[index_of(settings, setting)].source = source;
	settings->given[index_of(settings, setting)].value = value;
	if (!value)
		return;
	if (!source)
		source = setting->variable;
	if (setting->kind == SETTING_WORDS || setting->kind == SETTING_LIST)
		take_each(settings, setting, source, value, options);
	else
		take(settings, setting, source, value, options);
}

void settings_read(
	struct settings *settings, const struct settings_table *table, char *argv[], void *options)
{
	memset(settings, 0, sizeof *settings);
	settings->table = table;
	read_options(settings, argv, options);
	for (size_t i = 0; i < table->n; i++)
		if (!settings->given[i].source && table->settings[i].kind != SETTING_FLAG)
			read_environment(settings, &table->settings[i], options);
}

/* --- what is wrong ---------------------------------------------------------------------- */

const char *settings_error_text(
	const struct settings_error *error, const char *prefix, char text[SETTINGS_ERROR_TEXT_MAX])
{
	size_t others = strlen(prefix) + strlen(error->why) +
			sizeof ": =: " + (error->source ? strlen(error->source) : 0);
	size_t room = others + VALUE_MIN < SETTINGS_ERROR_TEXT_MAX
			      ? SETTINGS_ERROR_TEXT_MAX - others
			      : VALUE_MIN;
	bool has_value = error->value && !text_may_be_secret(error->value);
	char value[SETTINGS_ERROR_TEXT_MAX] = "...";
	int n;

	if (has_value)
		text_printable(error->value, value, room + 1);
	if (!error->source) {
		n = snprintf(text, SETTINGS_ERROR_TEXT_MAX, "%s: ", prefix);
		snprintf(text + n, SETTINGS_ERROR_TEXT_MAX - (size_t)n, error->why, value);
	} else if (has_value) {
		snprintf(text, SETTINGS_ERROR_TEXT_MAX, "%s: %s=%s: %s", prefix, error->source,
			value, error->why);
	} else {
		snprintf(text, SETTINGS_ERROR_TEXT_MAX, "%s: %s: %s", prefix, error->source,
			error->why);
	}
	return text;
}

void settings_log(const struct settings *settings)
{
	char text[SETTINGS_ERROR_TEXT_MAX];

	for (unsigned i = 0; i < settings->n_errors; i++)
		syslog(LOG_ERR, "%s",
			settings_error_text(&settings->errors[i], "a setting is wrong", text));
	if (settings->n_more > 0)
		syslog(LOG_ERR, "a setting is wrong: and %u more, which are not listed",
			settings->n_more);
}

void settings_exit(const struct settings *settings, unsigned number)
{
	char text[SETTINGS_ERROR_TEXT_MAX];

	settings_error_text(&settings->errors[number], settings->table->program, text);
	dprintf(STDERR_FILENO, "%s\n", text);
	exit(2);
}

void settings_exit_if_wrong(const struct settings *settings)
{
	if (settings->n_errors > 0)
		settings_exit(settings, 0);
}

void settings_free(struct settings *settings)
{
	for (size_t i = 0; i < SETTINGS_MAX; i++)
		free(settings->texts[i]);
}
