/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "configuration.h"
#include "tap.h"
#include "text.h"

static struct configuration configuration;

/* Reads options, which end with NULL, and the environment. Returns what is wrong, or "". */
#define READ(has_sockets, ...) read_all(has_sockets, (const char *[]){"led-line", __VA_ARGS__})

static const char *read_all(bool has_sockets, const char *argv[])
{
	static char wrong[4000];

	configuration_free(&configuration);
	configuration_read(&configuration, (char **)argv, has_sockets);
	configuration_wrong(&configuration, wrong, sizeof wrong);
	return wrong;
}

/* The same in a process of its own. Returns its exit status, or -1 where it is not ended. */
#define ENDS(has_sockets, ...) ends(has_sockets, (const char *[]){"led-line", __VA_ARGS__})

static int ends(bool has_sockets, const char *argv[])
{
	pid_t child;
	int status;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		configuration_free(&configuration);
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		configuration_read(&configuration, (char **)argv, has_sockets);
		_exit(99);
	}
	waitpid(child, &status, 0);
	return WEXITSTATUS(status) == 99 ? -1 : WEXITSTATUS(status);
}

TEST("the defaults")
{
	CHECK_TEXT(READ(false, NULL), "");
	CHECK(configuration.leds.n == 1 && configuration.n_listen == 1);
	CHECK_TEXT(configuration.leds.list[0].label, "gpio:GPIO17");
	CHECK_TEXT(configuration.listen[0].path, LINE_SOCKET);
	CHECK_TEXT(configuration.allow, "private");
	CHECK(configuration.leds.list[0].initial == INITIAL_OFF);
}

TEST("the first state of an LED without initial=")
{
	CHECK_TEXT(READ(true, "--initial=last", "--led=log", "--led=a=log,initial=on", NULL), "");
	CHECK(configuration.leds.list[0].initial == INITIAL_LAST);
	CHECK(configuration.leds.list[1].initial == INITIAL_ON);
}

TEST("what is wrong in the environment has its default, or is refused")
{
	setenv("LED", "a=log,initial=on b=x", true);
	setenv("LED_INITIAL", "lit", true);
	setenv("LED_ALLOW", "any x", true);
	for (int has_sockets = 0; has_sockets < 2; has_sockets++) {
		CHECK_TEXT(READ(has_sockets, NULL),
			"a setting is wrong: LED=b=x: an LED is gpio:LINE, gpio:CHIP/OFFSET, "
			"leds:NAME or log; a setting is wrong: LED_INITIAL=lit: initial is off, on "
			"or last; a setting is wrong: LED_ALLOW=any x: it is private, any, or "
			"prefixes such as 203.0.113.0/24");
		CHECK(configuration.leds.list[0].initial == INITIAL_ON);
		CHECK(configuration.leds.list[1].initial == INITIAL_OFF);
		CHECK(!configuration.allow);
	}
	setenv("LED_INITIAL", "last\nlast", true);
	READ(true, NULL);
	CHECK(configuration.initial == INITIAL_OFF);
	unsetenv("LED_INITIAL");
	unsetenv("LED_ALLOW");
	setenv("LED", " ", true);
	CHECK_TEXT(READ(true, NULL), "a setting is wrong: LED= : no LED");
	CHECK(configuration.leds.n == 0);
	unsetenv("LED");
	CHECK_TEXT(READ(true, "--allow=x", "--allow=any", NULL),
		"a setting is wrong: --allow=x: it is private, any, or prefixes such as "
		"203.0.113.0/24");
	CHECK(!configuration.allow);
}

TEST("a wrong option ends it where no socket was passed")
{
	static const char *const WRONG[] = {"--led=x", "--led=a=log,x", "--initial=x", "--allow=x",
		"--lead=x", "x", "--led", "--led=LED=log", "--led=#"};

	for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
		CHECK(ENDS(false, WRONG[i], NULL) == 2);
		CHECK(ENDS(true, WRONG[i], NULL) == -1);
		CHECK(strstr(READ(true, WRONG[i], NULL), "a setting is wrong: "));
	}
	CHECK(ENDS(false, "--led=log", NULL) == -1);
	/* It need not be the first thing that is wrong. */
	setenv("LED", "x", true);
	setenv("LED_LISTEN", "x", true);
	CHECK(ENDS(false, NULL) == 2 && ENDS(true, NULL) == -1);
	unsetenv("LED");
	unsetenv("LED_LISTEN");
	/* An option without its value is not the default's LED. */
	READ(true, "--led", NULL);
	CHECK(configuration.leds.n == 0);
}

TEST("much that is wrong hides nothing that decides")
{
	char led[4000] = "";

	for (unsigned i = 0; i < 2 * SETTINGS_ERRORS_KEPT; i++)
		sprintf(led + strlen(led), "a%u=x ", i);
	setenv("LED", led, true);
	setenv("LED_INITIAL", "x", true);
	setenv("LED_LISTEN", "pi", true);
	setenv("LED_ALLOW", "x", true);
	CHECK(ENDS(false, NULL) == 2 && ENDS(true, NULL) == -1);
	READ(true, NULL);
	CHECK(!configuration.allow && configuration.settings.n_more == SETTINGS_ERRORS_KEPT);
	CHECK_TEXT(configuration.settings.errors[SETTINGS_ERRORS_KEPT].source, "LED_INITIAL");
	CHECK_TEXT(configuration.settings.errors[SETTINGS_ERRORS_KEPT + 1].source, "LED_ALLOW");
	CHECK(configuration.settings.n_errors == SETTINGS_ERRORS_KEPT + 2);
	unsetenv("LED");
	unsetenv("LED_INITIAL");
	unsetenv("LED_LISTEN");
	unsetenv("LED_ALLOW");
}

TEST("where to listen does not matter where a socket was passed")
{
	static const char *const WRONG[] = {"x", " ", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17"};

	for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
		setenv("LED_LISTEN", WRONG[i], true);
		CHECK(ENDS(false, NULL) == 2);
		CHECK_TEXT(READ(true, NULL), "");
		unsetenv("LED_LISTEN");
		CHECK(i > 0 || ENDS(false, "--listen", WRONG[i], NULL) == 2);
		CHECK_TEXT(READ(true, "--listen", WRONG[i], NULL), "");
	}
	READ(false, "--listen=1", "--listen=/x", NULL);
	CHECK(configuration.n_listen == 2);
}

TEST("what stays in the store, for as long as something is wrong")
{
	READ(true, "--led=log", NULL);
	CHECK(!configuration_keeps(&configuration, "line-a=gpio_GPIO5"));
	READ(true, "--led=log", "--lead=a=gpio:GPIO5", NULL);
	CHECK(configuration_keeps(&configuration, "line-a=gpio_GPIO5"));
	CHECK(!configuration_keeps(&configuration, "future"));
}

TEST("what has no room is counted, and not cut")
{
	char wrong[300], led[4000] = "";

	for (unsigned i = 0; i < 60; i++)
		sprintf(led + strlen(led), "a%u=x ", i);
	setenv("LED", led, true);
	READ(true, NULL);
	CHECK(configuration.leds.n == LEDS_MAX);
	for (size_t size = TEXT_MORE_MAX; size < sizeof wrong; size++) {
		memset(wrong, 'x', sizeof wrong);
		configuration_wrong(&configuration, wrong, size);
		CHECK(strlen(wrong) < size && wrong[size] == 'x');
		CHECK(strcmp(wrong, "and 60 more") == 0 || strstr(wrong, "; and 5"));
	}
	CHECK_TEXT(wrong,
		"a setting is wrong: LED=a0=x: an LED is gpio:LINE, gpio:CHIP/OFFSET, leds:NAME "
		"or log; a setting is wrong: LED=a1=x: an LED is gpio:LINE, gpio:CHIP/OFFSET, "
		"leds:NAME or log; a setting is wrong: LED=a2=x: an LED is gpio:LINE, "
		"gpio:CHIP/OFFSET, leds:NAME or log; and 57 more");
	unsetenv("LED");
	configuration_free(&configuration);
}

TAP_MAIN
