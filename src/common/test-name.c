/* SPDX-License-Identifier: MIT */
#include "name.h"
#include "tap.h"

TEST("names for people")
{
	static const char *const NAMES[][2] = {{"kitchen", "Kitchen"},
		{"garden-pump", "Garden pump"}, {"a", "A"}, {"a-b-c1", "A b c1"},
		{"sixteen-letters1", "Sixteen letters1"}};
	char text[COMMAND_NAME_MAX + 1];

	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
		CHECK_TEXT(name_for_people(NAMES[i][0], text), NAMES[i][1]);
}

int main(void)
{
	return tap_run();
}
