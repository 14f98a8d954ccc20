/* SPDX-License-Identifier: MIT */
#include "../../src/led-mqtt/settings.h"

#include <stdlib.h>
#include <unistd.h>

#include "tap.h"

static void brokers(void)
{
	static const struct {
		const char *text, *host;
		int port;
		bool tls;
	} GOOD[] = {
		{"mqtt://pi", "pi", 1883, false},
		{"mqtts://pi", "pi", 8883, true},
		{"mqtt://192.0.2.1:1884", "192.0.2.1", 1884, false},
		{"mqtts://[2001:db8::1]", "2001:db8::1", 8883, true},
		{"mqtt://[fe80::1%eth0]:1", "fe80::1%eth0", 1, false},
	};
	static const char *const BAD[] = {"", "pi", "mqtt:pi", "mqtt://", "mqtt://:1883",
		"http://pi", "mqtt://pi/", "mqtt://user@pi", "mqtt://pi:0", "mqtt://pi:65536",
		"mqtt://pi:x", "mqtt://::1", "mqtt://a b", "mqtt://[::1", "mqtt:///run/mqtt",
		"MQTT://pi"};
	struct broker_address broker;
	char text[300];

	for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
		CHECK(!settings_read_broker(GOOD[i].text, &broker));
		CHECK_TEXT(broker.host, GOOD[i].host);
		CHECK(broker.port == GOOD[i].port && broker.tls == GOOD[i].tls);
	}
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
		CHECK(settings_read_broker(BAD[i], &broker));
	memset(text, 'x', sizeof text);
	memcpy(text, "mqtt://", 7);
	for (size_t length = 200; length < sizeof text; length++) {
		text[length] = '\0';
		CHECK(!settings_read_broker(text, &broker) == (length - 7 < sizeof broker.host));
		text[length] = 'x';
	}
}

static void topics(void)
{
	char text[300];

	CHECK(!settings_check_base("led") && !settings_check_base("home/led"));
	CHECK(settings_check_base("") && settings_check_base("a/#") && settings_check_base("$SYS"));
	memset(text, 'x', sizeof text);
	text[60] = text[120] = '/';
	text[128] = '\0';
	CHECK(!settings_check_base(text));
	text[128] = 'x';
	text[129] = '\0';
	CHECK(settings_check_base(text));

	CHECK(!settings_check_host("pi") && !settings_check_host("pi.local"));
	CHECK(settings_check_host("") && settings_check_host("a/b") && settings_check_host("a+"));
	CHECK(settings_check_host("group"));

	CHECK(!settings_check_send("group/all") && !settings_check_send("pi/kitchen"));
	CHECK(settings_check_send("") && settings_check_send("all") && settings_check_send("a/"));
	CHECK(settings_check_send("a/b/c") && settings_check_send("/a") &&
		settings_check_send("a/+"));

	CHECK(!settings_check_discovery("") && !settings_check_discovery("homeassistant"));
	CHECK(settings_check_discovery("home assistant"));
}

static void lists(void)
{
	struct names names;
	char text[3 * NAMES_MAX + 3] = "";

	CHECK(!settings_read_groups(" all\tUpstairs\n ", &names));
	CHECK(names.n == 2);
	CHECK_TEXT(names.names[0], "all");
	CHECK_TEXT(names.names[1], "Upstairs");
	free(names.text);
	CHECK(!settings_read_groups("", &names) && names.n == 0);
	free(names.text);
	CHECK(settings_read_groups("all a/b", &names));
	free(names.text);
	CHECK(!settings_read_buttons("door bell-2", &names) && names.n == 2);
	free(names.text);
	for (size_t i = 0; i < 4; i++) {
		static const char *const BAD[] = {"Door", "set", "availability", "a_b"};

		CHECK(settings_read_buttons(BAD[i], &names));
		free(names.text);
	}
	for (int i = 0; i < NAMES_MAX; i++)
		strcat(text, "ab ");
	CHECK(!settings_read_groups(text, &names) && names.n == NAMES_MAX);
	free(names.text);
	strcat(text, "a");
	CHECK_TEXT(settings_read_groups(text, &names), "too many: there may be 32");
	free(names.text);
}

/* The password in a file with this text. */
static const char *password_of(const char *text)
{
	static char *password;
	char path[] = "/tmp/led-mqtt-test.XXXXXX";
	int fd = mkstemp(path);
	const char *why;

	free(password);
	if (write(fd, text, strlen(text)) < 0)
		return NULL;
	close(fd);
	why = settings_read_password(path, &password);
	unlink(path);
	return why ? why : password ? password : "";
}

static void passwords(void)
{
	char text[2000], *password;

	CHECK_TEXT(password_of("secret"), "secret");
	CHECK_TEXT(password_of("a secret \r\nand more"), "a secret ");
	CHECK_TEXT(password_of(""), "");
	CHECK_TEXT(password_of("\n"), "");
	memset(text, 'x', sizeof text);
	text[1023] = '\0';
	CHECK_TEXT(password_of(text), text);
	text[1023] = 'x';
	text[1999] = '\0';
	CHECK_TEXT(password_of(text), "a password has at most 1023 bytes");
	CHECK_TEXT(password_of(""), "");
	CHECK_TEXT(settings_read_password("/nowhere", &password), "No such file or directory");
}

TAP_MAIN({"a broker is a URL", brokers}, {"parts of topics are checked", topics},
	{"lists of groups and buttons", lists},
	{"a password is the first line of a file", passwords})
