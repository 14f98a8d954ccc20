/* SPDX-License-Identifier: MIT */
#ifndef SETTINGS_H
#define SETTINGS_H

/*
 * The settings of a program: one table, from which its options, its environment variables and its
 * --help are made. What is wrong with a setting is a value: the program decides whether to end.
 */

#include <stdbool.h>
#include <stddef.h>

/* What the text of a variable or of a default is. An option has one value, and may come again. */
enum setting_kind {
	SETTING_VALUE, /* one value on one line */
	SETTING_TEXT,  /* one value, which may have several lines */
	SETTING_WORDS, /* several values, with blanks or newlines between them */
	SETTING_LIST,  /* several values, with commas between them */
	SETTING_EMPTY, /* one value, and to set the variable to nothing sets it, too */
	SETTING_FLAG,  /* an option without a value, and without a variable */
};

struct setting {
	const char *option;   /* "--line" */
	const char *argument; /* what the option takes, for --help: "ADDR"; "" of a flag */
	const char *variable; /* "LED_LINE" */
	const char *standard; /* where neither sets it; or NULL, and there is no value then */
	enum setting_kind kind;
	/*
	 * Takes a value.
	 *
	 * setting: this one
	 * value: stays until settings_free(); "" of a flag
	 * options: of settings_read()
	 * Returns NULL, or what is wrong with it, a constant.
	 */
	const char *(*take)(const struct setting *setting, const char *value, void *options);
	const char *help; /* what it is, for --help; lines are broken there */
	const char *none; /* what --help says of the default in place of standard; or NULL */
};

/* A program. */
struct settings_table {
	const char *program; /* "led-line" */
	const char *purpose; /* what the program does, for --help; lines are broken there */
	const char *manual;  /* "led-line(8)" */
	const struct setting *settings;
	size_t n;
};

/* The most settings of a program. */
#define SETTINGS_MAX 24

/* So many things that are wrong are kept, and beyond that the first of each setting. */
#define SETTINGS_ERRORS_KEPT 48
#define SETTINGS_ERRORS_MAX (SETTINGS_ERRORS_KEPT + SETTINGS_MAX)

/* Room for an error as settings_error_text() writes it. */
#define SETTINGS_ERROR_TEXT_MAX 200

/* The answer where what is wrong is nobody's business, or concerns no single LED. */
#define SETTINGS_SEE_LOG "a setting is wrong: see the log"

/* Something that is wrong. */
struct settings_error {
	bool is_option;     /* on the command line, not in the environment */
	const char *source; /* the option or variable; NULL where there is no such option */
	const char *value;  /* what it says; NULL where the option has no value */
	const char *why;    /* a constant; where there is no source, a format for the value */
};

/* What the command line and the environment say. */
struct settings {
	const struct settings_table *table;
	struct {
		const char *source; /* the option or variable; NULL: as built in */
		const char *value;  /* the whole of it; NULL: none */
	} given[SETTINGS_MAX];      /* by the table's index */
	struct settings_error errors[SETTINGS_ERRORS_MAX];
	unsigned n_errors;
	unsigned n_more;           /* things that are wrong, too, and are not kept */
	char *texts[SETTINGS_MAX]; /* of variables and defaults, cut into values */
};

/*
 * Reads the options, then for each setting without one the variable, else the default, and has each
 * value taken. An empty variable is as none. Prints what --help or --version ask for, and ends the
 * program.
 *
 * settings: set to what was read; settings_free() frees it
 * options: passed to take()
 */
void settings_read(
	struct settings *settings, const struct settings_table *table, char *argv[], void *options);

/* Adds what is wrong with a setting that has been read, such as that another one is missing. */
void settings_add_error(struct settings *settings, const struct setting *setting, const char *why);

/*
 * Writes what is wrong: "led-line: LED_LISTEN=pi: ...". It is one line of printable ASCII; a long
 * value is cut off, and one that may have a password (a colon, later an at sign) is left out.
 *
 * prefix: what comes first, such as the program's name
 * Returns text.
 */
const char *settings_error_text(
	const struct settings_error *error, const char *prefix, char text[SETTINGS_ERROR_TEXT_MAX]);

/* Says in the log what is wrong: a line for each setting. */
void settings_log(const struct settings *settings);

/* Prints what is wrong, by its number, and ends the program: status 2. */
_Noreturn void settings_exit(const struct settings *settings, unsigned number);

/* If something is wrong, prints it, the first if there is more, and ends the program: status 2. */
void settings_exit_if_wrong(const struct settings *settings);

void settings_free(struct settings *settings);

#endif
