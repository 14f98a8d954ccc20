/* SPDX-License-Identifier: MIT */

/* The settings of led-line, and what of them is wrong. */

#include "configuration.h"

#include <stdio.h>
#include <string.h>

#include "allow.h"
#include "text.h"

static const char *take_led(const struct setting *setting, const char *value, void *userdata)
{
	return definitions_add(&((struct configuration *)userdata)->leds, value);
}

static const char *take_initial(const struct setting *setting, const char *value, void *userdata)
{
	return definition_parse_initial(value, &((struct configuration *)userdata)->initial);
}

static const char *take_listen(const struct setting *setting, const char *value, void *userdata)
{
	struct configuration *configuration = userdata;
	const char *why;

	if (configuration->has_sockets)
		return NULL;
	if (configuration->n_listen == LISTEN_ADDRESSES)
		return "too many addresses";
	why = address_parse(value, &configuration->listen[configuration->n_listen]);
	configuration->n_listen += !why;
	return why;
}

static const char *take_allow(const struct setting *setting, const char *value, void *userdata)
{
	struct configuration *configuration = userdata;
	bool allowed;
	const char *why = allow_peer(value, NULL, &allowed);

	configuration->allow_is_wrong |= why != NULL;
	configuration->allow = configuration->allow_is_wrong ? NULL : value;
	return why;
}

enum { LED, INITIAL, LISTEN, ALLOW };

static const struct setting SETTINGS[] = {
	[LED] = {"--led", "[NAME=]SPEC", "LED", "gpio:GPIO17", SETTING_WORDS, take_led,
		"an LED; again for more. SPEC is " LED_SPECS
		", and after it with commas: initial=WHAT, pulse=MS, kind=light or kind=switch, "
		"for gpio active-low, too",
		NULL},
	[INITIAL] = {"--initial", "WHAT", "LED_INITIAL", "off", SETTING_VALUE, take_initial,
		"off, on or last: the first state of an LED without initial=", NULL},
	[LISTEN] = {"--listen", "ADDR", "LED_LISTEN", LINE_SOCKET, SETTING_WORDS, take_listen,
		"/path, HOST:PORT, [IPv6]:PORT or PORT; again for more. Not used when the service "
		"manager passes sockets or standard input is one",
		NULL},
	[ALLOW] = {"--allow", "LIST", "LED_ALLOW", "private", SETTING_TEXT, take_allow,
		"who may connect over the network: private, any, or prefixes such as "
		"203.0.113.0/24, with blanks between them",
		NULL},
};

static const struct settings_table TABLE = {"led-line",
	"Holds the lines of LEDs and carries out commands such as LED ON, one per connection.",
	"led-line(8)", SETTINGS, sizeof SETTINGS / sizeof *SETTINGS};

/* Without passed sockets, there is no client who waits for an answer to a wrong option. */
static bool ends_program(const struct configuration *configuration, unsigned i)
{
	const struct settings_error *error = &configuration->settings.errors[i];

	return !configuration->has_sockets &&
	       (error->is_option || error->source == SETTINGS[LISTEN].variable);
}

void configuration_read(struct configuration *configuration, char *argv[], bool has_sockets)
{
	struct settings *settings = &configuration->settings;
	struct definitions *leds = &configuration->leds;

	*configuration = (struct configuration){.initial = INITIAL_OFF, .has_sockets = has_sockets};
	settings_read(settings, &TABLE, argv, configuration);
	if (leds->n == 0)
		settings_add_error(settings, &SETTINGS[LED], "no LED");
	if (configuration->n_listen == 0 && !has_sockets)
		settings_add_error(settings, &SETTINGS[LISTEN], "no address");
	for (unsigned i = 0; i < settings->n_errors; i++)
		if (ends_program(configuration, i))
			settings_exit(settings, i);
	for (unsigned i = 0; i < leds->n; i++)
		if (leds->list[i].initial == INITIAL_UNSET)
			leds->list[i].initial = configuration->initial;
}

bool configuration_keeps(const struct configuration *configuration, const char *name)
{
	return configuration->settings.n_errors > 0 &&
	       definitions_keeps(&configuration->leds, name);
}

void configuration_wrong(const struct configuration *configuration, char *text, size_t size)
{
	const struct settings *settings = &configuration->settings;
	char error[SETTINGS_ERROR_TEXT_MAX];
	unsigned n_more = settings->n_more;

	*text = '\0';
	for (unsigned i = 0; i < settings->n_errors; i++) {
		settings_error_text(&settings->errors[i], "a setting is wrong", error);
		n_more += !text_add(text, size, *text ? "; " : "", error);
	}
	if (n_more > 0)
		snprintf(text + strlen(text), size - strlen(text), "%sand %u more",
			*text ? "; " : "", n_more);
}

void configuration_free(struct configuration *configuration)
{
	definitions_free(&configuration->leds);
	settings_free(&configuration->settings);
}
