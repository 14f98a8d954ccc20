/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "topics.h"

/* The longest password, in bytes. */
#define PASSWORD_MAX 1023

static const char PART[] = "a part of a topic has 1 to 64 letters, digits, dots, hyphens and _";

const char *settings_read_broker(const char *text, struct broker_address *broker)
{
	static const char WHY[] = "a broker is mqtt://HOST or mqtts://HOST, and :PORT behind it";
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

const char *settings_check_base(const char *text)
{
	if (strlen(text) > TOPIC_BASE_MAX)
		return "too long";
	return topics_is_path(text) ? NULL : PART;
}

const char *settings_check_host(const char *text)
{
	if (strcmp(text, "group") == 0)
		return "group is the topic of groups";
	return topics_is_part(text, strlen(text)) ? NULL : PART;
}

const char *settings_check_send(const char *text)
{
	const char *slash = strchr(text, '/');

	return slash && topics_is_part(text, (size_t)(slash - text)) &&
			       topics_is_part(slash + 1, strlen(slash + 1))
		       ? NULL
		       : "commands go to group/GROUP or to HOST/NAME";
}

const char *settings_check_discovery(const char *text)
{
	return *text ? settings_check_base(text) : NULL;
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

const char *settings_read_groups(const char *text, struct names *names)
{
	return read_names(text, is_group, PART, names);
}

const char *settings_read_buttons(const char *text, struct names *names)
{
	return read_names(text, is_button,
		"a button's name is like an LED's, and neither set nor availability", names);
}

const char *settings_read_password(const char *path, char **password)
{
	char line[PASSWORD_MAX + 2] = "";
	FILE *file = fopen(path, "re");
	size_t length;

	*password = NULL;
	if (!file)
		return strerror(errno);
	if (!fgets(line, sizeof line, file))
		*line = '\0';
	fclose(file);
	length = strcspn(line, "\r\n");
	if (length > PASSWORD_MAX)
		return "a password has at most 1023 bytes";
	if (length > 0)
		*password = strndup(line, length);
	explicit_bzero(line, sizeof line);
	return NULL;
}
