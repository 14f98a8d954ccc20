/* SPDX-License-Identifier: MIT */
#ifndef OPTIONS_H
#define OPTIONS_H

/* The settings of led-mqtt, and what follows from them. */

#include <stdbool.h>

#include "address.h"
#include "board.h"
#include "broker.h"
#include "contacts.h"
#include "discovery.h"
#include "settings.h"
#include "topics.h"

/* Groups of a machine, or buttons, at the most. */
#define NAMES_MAX 32

/* A list of words. */
struct names {
	char *text; /* the words, each with its NUL */
	const char *names[NAMES_MAX];
	unsigned n;
};

/* Begins as all zeros. */
struct options {
	bool forget;
	struct topics topics;
	struct broker_options broker;
	struct names groups, buttons;
	struct contacts contacts;
	struct address line, listen;
	char send[2 * TOPIC_MAX]; /* MQTT_BASE/MQTT_SEND */
	struct discovery discovery;

	/* The rest is for options.c alone. */
	const char *send_to;
	char model[BOARD_MAX];
	char *password;
	char own_name[TOPIC_PART_MAX + 2]; /* where MQTT_HOST is not set */
	char id[TOPIC_MAX], will_topic[TOPIC_MAX];
};

/*
 * Reads the command line and the environment. What is wrong is in settings->errors.
 *
 * settings: kept by the caller, and freed after the options
 */
void options_read(struct options *options, struct settings *settings, char *argv[]);

/*
 * Read MQTT_BROKER, which is mqtt://HOST or mqtts://HOST, and :PORT after it; MQTT_BASE; MQTT_HOST;
 * MQTT_SEND, which is group/GROUP or HOST/NAME; MQTT_DISCOVERY, which may be empty; and MQTT_URL.
 * The fuzzer uses these.
 *
 * Each returns NULL, or what is wrong, a constant.
 */
const char *option_read_broker(const char *text, struct broker_address *broker);
const char *option_check_base(const char *text);
const char *option_check_host(const char *text);
const char *option_check_send(const char *text);
const char *option_check_discovery(const char *text);
const char *option_check_url(const char *text);

void options_free(struct options *options);

#endif
