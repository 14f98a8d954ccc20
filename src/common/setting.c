/* SPDX-License-Identifier: MIT */
#include "setting.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void setting_take(struct setting *setting, const char *argument)
{
	setting->value = argument;
	setting->source = setting->option;
}

void setting_complete(struct setting *setting)
{
	const char *value = getenv(setting->variable);

	if (setting->source || !value || !*value)
		return;
	setting->value = value;
	setting->source = setting->variable;
}

void setting_error(const struct setting *setting, const char *why)
{
	fprintf(stderr, "%s: %s=%s: %s\n", program_invocation_short_name,
		setting->source ? setting->source : setting->option, setting->value, why);
	exit(2);
}
