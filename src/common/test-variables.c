/* SPDX-License-Identifier: MIT */
#include "variables.h"

#include "logged.h"
#include "tap.h"

static const char *nearest(const char *name)
{
	const char *found = variables_nearest(name, strlen(name));

	return found ? found : "-";
}

TEST("a typing error has the name that was meant")
{
	static const char *const WRONG[][2] = {
		{"LEDS", "LED"},
		{"led", "LED"},
		{"LDE", "LED"},
		{"ED", "LED"},
		{"LE", "LED"},
		{"LID", "LED"},
		{"LED_", "LED"},
		{"LED_X", "LED"},
		{"LED_INTIAL", "LED_INITIAL"},
		{"LED_INIITAL", "LED_INITIAL"},
		{"led_allow", "LED_ALLOW"},
		{"LEDALLOW", "LED_ALLOW"},
		{"BUTTON_COMMAND", "BUTTON_COMMANDS"},
		{"BUTTONS", "BUTTON"},
		{"BUTON", "BUTTON"},
		{"UBTTNO", "BUTTON"},
		{"MQTT_BORKER", "MQTT_BROKER"},
		{"MTQT_BORKER", "MQTT_BROKER"},
		{"TLS_CONNCT", "TLS_CONNECT"},
		{"XMQTT_HOSTX", "MQTT_HOST"},
	};

	for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
		CHECK_TEXT(nearest(WRONG[i][0]), WRONG[i][1]);
}

TEST("what begins as a setting of ours is none by its name alone")
{
	CHECK_TEXT(nearest("MQTT_PASSWORD"), "MQTT_PASSWORD_FILE");
	CHECK_TEXT(nearest("LED_LINE_ADDRESS"), "LED_LINE");
	CHECK(variables_nearest("web_anything", 12));
	CHECK(variables_nearest("TLS_", 4) && variables_nearest("button_x", 8));
}

TEST("settings, and names that are far from any, are no errors")
{
	static const char *const RIGHT[] = {"LED", "LED_INITIAL", "BUTTON", "MQTT_USER",
		"TLS_CONNECT", "BUTTON_RELEASE_COMMANDS", "PATH", "HOME", "TERM", "PWD", "LANG", "",
		"LESS", "LEDSX", "LUX", "EDITOR", "USER", "LISTEN_FDS", "NOTIFY_SOCKET",
		"INVOCATION_ID", "STATE_DIRECTORY", "MQT_USEXX", "WEB", "ABUTTONSX"};

	for (size_t i = 0; i < sizeof RIGHT / sizeof *RIGHT; i++)
		CHECK_TEXT(nearest(RIGHT[i]), "-");
}

TEST("a warning is one line of at most 200 printable characters, without the value")
{
	char escape[] = "LED_\033[2J\n<3>\xc3\xa4=s3cret", none[] = "LED_", home[] = "HOME=/";
	char secret[] = "MQTT_BROKER:me:pw@pi=x", url[] = "MQTT_URL=x";
	char *all[] = {escape, none, home, secret, url, NULL};

	variables_warn(all);
	CHECK_TEXT(logged(),
		"LED_?[2J?<3>?? is no setting, and is ignored: LED_ALLOW is the nearest\n"
		"LED_ is no setting, and is ignored: LED is the nearest\n"
		"... is no setting, and is ignored: MQTT_BROKER is the nearest\n");
}

TEST("a long name is cut, and its warning says so")
{
	char name[300] = "BUTTON_RELEASE_COMMANDS", wanted[400], *all[] = {name, NULL};

	for (size_t n = strlen(name); n < sizeof name - 1; n++) {
		name[n] = 'x';
		variables_warn(all);
		snprintf(wanted, sizeof wanted,
			"%.*s%s is no setting, and is ignored: BUTTON_RELEASE_COMMANDS is the "
			"nearest\n",
			n < 130 ? 130 : 127, name, n < 130 ? "" : "...");
		CHECK_TEXT(logged(), wanted);
		CHECK(n < 129 || strlen(wanted) == 201);
	}
}

TEST("only the name counts, and of a long one the beginning")
{
	char name[300];

	CHECK(!variables_nearest("LED=LEDS", 3));
	CHECK_TEXT(variables_nearest("LEDX=LEDS", 4), "LED");
	memset(name, 'X', sizeof name);
	CHECK(!variables_nearest(name, sizeof name));
	memcpy(name, "MQTT_", 5);
	CHECK(variables_nearest(name, sizeof name));
}

TAP_MAIN
