/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

/* What a program has taken: "line=/a word=x word=y". */
static char taken[4096];

/* Takes what does not begin with "bad". */
static const char *take(const struct setting *setting, const char *value, void *options)
{
	if (strncmp(value, "bad", 3) == 0)
		return "it is bad";
	if (*taken)
		strcat(options, " ");
	sprintf(taken + strlen(taken), "%s=%s", setting->option + 2, value);
	return NULL;
}

enum { LINE, TEXT, WORDS, LIST, EMPTY, FLAG, NONE };

static const struct setting SETTINGS[] = {
	[LINE] = {"--line", "ADDR", "X_LINE", "/built/in", SETTING_VALUE, take,
		"where led-line listens: a path, or a number that is quite long", NULL},
	[TEXT] = {"--text", "TEXT", "X_TEXT", NULL, SETTING_TEXT, take, "a text", NULL},
	[WORDS] = {"--word", "WORD", "X_WORDS", NULL, SETTING_WORDS, take, "a word", NULL},
	[LIST] = {"--item", "ITEM", "X_LIST", "one,two", SETTING_LIST, take, "an item", NULL},
	[EMPTY] = {"--discovery-topic", "TOPIC", "X_EMPTY", "home", SETTING_EMPTY, take,
		"a topic, or nothing", NULL},
	[FLAG] = {"--flag", "", NULL, NULL, SETTING_FLAG, take, "a flag", NULL},
	[NONE] = {"--none", "X", "X_NONE", NULL, SETTING_VALUE, take, "a value", "what there is"},
};

static const struct settings_table TABLE = {"program",
	"Does what a program does, one thing at a time, and tells people about it in more than a "
	"single line of words.",
	"program(8)", SETTINGS, sizeof SETTINGS / sizeof *SETTINGS};

static const struct settings_table *table = &TABLE;
static struct settings settings;

/* Reads a command line, which ends with NULL. Returns what was taken. */
#define READ(...) read_settings((const char *[]){"program", __VA_ARGS__})

static const char *read_settings(const char *argv[])
{
	settings_free(&settings);
	*taken = '\0';
	settings_read(&settings, table, (char **)argv, taken);
	return taken;
}

/* What is wrong, each on a line. */
static const char *errors(void)
{
	static char all[SETTINGS_ERRORS_MAX * SETTINGS_ERROR_TEXT_MAX];
	char text[SETTINGS_ERROR_TEXT_MAX];

	*all = '\0';
	for (unsigned i = 0; i < settings.n_errors; i++) {
		strcat(all, i > 0 ? "\n" : "");
		strcat(all, settings_error_text(&settings.errors[i], "p", text) + strlen("p: "));
	}
	return all;
}

#define BUILT_IN "line=/built/in item=one item=two discovery-topic=home"

TEST("an option, else the variable, else the default")
{
	CHECK_TEXT(READ(NULL), BUILT_IN);
	CHECK(!settings.given[LINE].source && !settings.given[NONE].value);
	CHECK_TEXT(settings.given[LINE].value, "/built/in");
	setenv("X_LINE", "/var", true);
	CHECK_TEXT(READ(NULL), "line=/var item=one item=two discovery-topic=home");
	CHECK_TEXT(settings.given[LINE].source, "X_LINE");
	CHECK_TEXT(READ("--line=/opt", NULL), "line=/opt item=one item=two discovery-topic=home");
	CHECK_TEXT(settings.given[LINE].source, "--line");
	CHECK_TEXT(settings.given[LINE].value, "/opt");
	CHECK_TEXT(
		READ("--line", "/opt", NULL), "line=/opt item=one item=two discovery-topic=home");
	CHECK_TEXT(READ("--line=", NULL), "line= item=one item=two discovery-topic=home");
	CHECK_TEXT(READ("--line=a=b", "--line", "--flag", NULL),
		"line=a=b line=--flag item=one item=two discovery-topic=home");
	setenv("X_LINE", "", true);
	CHECK_TEXT(READ(NULL), BUILT_IN);
	CHECK_TEXT(READ("--", NULL), BUILT_IN);
	unsetenv("X_LINE");
	CHECK_TEXT(READ("--flag", NULL), "flag= " BUILT_IN);
	CHECK(settings.given[FLAG].source && settings.n_errors == 0);
}

TEST("a variable of several values is cut into them, an option is one")
{
	setenv("X_WORDS", "  one\ttwo\n\nthree ", true);
	setenv("X_LIST", "LED ON, LED OFF,,x", true);
	setenv("X_TEXT", "one\ntwo", true);
	CHECK_TEXT(READ("--discovery-topic=x", NULL),
		"discovery-topic=x line=/built/in text=one\ntwo word=one word=two word=three"
		" item=LED ON item=LED OFF item= item=x");
	CHECK(settings.n_errors == 0);
	CHECK_TEXT(READ("--word=a b", "--item=a,b", "--item=", "--word=c", NULL),
		"word=a b item=a,b item= word=c line=/built/in text=one\ntwo discovery-topic=home");
	unsetenv("X_WORDS");
	unsetenv("X_LIST");
	unsetenv("X_TEXT");
}

TEST("only one kind of variable can be set to nothing")
{
	setenv("X_EMPTY", "", true);
	setenv("X_LIST", "", true);
	CHECK_TEXT(READ(NULL), "line=/built/in item=one item=two discovery-topic=");
	CHECK_TEXT(settings.given[EMPTY].source, "X_EMPTY");
	unsetenv("X_EMPTY");
	unsetenv("X_LIST");
}

TEST("what is wrong is a value, with where it comes from")
{
	setenv("X_WORDS", "good bad1 bad2", true);
	setenv("X_NONE", "bad3", true);
	CHECK_TEXT(READ("--line=bad0", NULL), "word=good item=one item=two discovery-topic=home");
	CHECK_TEXT(errors(), "--line=bad0: it is bad\nX_WORDS=bad1: it is bad\n"
			     "X_WORDS=bad2: it is bad\nX_NONE=bad3: it is bad");
	CHECK(settings.errors[0].is_option && !settings.errors[1].is_option);
	settings_add_error(&settings, &SETTINGS[WORDS], "they contradict each other");
	settings_add_error(&settings, &SETTINGS[LINE], "it is odd");
	settings_add_error(&settings, &SETTINGS[TEXT], "it is missing");
	settings_add_error(&settings, &SETTINGS[FLAG], "it is missing");
	CHECK(settings.n_errors == 8);
	memmove(settings.errors, settings.errors + 4, 4 * sizeof *settings.errors);
	settings.n_errors = 4;
	CHECK_TEXT(errors(), "X_WORDS=good bad1 bad2: they contradict each other\n"
			     "--line=bad0: it is odd\nX_TEXT: it is missing\n"
			     "--flag: it is missing");
	CHECK(!settings.errors[0].is_option && settings.errors[1].is_option);
	unsetenv("X_WORDS");
	unsetenv("X_NONE");
}

TEST("what is no option, and what lacks its value")
{
	CHECK_TEXT(READ("--lane=x", "x", "--", "--line=/x", NULL), BUILT_IN);
	CHECK_TEXT(errors(), "unrecognized option '--lane=x'\nunexpected argument 'x'\n"
			     "unexpected argument '--line=/x'");
	CHECK(settings.errors[0].is_option && settings.errors[1].is_option);
	/* One without its value is not as if it were not there. */
	CHECK_TEXT(READ("--flag=x", "-l", "-", "", "--lin=x", "--line", NULL),
		"item=one item=two discovery-topic=home");
	CHECK_TEXT(errors(), "option '--flag=x' takes no value\nunrecognized option '-l'\n"
			     "unexpected argument '-'\nunexpected argument ''\n"
			     "unrecognized option '--lin=x'\noption '--line' takes a value");
}

TEST("more is wrong than is kept: the first of each setting is, and the others are counted")
{
	const char *argv[SETTINGS_ERRORS_KEPT + 9] = {"program"};

	for (int i = 1; i <= SETTINGS_ERRORS_KEPT; i++)
		argv[i] = "--line=bad";
	read_settings(argv);
	CHECK(settings.n_errors == SETTINGS_ERRORS_KEPT && settings.n_more == 0);
	argv[SETTINGS_ERRORS_KEPT + 1] = "--line=bad";
	argv[SETTINGS_ERRORS_KEPT + 2] = "--word=bad";
	argv[SETTINGS_ERRORS_KEPT + 3] = "--word=bad";
	argv[SETTINGS_ERRORS_KEPT + 4] = "--lane";
	argv[SETTINGS_ERRORS_KEPT + 5] = "--lane";
	setenv("X_NONE", "bad", true);
	setenv("X_LIST", "bad1,bad2", true);
	read_settings(argv);
	settings_add_error(&settings, &SETTINGS[NONE], "it is odd");
	settings_add_error(&settings, &SETTINGS[TEXT], "it is missing");
	CHECK(settings.n_errors == SETTINGS_ERRORS_KEPT + 5 && settings.n_more == 5);
	memmove(settings.errors, settings.errors + SETTINGS_ERRORS_KEPT,
		5 * sizeof *settings.errors);
	settings.n_errors = 5;
	CHECK_TEXT(errors(), "--word=bad: it is bad\nunrecognized option '--lane'\n"
			     "X_LIST=bad1: it is bad\nX_NONE=bad: it is bad\n"
			     "X_TEXT: it is missing");
	unsetenv("X_NONE");
	unsetenv("X_LIST");
}

TEST("every setting is wrong more than once: there is room for the first of each")
{
	static const struct setting WORD = {
		"--word", "WORD", "X_WORDS", NULL, SETTING_WORDS, take, "a word", NULL};
	static struct setting many[SETTINGS_MAX];
	static const struct settings_table MANY = {
		"p", "Is.", "p(8)", many, sizeof many / sizeof *many};
	static char variables[SETTINGS_MAX][8];
	char words[SETTINGS_ERRORS_KEPT * 4 + 1] = "";

	for (int i = 0; i < SETTINGS_ERRORS_KEPT; i++)
		strcat(words, "bad ");
	for (int i = 0; i < SETTINGS_MAX; i++) {
		sprintf(variables[i], "X_%d", i);
		many[i] = WORD;
		many[i].option = variables[i];
		many[i].variable = variables[i];
		setenv(variables[i], words, true);
	}
	table = &MANY;
	READ(NULL);
	CHECK(settings.n_errors == SETTINGS_ERRORS_KEPT + SETTINGS_MAX - 1);
	READ("--x", NULL);
	CHECK(settings.n_errors == SETTINGS_ERRORS_KEPT + SETTINGS_MAX - 1);
	CHECK(settings.n_more == SETTINGS_ERRORS_KEPT * SETTINGS_MAX - settings.n_errors + 1);
	for (int i = 0; i < SETTINGS_MAX; i++)
		unsetenv(variables[i]);
	table = &TABLE;
}

TEST("a quote that is not closed is one line of an error")
{
	setenv("X_LINE", "/run/press\n# a comment\nX=y\n", true);
	CHECK_TEXT(READ(NULL), "item=one item=two discovery-topic=home");
	CHECK_TEXT(errors(), "X_LINE=/run/press?# a comment?X=y?: it has more than one line: "
			     "is a quote not closed?");
	unsetenv("X_LINE");
}

static const char *text_of(const char *source, const char *value, const char *why)
{
	static char text[SETTINGS_ERROR_TEXT_MAX];
	const struct settings_error error = {false, source, value, why};

	memset(text, '#', sizeof text);
	return settings_error_text(&error, "prefix", text) + strlen("prefix: ");
}

TEST("an error's text is short, printable, and without passwords")
{
	char value[400], wanted[400];

	CHECK_TEXT(text_of("X", "a\tb\x1b\x7f\xc3\xbc", "bad"), "X=a?b????: bad");
	CHECK_TEXT(text_of("X", " ~", "bad"), "X= ~: bad");
	CHECK_TEXT(text_of("X", "mqtt://lamp:s3cret@host", "bad"), "X: bad");
	CHECK_TEXT(text_of("X", "a@b:c", "bad"), "X=a@b:c: bad");
	CHECK_TEXT(text_of(NULL, "--b=mqtt://l:s@h", "no option '%s'"), "no option '...'");
	CHECK_TEXT(text_of("X", NULL, "bad"), "X: bad");
	CHECK_TEXT(text_of("X", "", "bad"), "X=: bad");
	for (size_t n = 1; n < sizeof value - 1; n++) {
		size_t room = SETTINGS_ERROR_TEXT_MAX - 1 - strlen("prefix: X=: bad");

		memset(value, 'v', n);
		value[n] = '\0';
		snprintf(wanted, sizeof wanted, "X=%.*s%s: bad", (int)(n <= room ? n : room - 3),
			value, n <= room ? "" : "...");
		CHECK_TEXT(text_of("X", value, "bad"), wanted);
		CHECK(strlen(text_of(NULL, value, "bad '%s'")) < SETTINGS_ERROR_TEXT_MAX);
		CHECK(strlen(text_of("X", "and what is longer", value)) < SETTINGS_ERROR_TEXT_MAX);
	}
}

/* Runs the program with an argument. Returns what it prints; status: set to how it exits. */
static const char *run(const char *argument, int *status)
{
	static char printed[4096];
	int pipes[2], child;
	size_t length = 0;
	ssize_t n;

	if (pipe(pipes) < 0 || fflush(stdout) != 0 || (child = fork()) < 0)
		return "";
	if (child == 0) {
		dup2(pipes[1], STDOUT_FILENO);
		dup2(pipes[1], STDERR_FILENO);
		close(pipes[0]);
		READ(argument, NULL);
		settings_exit_if_wrong(&settings);
		exit(99);
	}
	close(pipes[1]);
	while ((n = read(pipes[0], printed + length, sizeof printed - 1 - length)) > 0)
		length += (size_t)n;
	printed[length] = '\0';
	close(pipes[0]);
	waitpid(child, status, 0);
	*status = WEXITSTATUS(*status);
	return printed;
}

TEST("--help is made from the table, --version from the build")
{
	int status;

	CHECK_TEXT(run("--help", &status),
		"Usage: program [OPTION]...\n"
		"\n"
		"Does what a program does, one thing at a time, and tells people about it in\n"
		"more than a single line of words.\n"
		"\n"
		"      --line=ADDR  where led-line listens: a path, or a number that is quite\n"
		"                   long (default: $X_LINE, else /built/in)\n"
		"      --text=TEXT  a text (default: $X_TEXT, else none)\n"
		"      --word=WORD  a word (default: $X_WORDS, with blanks between them, else\n"
		"                   none)\n"
		"      --item=ITEM  an item (default: $X_LIST, with commas between them, else\n"
		"                   one,two)\n"
		"      --discovery-topic=TOPIC\n"
		"                   a topic, or nothing (default: $X_EMPTY, else home)\n"
		"      --flag       a flag\n"
		"      --none=X     a value (default: $X_NONE, else what there is)\n"
		"      --help       show this help\n"
		"      --version    show the version\n"
		"\n"
		"See program(8).\n");
	CHECK(status == 0);
	CHECK_TEXT(run("--version", &status), "program " VERSION "\n");
	CHECK(status == 0);
}

TEST("an option of 16 characters leaves room for words beside it, one of 17 does not")
{
	static const struct setting NARROW = {"--item-list", "ITEM", "X_ITEM", NULL, SETTING_VALUE,
					    take, "a list", NULL},
				    WIDE = {"--item-lists", "ITEM", "X_ITEM", NULL, SETTING_VALUE,
					    take, "a list", NULL};
	static const struct settings_table ONE = {"p", "Is.", "p(8)", &NARROW, 1},
					   OTHER = {"p", "Is.", "p(8)", &WIDE, 1};
	int status;

	table = &ONE;
	CHECK(strstr(run("--help", &status), "\n      --item-list=ITEM  a list ("));
	table = &OTHER;
	CHECK(strstr(
		run("--help", &status), "\n      --item-lists=ITEM\n                 a list ("));
	table = &TABLE;
}

TEST("the first error ends a program that wants it so")
{
	int status;

	CHECK_TEXT(run("--line=bad", &status), "program: --line=bad: it is bad\n");
	CHECK(status == 2);
	CHECK_TEXT(run("--line=good", &status), "");
	CHECK(status == 99);
}

int main(void)
{
	int status = tap_run();

	settings_free(&settings);
	return status;
}
