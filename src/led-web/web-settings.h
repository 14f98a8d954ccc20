/* SPDX-License-Identifier: MIT */
#ifndef WEB_SETTINGS_H
#define WEB_SETTINGS_H

/* The settings of led-web. */

#include "address.h"
#include "settings.h"

/* Begins as all zeros. */
struct web_settings {
	const char *name;     /* the title of the page */
	const char *hosts;    /* other names that are ours, with blanks between them */
	const char *password; /* USER:PASSWORD, or NULL */
	char *cert, *key;     /* PEM, or NULL */
	const char *allow;    /* or NULL, if it is wrong */
	struct address line, listen;

	/* The rest is for web-settings.c alone. */
	char *password_file;
	char own_name[256]; /* where WEB_NAME is not set */
};

/*
 * Reads the command line and the environment. What is wrong is in settings->errors.
 *
 * settings: kept by the caller, and freed after this
 */
void web_settings_read(struct web_settings *web, struct settings *settings, char *argv[]);

/* The certificate and its key are not what they should be: adds that to what is wrong. */
void web_settings_refuse_cert(struct settings *settings);

/* Whether LED_ALLOW is wrong: then nobody learns what is. */
bool web_settings_hide(const struct web_settings *web);

void web_settings_free(struct web_settings *web);

#endif
