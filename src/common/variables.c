/* SPDX-License-Identifier: MIT */

/* Finds variables that were meant to be settings: all names of ours, and how far a name is off. */

#include "variables.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>

#include "text.h"

/* Names are compared up to this length. */
#define VARIABLE_NAME_MAX 40

/* Room for a name in a warning: it has 200 characters with the longest name that we know. */
#define QUOTE_MAX 131

/* What the programs of this project read. */
static const char *const KNOWN[] = {
	"LED",
	"LED_ALLOW",
	"LED_HOST",
	"LED_INITIAL",
	"LED_LINE",
	"LED_LISTEN",
	"BUTTON",
	"BUTTON_COMMANDS",
	"BUTTON_CONNECT",
	"BUTTON_DEBOUNCE",
	"BUTTON_FILTER",
	"BUTTON_LONG",
	"BUTTON_LONG_COMMANDS",
	"BUTTON_RELEASE_COMMANDS",
	"BUTTON_RETRY",
	"MQTT_AREA",
	"MQTT_BASE",
	"MQTT_BROKER",
	"MQTT_BUTTONS",
	"MQTT_CAFILE",
	"MQTT_CERT",
	"MQTT_CONTACTS",
	"MQTT_DISCOVERY",
	"MQTT_GROUPS",
	"MQTT_HOST",
	"MQTT_KEY",
	"MQTT_LISTEN",
	"MQTT_NAME",
	"MQTT_PASSWORD_FILE",
	"MQTT_SEND",
	"MQTT_URL",
	"MQTT_USER",
	"TLS_CONNECT",
	"WEB_CERT",
	"WEB_HOSTS",
	"WEB_KEY",
	"WEB_LISTEN",
	"WEB_NAME",
	"WEB_PASSWORD_FILE",
};

static const char *const PREFIXES[] = {"LED_", "BUTTON_", "MQTT_", "WEB_", "TLS_"};

static char capital(char c)
{
	return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* How many letters have to be added, left out, changed or swapped with their neighbour. */
static unsigned distance(const char *name, size_t length, const char *known)
{
	/* The distances of the beginnings of both: of this letter of name, and of the two before.
	 */
	unsigned rows[3][VARIABLE_NAME_MAX + 1];
	size_t width = strlen(known);

	for (size_t j = 0; j <= width; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= length; i++) {
		unsigned *row = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= width; j++) {
			bool same = capital(name[i - 1]) == known[j - 1];

			row[j] = least(least(row[j - 1], last[j]) + 1, last[j - 1] + !same);
			if (i > 1 && j > 1 && capital(name[i - 1]) == known[j - 2] &&
				capital(name[i - 2]) == known[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return rows[length % 3][width];
}

static bool has_prefix(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof PREFIXES / sizeof *PREFIXES; i++)
		if (length >= strlen(PREFIXES[i]) &&
			strncasecmp(name, PREFIXES[i], strlen(PREFIXES[i])) == 0)
			return true;
	return false;
}

const char *variables_nearest(const char *name, size_t length)
{
	unsigned nearest = VARIABLE_NAME_MAX;
	const char *found = KNOWN[0];

	if (length > VARIABLE_NAME_MAX)
		length = VARIABLE_NAME_MAX;
	for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
		unsigned off = distance(name, length, KNOWN[i]);

		if (off == 0 && strncmp(name, KNOWN[i], length) == 0)
			return NULL;
		if (off < nearest) {
			nearest = off;
			found = KNOWN[i];
		}
	}
	/* A short name is near to many words. */
	if (nearest <= (strlen(found) > strlen("LED") ? 2 : 1) || has_prefix(name, length))
		return found;
	return NULL;
}

static void warn(const char *variable, size_t length, const char *nearest)
{
	char *name = strndup(variable, length), quoted[QUOTE_MAX];

	syslog(LOG_WARNING, "%s is no setting, and is ignored: %s is the nearest",
		text_quote(name ? name : "...", quoted, sizeof quoted), nearest);
	free(name);
}

void variables_warn(char *const environment[])
{
	for (; *environment; environment++) {
		size_t length = strcspn(*environment, "=");
		const char *nearest = variables_nearest(*environment, length);

		if (nearest)
			warn(*environment, length, nearest);
	}
}
