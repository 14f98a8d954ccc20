/* SPDX-License-Identifier: MIT */
#include "spec.h"

#include "tap.h"

static const char *argument;

TEST("a SPEC is for the backend before its first colon")
{
	CHECK(spec_is_for("gpio:GPIO17", "gpio", &argument));
	CHECK_TEXT(argument, "GPIO17");
	CHECK(spec_is_for("gpio:a:b", "gpio", &argument));
	CHECK_TEXT(argument, "a:b");
	CHECK(!spec_is_for("gpio:GPIO17", "gpi", &argument));
	CHECK(!spec_is_for("gpi:GPIO17", "gpio", &argument));
	CHECK(!spec_is_for("GPIO:GPIO17", "gpio", &argument));
	CHECK(!spec_is_for(":gpio", "gpio", &argument));
	CHECK(!spec_is_for("", "gpio", &argument));
}

TEST("no argument is not an empty one")
{
	CHECK(spec_is_for("log", "log", &argument) && !argument);
	CHECK(spec_is_for("log:", "log", &argument));
	CHECK_TEXT(argument, "");
}

TAP_MAIN
