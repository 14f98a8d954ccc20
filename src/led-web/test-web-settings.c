/* SPDX-License-Identifier: MIT */
#include "web-settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

static struct web_settings web;
static struct settings settings;
static char path[] = "/tmp/test-web-settings.XXXXXX";

/* Reads such a command line, and frees what was read before. */
static void read_line(char *first, char *second)
{
	static char program[] = "led-web";
	char *argv[] = {program, first, second, NULL};

	web_settings_free(&web);
	settings_free(&settings);
	web = (struct web_settings){0};
	web_settings_read(&web, &settings, argv);
}

/* Reads an option. Returns why the first wrong thing is wrong, or "". */
static const char *why(const char *option, const char *value)
{
	static char argument[600];

	snprintf(argument, sizeof argument, "--%s=%s", option, value);
	read_line(argument, NULL);
	return settings.n_errors > 0 ? settings.errors[0].why : "";
}

/* Writes the file that path names. */
static void write_file(const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0 && chmod(path, mode) == 0);
}

TEST("without settings, all is as the manual says")
{
	char name[256] = "";

	clearenv();
	read_line(NULL, NULL);
	gethostname(name, sizeof name - 1);
	CHECK(settings.n_errors == 0);
	CHECK_TEXT(web.name, name);
	CHECK_TEXT(web.hosts, "");
	CHECK_TEXT(web.allow, "private");
	CHECK_TEXT(web.line.path, LINE_SOCKET);
	CHECK_TEXT(web.listen.port, "5557");
	CHECK(!web.password && !web.cert && !web.key && !web_settings_hide(&web));
}

TEST("titles and names are checked")
{
	CHECK_TEXT(why("name", "Kitchen <Pi>"), "");
	CHECK_TEXT(web.name, "Kitchen <Pi>");
	CHECK(*why("name", "a\x07"));
	CHECK_TEXT(why("hosts", "led.example.org  pi.example"), "");
	CHECK_TEXT(web.hosts, "led.example.org  pi.example");
	CHECK(*why("hosts", "led.example.org:5557"));
	CHECK(*why("hosts", "http://led.example.org"));
	CHECK(*why("hosts", "*.example.org"));
}

TEST("addresses are checked, and with a wrong LED_ALLOW nobody learns what is wrong")
{
	CHECK_TEXT(why("allow", "any"), "");
	CHECK(*why("allow", "privat") && web_settings_hide(&web));
	CHECK(*why("line", "pi:5555") && !web_settings_hide(&web));
	CHECK_TEXT(why("line", "127.0.0.1:5555"), "");
	CHECK_TEXT(why("listen", "[::1]:8080"), "");
	CHECK(*why("listen", "nothing"));
}

TEST("a password is the first line of a file that nobody else can read")
{
	write_file("anna:secret\nmore\n", 0600);
	CHECK_TEXT(why("password-file", path), "");
	CHECK_TEXT(web.password, "anna:secret");
	write_file("anna\n", 0600);
	CHECK_TEXT(why("password-file", path), "the first line has to be USER:PASSWORD");
	write_file("anna:secret\n", 0644);
	CHECK(strstr(why("password-file", path), "chmod 600"));
	write_file("\n", 0600);
	CHECK_TEXT(why("password-file", path), "");
	CHECK(!web.password);
	CHECK_TEXT(why("password-file", "/nonexistent"), "No such file or directory");
}

TEST("a certificate and its key go together, and others may read the first")
{
	static char cert[64], key[64];

	write_file("certificate", 0644);
	snprintf(cert, sizeof cert, "--cert=%s", path);
	snprintf(key, sizeof key, "--key=%s", path);
	read_line(cert, NULL);
	CHECK(settings.n_errors == 1);
	CHECK_TEXT(settings.errors[0].why, "missing: a certificate and its key go together");
	CHECK_TEXT(settings.errors[0].source, "WEB_KEY");
	read_line(cert, key);
	CHECK(settings.n_errors == 1 && strstr(settings.errors[0].why, "chmod 600"));
	write_file("certificate", 0600);
	read_line(cert, key);
	CHECK(settings.n_errors == 0 && web.cert && web.key);
	CHECK_TEXT(web.cert, "certificate");
	web_settings_refuse_cert(&settings);
	CHECK(settings.n_errors == 1);
	CHECK_TEXT(settings.errors[0].source, "--cert");
}

int main(void)
{
	int fd = mkstemp(path), status;

	if (fd < 0)
		return 1;
	close(fd);
	status = tap_run();
	web_settings_free(&web);
	settings_free(&settings);
	unlink(path);
	return status;
}
