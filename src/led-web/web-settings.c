/* SPDX-License-Identifier: MIT */

/* Reads the settings of led-web. */

#include "web-settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allow.h"
#include "password.h"
#include "secret.h"
#include "site.h"
#include "text.h"

static const char *take_name(const struct setting *setting, const char *value, void *userdata)
{
	((struct web_settings *)userdata)->name = value;
	return text_check(value);
}

static const char *take_hosts(const struct setting *setting, const char *value, void *userdata)
{
	char word[SITE_HOST_MAX + 1];
	const char *text = value;
	size_t length;

	((struct web_settings *)userdata)->hosts = value;
	for (; *text; text += length) {
		text += strspn(text, " \t\n");
		length = strcspn(text, " \t\n");
		if (length == 0)
			break;
		snprintf(word, sizeof word, "%.*s", (int)length, text);
		if (length > SITE_HOST_MAX || !site_is_name(word))
			return "names of this machine, with blanks between them, without a port";
	}
	return NULL;
}

static const char *take_password(const struct setting *setting, const char *value, void *userdata)
{
	struct web_settings *web = userdata;
	const char *why;

	secret_free(web->password_file);
	web->password = NULL;
	why = secret_read(value, true, &web->password_file);
	if (why || !web->password_file)
		return why;
	web->password_file[strcspn(web->password_file, "\r\n")] = '\0';
	web->password = web->password_file;
	return password_check(web->password);
}

static const char *take_cert(const struct setting *setting, const char *value, void *userdata)
{
	struct web_settings *web = userdata;

	secret_free(web->cert);
	return secret_read(value, false, &web->cert);
}

static const char *take_key(const struct setting *setting, const char *value, void *userdata)
{
	struct web_settings *web = userdata;

	secret_free(web->key);
	return secret_read(value, true, &web->key);
}

static const char *take_allow(const struct setting *setting, const char *value, void *userdata)
{
	bool allowed;
	const char *why = allow_peer(value, NULL, &allowed);

	((struct web_settings *)userdata)->allow = why ? NULL : value;
	return why;
}

static const char *take_line(const struct setting *setting, const char *value, void *userdata)
{
	return address_parse_line(value, &((struct web_settings *)userdata)->line);
}

static const char *take_listen(const struct setting *setting, const char *value, void *userdata)
{
	return address_parse(value, &((struct web_settings *)userdata)->listen);
}

enum {
	NAME,
	HOSTS,
	PASSWORD_FILE,
	CERT,
	KEY,
	ALLOW,
	LINE,
	LISTEN,
};

static const struct setting SETTINGS[] = {
	[NAME] = {"--name", "TEXT", "WEB_NAME", NULL, SETTING_VALUE, take_name,
		"the title of the page", "the machine's name"},
	[HOSTS] = {"--hosts", "NAMES", "WEB_HOSTS", "", SETTING_TEXT, take_hosts,
		"other names of this machine, such as led.example.org, with blanks between them",
		NULL},
	[PASSWORD_FILE] = {"--password-file", "PATH", "WEB_PASSWORD_FILE", NULL, SETTING_VALUE,
		take_password, "a file whose first line is USER:PASSWORD", NULL},
	[CERT] = {"--cert", "PATH", "WEB_CERT", NULL, SETTING_VALUE, take_cert,
		"for https: a certificate for this machine", NULL},
	[KEY] = {"--key", "PATH", "WEB_KEY", NULL, SETTING_VALUE, take_key, "its key", NULL},
	[ALLOW] = {"--allow", "LIST", "LED_ALLOW", "private", SETTING_TEXT, take_allow,
		"who may connect: private, any, or prefixes such as 203.0.113.0/24, with blanks "
		"between them",
		NULL},
	[LINE] = {"--line", "ADDR", "LED_LINE", LINE_SOCKET, SETTING_VALUE, take_line,
		"where led-line is: a path or a numeric address", NULL},
	[LISTEN] = {"--listen", "ADDR", "WEB_LISTEN", "5557", SETTING_VALUE, take_listen,
		"where to listen: PORT, HOST:PORT or a path; not used when the service manager "
		"passes a socket",
		NULL},
};

static const struct settings_table TABLE = {"led-web",
	"Serves a page on which the LEDs of led-line are switched, and the same over HTTP for "
	"programs.",
	"led-web(8)", SETTINGS, sizeof SETTINGS / sizeof *SETTINGS};

void web_settings_read(struct web_settings *web, struct settings *settings, char *argv[])
{
	settings_read(settings, &TABLE, argv, web);
	if (!web->name) {
		/* The kernel's name for this machine may have anything in it. */
		gethostname(web->own_name, sizeof web->own_name - 1);
		web->name = text_check(web->own_name) ? "LEDs" : web->own_name;
	}
	if (!web->cert != !web->key && settings->n_errors == 0)
		settings_add_error(settings, &SETTINGS[web->cert ? KEY : CERT],
			"missing: a certificate and its key go together");
}

void web_settings_refuse_cert(struct settings *settings)
{
	settings_add_error(
		settings, &SETTINGS[CERT], "this is no certificate, or --key is not its key");
}

bool web_settings_hide(const struct web_settings *web)
{
	return !web->allow;
}

void web_settings_free(struct web_settings *web)
{
	secret_free(web->password_file);
	secret_free(web->cert);
	secret_free(web->key);
}
