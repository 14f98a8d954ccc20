/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <stdlib.h>
#include <unistd.h>

#include "tap.h"

static struct options options;
static struct settings settings;
static char text[2000];

/* Reads such a command line, and frees what was read before. */
static void read_line(char *first, char *second)
{
	static char program[] = "led-mqtt";
	char *argv[] = {program, first, second, NULL};

	options_free(&options);
	settings_free(&settings);
	options = (struct options){0};
	options_read(&options, &settings, argv);
}

/* Reads an option, and one more or NULL. Returns why the first wrong thing is wrong, or "". */
static const char *why(const char *option, const char *value, const char *other)
{
	static char argument[sizeof text + 30], more[300];

	snprintf(argument, sizeof argument, "--%s=%s", option, value);
	snprintf(more, sizeof more, "%s", other ? other : "");
	read_line(argument, other ? more : NULL);
	return settings.n_errors > 0 ? settings.errors[0].why : "";
}

static bool is_right(const char *option, const char *value)
{
	return !*why(option, value, NULL);
}

TEST("without settings, all is as the manual says")
{
	char name[100] = "";

	clearenv();
	read_line(NULL, NULL);
	gethostname(name, sizeof name);
	CHECK(settings.n_errors == 0);
	CHECK_TEXT(options.broker.transport.address.host, "127.0.0.1");
	CHECK(options.broker.transport.address.port == 1883);
	CHECK_TEXT(options.topics.base, "led");
	CHECK_TEXT(options.topics.host, name);
	CHECK(options.groups.n == 1 && options.buttons.n == 0 && options.contacts.n == 0);
	CHECK_TEXT(options.send, "led/group/all");
	CHECK_TEXT(options.line.path, LINE_SOCKET);
	CHECK_TEXT(options.listen.path, "/run/led/mqtt.sock");
	CHECK(!options.broker.user && !options.broker.password && !options.forget);
}

TEST("what follows from the settings: the client, its will, and the topics")
{
	static char host[] = "--host=pi", base[] = "--base=a/b", forget[] = "--forget";

	clearenv();
	read_line(host, base);
	CHECK_TEXT(options.broker.id, "led-mqtt/a/b/pi");
	CHECK_TEXT(options.broker.will_topic, "a/b/pi/availability");
	CHECK_TEXT(options.broker.will, "offline");
	CHECK_TEXT(options.send, "a/b/group/all");
	CHECK_TEXT(options.discovery.prefix, "homeassistant");
	CHECK_TEXT(options.discovery.topics.base, "a/b");
	CHECK_TEXT(options.discovery.name, "pi");
	CHECK_TEXT(options.discovery.area, "");
	CHECK_TEXT(options.discovery.url, "");
	CHECK(options.discovery.model);
	/* --forget must neither end the connection of the service, nor leave a will. */
	read_line(host, forget);
	CHECK(options.forget);
	CHECK_TEXT(options.broker.id, "led-mqtt-forget/led/pi");
	CHECK(!options.broker.will && !options.broker.will_topic);
	CHECK(!*why("discovery", "", "--host=pi"));
	CHECK_TEXT(options.discovery.prefix, "");
}

TEST("a broker is a URL")
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
	const struct broker_address *broker = &options.broker.transport.address;

	for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
		CHECK(is_right("broker", GOOD[i].text));
		CHECK_TEXT(broker->host, GOOD[i].host);
		CHECK(broker->port == GOOD[i].port && broker->tls == GOOD[i].tls);
	}
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
		CHECK(!is_right("broker", BAD[i]));
	memset(text, 'x', 300);
	memcpy(text, "mqtt://", 7);
	for (size_t length = 200; length < 300; length++) {
		text[length] = '\0';
		CHECK(is_right("broker", text) == (length - 7 < sizeof broker->host));
		text[length] = 'x';
	}
}

TEST("texts for people have a length")
{
	memset(text, 'x', 129);
	text[129] = '\0';
	CHECK(!is_right("name", text) && !is_right("area", text));
	text[128] = '\0';
	CHECK(is_right("name", text) && is_right("area", text));
	CHECK_TEXT(options.discovery.area, text);
}

TEST("the address of a page is one of the web")
{
	static const char *const GOOD[] = {"http://pi", "https://pi:5557/leds?x#y",
		"http://[::1]:80/", "http://[fe80::1]?x", "http://pi_2.local:65535#[",
		"http://user:pw@pi:1/@:", ""};
	static const char *const BAD[] = {"pi", "http:/pi", "http://", "https:///x", "ftp://pi",
		"homeassistant://x", "http://a b", "http://a\n", "http://\xc3\xbc", " http://pi",
		"xhttp://pi",
		/* Home Assistant would refuse all that such an address comes with. */
		"http://[::1", "http://[pi]", "http://[::1]x", "http://[::1]:x", "http://::1/",
		"http://pi:0", "http://pi:65536/", "http://pi:", "http://pi:80x", "http://pi]",
		"http://a[b]@pi", "http://user@", "http://user@:80", "http://a,b/", "http://[]"};

	for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
		CHECK(is_right("url", GOOD[i]));
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
		CHECK(!is_right("url", BAD[i]));
	memset(text, 'x', 513);
	memcpy(text, "http://pi/", 10);
	text[513] = '\0';
	CHECK(!is_right("url", text));
	text[512] = '\0';
	CHECK(is_right("url", text));
}

TEST("parts of topics are checked")
{
	static const struct {
		const char *option, *value;
		bool is_right;
	} CASES[] = {
		{"base", "led", true},
		{"base", "home/led", true},
		{"base", "", false},
		{"base", "a/#", false},
		{"base", "$SYS", false},
		{"host", "pi", true},
		{"host", "pi.local", true},
		{"host", "", false},
		{"host", "a/b", false},
		{"host", "a+", false},
		{"host", "group", false},
		{"send", "group/all", true},
		{"send", "pi/kitchen", true},
		{"send", "", false},
		{"send", "all", false},
		{"send", "a/", false},
		{"send", "a/b/c", false},
		{"send", "/a", false},
		{"send", "a/+", false},
		{"discovery", "", true},
		{"discovery", "homeassistant", true},
		{"discovery", "home assistant", false},
	};

	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
		CHECK(is_right(CASES[i].option, CASES[i].value) == CASES[i].is_right);
	memset(text, 'x', 300);
	text[60] = text[120] = '/';
	text[128] = '\0';
	CHECK(is_right("base", text));
	text[128] = 'x';
	text[129] = '\0';
	CHECK_TEXT(why("base", text, NULL), "too long");
}

TEST("lists of groups and buttons")
{
	CHECK(is_right("groups", " all\tUpstairs\n "));
	CHECK(options.groups.n == 2);
	CHECK_TEXT(options.groups.names[0], "all");
	CHECK_TEXT(options.groups.names[1], "Upstairs");
	CHECK(is_right("groups", "") && options.groups.n == 0);
	CHECK(!is_right("groups", "all a/b"));
	CHECK(is_right("buttons", "door bell-2") && options.buttons.n == 2);
	CHECK(!is_right("buttons", "Door") && !is_right("buttons", "set"));
	CHECK(!is_right("buttons", "availability") && !is_right("buttons", "a_b"));
	CHECK(is_right("contacts", "door:door\tbell-2") && options.contacts.n == 2);
	CHECK(!is_right("contacts", "door:Door") && !is_right("contacts", "set"));
	*text = '\0';
	for (int i = 0; i < NAMES_MAX; i++)
		strcat(text, "ab ");
	CHECK(is_right("groups", text) && options.groups.n == NAMES_MAX);
	strcat(text, "a");
	CHECK_TEXT(why("groups", text, NULL), "too many: there may be 32");
	/* The last one counts. */
	CHECK(!*why("groups", "a b", "--groups=c") && options.groups.n == 1);
}

/* The password in a file with this text. */
static const char *password_of(const char *content)
{
	char path[] = "/tmp/led-mqtt-test.XXXXXX";
	int fd = mkstemp(path);
	const char *wrong;

	if (write(fd, content, strlen(content)) < 0)
		return NULL;
	close(fd);
	wrong = why("password-file", path, "--user=lamp");
	unlink(path);
	if (*wrong)
		return wrong;
	return options.broker.password ? options.broker.password : "";
}

TEST("a password is the first line of a file")
{
	CHECK_TEXT(password_of("secret"), "secret");
	CHECK_TEXT(options.broker.user, "lamp");
	CHECK_TEXT(password_of("a secret \r\nand more"), "a secret ");
	CHECK_TEXT(password_of(""), "");
	CHECK_TEXT(password_of("\n"), "");
	memset(text, 'x', sizeof text);
	text[1023] = '\0';
	CHECK_TEXT(password_of(text), text);
	text[1023] = 'x';
	text[1999] = '\0';
	CHECK_TEXT(password_of(text), "a password has at most 1023 bytes");
	CHECK_TEXT(why("password-file", "/nowhere", NULL), "No such file or directory");
	CHECK(is_right("password-file", ""));
	/* Any file that is there and can be read */
	CHECK_TEXT(why("password-file", "/proc/self/comm", NULL), "a password needs a user");
}

TEST("files for TLS can be read, and a certificate has its key")
{
	CHECK(is_right("cafile", "/proc/self/comm"));
	CHECK_TEXT(options.broker.transport.ca_file, "/proc/self/comm");
	CHECK(is_right("cafile", "") && !options.broker.transport.ca_file);
	CHECK_TEXT(why("cafile", "/nowhere", NULL), "No such file or directory");
	CHECK_TEXT(why("cert", "/proc/self/comm", NULL),
		"missing: a certificate and its key go together");
	CHECK_TEXT(settings.errors[0].source, "MQTT_KEY");
	/* Empty is not set. */
	CHECK(!*why("cert", "", NULL) && !*why("cert", "", "--key="));
	CHECK_TEXT(why("key", "/proc/self/comm", NULL),
		"missing: a certificate and its key go together");
	CHECK_TEXT(settings.errors[0].source, "MQTT_CERT");
	CHECK(!*why("key", "/proc/self/comm", "--cert=/proc/self/stat"));
	CHECK_TEXT(options.broker.transport.key, "/proc/self/comm");
	CHECK_TEXT(options.broker.transport.cert, "/proc/self/stat");
}

TEST("led-line is at a path or a number, and buttons connect to a path")
{
	CHECK(is_right("line", "/a") && is_right("line", "[::1]:5555"));
	CHECK(!is_right("line", "pi:5555") && !is_right("line", "x"));
	CHECK(is_right("listen", "/b"));
	CHECK_TEXT(options.listen.path, "/b");
	CHECK(!is_right("listen", "5555") && !is_right("listen", "x"));
}

TAP_MAIN
