/* SPDX-License-Identifier: MIT */
#ifndef SETTING_H
#define SETTING_H

/* One thing to be set: by its option, else by its environment variable, else as built in. */

struct setting {
	const char *option, *variable;
	const char *value;  /* at first as built in */
	const char *source; /* the option or the variable, whichever set it */
};

/* Takes the option's argument. */
void setting_take(struct setting *setting, const char *argument);

/* Takes the variable, unless the option was given or the variable is empty. */
void setting_complete(struct setting *setting);

/* Says what is wrong with the value in one line, and ends the program with status 2. */
__attribute__((noreturn)) void setting_error(const struct setting *setting, const char *why);

#endif
