/* SPDX-License-Identifier: MIT */
#ifndef SETTINGS_H
#define SETTINGS_H

/* What the settings of led-mqtt mean. Each function returns NULL, or what is wrong, a constant. */

#include <stdbool.h>

#include "address.h"

/* Groups of a machine, or buttons, at the most. */
#define NAMES_MAX 32

/* A list of words. */
struct names {
	char *text; /* the words, each with its NUL */
	const char *names[NAMES_MAX];
	unsigned n;
};

/* A broker. */
struct broker_address {
	bool tls;
	char host[sizeof((struct address){0}.host)];
	int port;
};

/* Reads MQTT_BROKER: mqtt://HOST, mqtts://HOST, and :PORT behind it. IPv6 stands in brackets. */
const char *settings_read_broker(const char *text, struct broker_address *broker);

/* Reads MQTT_BASE. */
const char *settings_check_base(const char *text);

/* Reads MQTT_HOST. */
const char *settings_check_host(const char *text);

/* Reads MQTT_SEND: group/GROUP or HOST/NAME. */
const char *settings_check_send(const char *text);

/* Reads MQTT_DISCOVERY, which may be empty. */
const char *settings_check_discovery(const char *text);

/*
 * Reads MQTT_GROUPS or MQTT_BUTTONS, which has blanks between its words.
 *
 * names: set to the words; free(3) names->text
 */
const char *settings_read_groups(const char *text, struct names *names);
const char *settings_read_buttons(const char *text, struct names *names);

/*
 * Reads the password from the first line of a file.
 *
 * password: set to it for the caller to free, or to NULL where the file is empty
 */
const char *settings_read_password(const char *path, char **password);

#endif
