/* SPDX-License-Identifier: MIT */

/* Reads the settings of led-mqtt. */

#include "options.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "text.h"

#define SOCKET "/run/led/mqtt.sock"

/* The longest password, in bytes. */
#define PASSWORD_MAX 1023

/* The longest MQTT_URL, in bytes. */
#define URL_MAX 512

static const char PART[] = "a part of a topic has 1 to 64 letters, digits, dots, hyphens and _";

/* --- values ----------------------------------------------------------------------------- */

const char *option_read_broker(const char *text, struct broker_address *broker)
{
	static const char WHY[] = "a broker is mqtt://HOST or mqtts://HOST, and :PORT after it";
	static const char PLAIN[] = "mqtt://", TLS[] = "mqtts://";
	char with_port[sizeof broker->host + sizeof "[]:65535"];
	struct address address;
	const char *port, *why;

	broker->tls = strncmp(text, TLS, strlen(TLS)) == 0;
	if (!broker->tls && strncmp(text, PLAIN, strlen(PLAIN)) != 0)
		return WHY;
	text += strlen(broker->tls ? TLS : PLAIN);
	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._-:%[]", *p))
			return WHY;
	port = *text == '[' ? strstr(text, "]:") : strchr(text, ':');
	if ((size_t)snprintf(with_port, sizeof with_port, "%s%s", text,
		    port          ? ""
		    : broker->tls ? ":8883"
				  : ":1883") >= sizeof with_port)
		return "the host's name is too long";
	why = address_parse(with_port, &address);
	if (why)
		return strstr(why, "an address is") ? WHY : why;
	if (!*address.host)
		return WHY;
	strcpy(broker->host, address.host);
	broker->port = atoi(address.port);
	return NULL;
}

const char *option_check_base(const char *text)
{
	if (strlen(text) > TOPIC_BASE_MAX)
		return "too long";
	return topics_is_path(text) ? NULL : PART;
}

const char *option_check_host(const char *text)
{
	if (strcmp(text, "group") == 0)
		return "group is the topic of groups";
	return topics_is_part(text, strlen(text)) ? NULL : PART;
}

const char *option_check_send(const char *text)
{
	const char *slash = strchr(text, '/');

	return slash && topics_is_part(text, (size_t)(slash - text)) &&
			       topics_is_part(slash + 1, strlen(slash + 1))
		       ? NULL
		       : "commands go to group/GROUP or to HOST/NAME";
}

const char *option_check_discovery(const char *text)
{
	return *text ? option_check_base(text) : NULL;
}

/* Whether the part of a URL before its path has a host, and a right port or none. */
static bool is_right_authority(const char *text, size_t length)
{
	static const char NAME[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	const char *at = memrchr(text, '@', length), *host = at ? at + 1 : text;
	bool is_v6 = *host == '[';
	char with_port[URL_MAX + sizeof ":80"];
	struct address address;
	struct in6_addr v6;

	/* The user's name has no brackets. */
	if (text + strcspn(text, "[]") < host)
		return false;
	snprintf(with_port, sizeof with_port, "%.*s", (int)(text + length - host), host);
	if (!(is_v6 ? strstr(with_port, "]:") : strchr(with_port, ':')))
		strcat(with_port, ":80");
	if (address_parse(with_port, &address))
		return false;
	return is_v6 ? inet_pton(AF_INET6, address.host, &v6) == 1
		     : *address.host && address.host[strspn(address.host, NAME)] == '\0';
}

const char *option_check_url(const char *text)
{
	static const char WHY[] = "an address begins with http:// or https://";
	const char *host = strstr(text, "://");

	if (!host || (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0))
		return WHY;
	host += strlen("://");
	if (!isalnum((unsigned char)*host) && *host != '[')
		return WHY;
	for (const char *p = host; *p; p++)
		if (*p <= ' ' || *p > '~')
			return "an address has letters, digits and punctuation marks alone";
	if (strlen(text) > URL_MAX)
		return "too long";
	if (!is_right_authority(host, strcspn(host, "/?#")))
		return "an address has a host, and a port from 1 to 65535 or none";
	return NULL;
}

static const char *take_broker(const struct setting *setting, const char *value, void *userdata)
{
	return option_read_broker(value, &((struct options *)userdata)->broker.transport.address);
}

static const char *take_base(const struct setting *setting, const char *value, void *userdata)
{
	((struct options *)userdata)->topics.base = value;
	return option_check_base(value);
}

static const char *take_host(const struct setting *setting, const char *value, void *userdata)
{
	((struct options *)userdata)->topics.host = value;
	return option_check_host(value);
}

static const char *take_send(const struct setting *setting, const char *value, void *userdata)
{
	((struct options *)userdata)->send_to = value;
	return option_check_send(value);
}

static const char *take_discovery(const struct setting *setting, const char *value, void *userdata)
{
	((struct options *)userdata)->discovery.prefix = value;
	return option_check_discovery(value);
}

static const char *take_name(const struct setting *setting, const char *value, void *userdata)
{
	((struct options *)userdata)->discovery.name = value;
	return text_check(value);
}

static const char *take_area(const struct setting *setting, const char *value, void *userdata)
{
	((struct options *)userdata)->discovery.area = value;
	return text_check(value);
}

static const char *take_url(const struct setting *setting, const char *value, void *userdata)
{
	((struct options *)userdata)->discovery.url = value;
	return *value ? option_check_url(value) : NULL;
}

static bool is_group(const char *word)
{
	return topics_is_part(word, strlen(word));
}

static bool is_button(const char *word)
{
	char name[COMMAND_NAME_MAX + 1];

	return command_read_name(word, strlen(word), name) && strcmp(word, name) == 0 &&
	       topics_is_button(name);
}

static const char *read_names(
	const char *text, bool (*is_name)(const char *word), const char *why, struct names *names)
{
	char *rest, *word;

	free(names->text);
	*names = (struct names){.text = strdup(text)};
	rest = names->text;
	while ((word = strsep(&rest, " \t\n"))) {
		if (!*word)
			continue;
		if (!is_name(word))
			return why;
		if (names->n == NAMES_MAX)
			return "too many: there may be 32";
		names->names[names->n++] = word;
	}
	return NULL;
}

static const char *take_groups(const struct setting *setting, const char *value, void *userdata)
{
	return read_names(value, is_group, PART, &((struct options *)userdata)->groups);
}

static const char *take_buttons(const struct setting *setting, const char *value, void *userdata)
{
	return read_names(value, is_button,
		"a button's name is like an LED's, and neither set nor availability",
		&((struct options *)userdata)->buttons);
}

static const char *take_contacts(const struct setting *setting, const char *value, void *userdata)
{
	return contacts_read(value, &((struct options *)userdata)->contacts);
}

static const char *take_user(const struct setting *setting, const char *value, void *userdata)
{
	((struct options *)userdata)->broker.user = *value ? value : NULL;
	return NULL;
}

/* The password is the first line of a file. If that is empty, there is none. */
static const char *take_password(const struct setting *setting, const char *path, void *userdata)
{
	struct options *options = userdata;
	char line[PASSWORD_MAX + 2] = "";
	size_t length;
	FILE *file;

	free(options->password);
	options->password = NULL;
	if (!*path)
		return NULL;
	file = fopen(path, "re");
	if (!file)
		return strerror(errno);
	if (!fgets(line, sizeof line, file))
		*line = '\0';
	fclose(file);
	length = strcspn(line, "\r\n");
	if (length > PASSWORD_MAX)
		return "a password has at most 1023 bytes";
	if (length > 0)
		options->password = strndup(line, length);
	explicit_bzero(line, sizeof line);
	return NULL;
}

/* Takes the name of a file, which has to be readable; or "" for none. */
static const char *take_file(const char *value, const char **file)
{
	*file = *value ? value : NULL;
	return *file && access(*file, R_OK) < 0 ? strerror(errno) : NULL;
}

static const char *take_cafile(const struct setting *setting, const char *value, void *userdata)
{
	return take_file(value, &((struct options *)userdata)->broker.transport.ca_file);
}

static const char *take_cert(const struct setting *setting, const char *value, void *userdata)
{
	return take_file(value, &((struct options *)userdata)->broker.transport.cert);
}

static const char *take_key(const struct setting *setting, const char *value, void *userdata)
{
	return take_file(value, &((struct options *)userdata)->broker.transport.key);
}

static const char *take_line(const struct setting *setting, const char *value, void *userdata)
{
	return address_parse_line(value, &((struct options *)userdata)->line);
}

static const char *take_listen(const struct setting *setting, const char *value, void *userdata)
{
	struct address *listen = &((struct options *)userdata)->listen;
	const char *why = address_parse(value, listen);

	return why || *listen->path ? why : "buttons connect to the path of a socket";
}

static const char *take_forget(const struct setting *setting, const char *value, void *userdata)
{
	((struct options *)userdata)->forget = true;
	return NULL;
}

/* --- all of them ------------------------------------------------------------------------ */

enum {
	BROKER,
	BASE,
	HOST,
	GROUPS,
	SEND,
	USER,
	PASSWORD_FILE,
	CAFILE,
	CERT,
	KEY,
	DISCOVERY,
	BUTTONS,
	CONTACTS,
	NAME,
	AREA,
	WEB_PAGE,
	LINE,
	LISTEN,
	FORGET,
};

static const struct setting SETTINGS[] = {
	[BROKER] = {"--broker", "URL", "MQTT_BROKER", "mqtt://127.0.0.1", SETTING_VALUE,
		take_broker, "mqtt://HOST or mqtts://HOST, and :PORT after it", NULL},
	[BASE] = {"--base", "TOPIC", "MQTT_BASE", "led", SETTING_VALUE, take_base,
		"the topic above all others", NULL},
	[HOST] = {"--host", "NAME", "MQTT_HOST", NULL, SETTING_VALUE, take_host,
		"the topic of this machine", "the machine's name"},
	[GROUPS] = {"--groups", "NAMES", "MQTT_GROUPS", "all", SETTING_TEXT, take_groups,
		"groups that this machine is in, with blanks between them", NULL},
	[SEND] = {"--send", "TOPIC", "MQTT_SEND", "group/all", SETTING_VALUE, take_send,
		"where a button's commands go: group/GROUP or HOST/NAME", NULL},
	[USER] = {"--user", "NAME", "MQTT_USER", NULL, SETTING_VALUE, take_user,
		"the user at the broker", NULL},
	[PASSWORD_FILE] = {"--password-file", "PATH", "MQTT_PASSWORD_FILE", NULL, SETTING_VALUE,
		take_password, "a file whose first line is the password", NULL},
	[CAFILE] = {"--cafile", "PATH", "MQTT_CAFILE", NULL, SETTING_VALUE, take_cafile,
		"for mqtts: CA certificates to check the broker's against", "/etc/ssl/certs"},
	[CERT] = {"--cert", "PATH", "MQTT_CERT", NULL, SETTING_VALUE, take_cert,
		"a certificate for this machine", NULL},
	[KEY] = {"--key", "PATH", "MQTT_KEY", NULL, SETTING_VALUE, take_key, "its key", NULL},
	[DISCOVERY] = {"--discovery", "TOPIC", "MQTT_DISCOVERY", "homeassistant", SETTING_EMPTY,
		take_discovery, "where Home Assistant looks for devices, or \"\"", NULL},
	[BUTTONS] = {"--buttons", "NAMES", "MQTT_BUTTONS", "", SETTING_TEXT, take_buttons,
		"buttons for Home Assistant, with blanks between them", NULL},
	[CONTACTS] = {"--contacts", "NAMES", "MQTT_CONTACTS", "", SETTING_TEXT, take_contacts,
		"contacts, with blanks between them, each NAME or NAME:CLASS", NULL},
	[NAME] = {"--name", "TEXT", "MQTT_NAME", NULL, SETTING_VALUE, take_name,
		"what Home Assistant calls this machine", "as --host"},
	[AREA] = {"--area", "TEXT", "MQTT_AREA", "", SETTING_VALUE, take_area,
		"the area of the home that Home Assistant suggests for it", NULL},
	[WEB_PAGE] = {"--url", "URL", "MQTT_URL", "", SETTING_VALUE, take_url,
		"the address of this machine's own page, for Home Assistant", NULL},
	[LINE] = {"--line", "ADDR", "LED_LINE", LINE_SOCKET, SETTING_VALUE, take_line,
		"where led-line is: a path or a numeric address", NULL},
	[LISTEN] = {"--listen", "PATH", "MQTT_LISTEN", SOCKET, SETTING_VALUE, take_listen,
		"the socket for buttons; not used when the service manager passes one", NULL},
	[FORGET] = {"--forget", "", NULL, NULL, SETTING_FLAG, take_forget,
		"clear the topics of this machine, and exit", NULL},
};

static const struct settings_table TABLE = {"led-mqtt",
	"Connects the LEDs of led-line, and buttons, to an MQTT broker.", "led-mqtt(8)", SETTINGS,
	sizeof SETTINGS / sizeof *SETTINGS};

/* Takes the kernel's name for this machine, which may have anything in it. */
static void use_own_name(struct options *options, struct settings *settings)
{
	if (gethostname(options->own_name, sizeof options->own_name - 1) < 0 ||
		take_host(NULL, options->own_name, options))
		settings_add_error(settings, &SETTINGS[HOST],
			"this machine's name cannot be a part of a topic: set MQTT_HOST");
}

/* What follows from the settings. */
static void derive(struct options *options)
{
	struct broker_options *broker = &options->broker;

	snprintf(options->send, sizeof options->send, "%s/%s", options->topics.base,
		options->send_to);
	options->discovery.topics = options->topics;
	options->discovery.model = board_read("/sys", options->model);
	if (!options->discovery.name || !*options->discovery.name)
		options->discovery.name = options->topics.host;
	/*
	 * The same at each connection. With it, the broker ends a connection that broke, and its
	 * will, before it lets the new one in.
	 */
	snprintf(options->id, sizeof options->id, "led-mqtt%s/%s/%s",
		options->forget ? "-forget" : "", options->topics.base, options->topics.host);
	broker->id = options->id;
	broker->password = options->password;
	if (!options->forget) {
		broker->will_topic =
			topics_write(&options->topics, "", "availability", options->will_topic);
		broker->will = TOPICS_OFFLINE;
	}
}

void options_read(struct options *options, struct settings *settings, char *argv[])
{
	const struct transport_options *transport = &options->broker.transport;

	settings_read(settings, &TABLE, argv, options);
	if (!options->topics.host)
		use_own_name(options, settings);
	if (options->password && !options->broker.user)
		settings_add_error(settings, &SETTINGS[USER], "a password needs a user");
	if (!transport->cert != !transport->key)
		settings_add_error(settings, &SETTINGS[transport->cert ? KEY : CERT],
			"missing: a certificate and its key go together");
	if (settings->n_errors == 0)
		derive(options);
}

void options_free(struct options *options)
{
	free(options->groups.text);
	free(options->buttons.text);
	free(options->password);
}
