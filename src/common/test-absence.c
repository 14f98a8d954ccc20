/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "absence.h"
#include "tap.h"

#define SEC 1000000ULL

static struct absence absence;

static void begin(void)
{
	absence = (struct absence){0};
}

TEST("each reason is logged once, in a row")
{
	begin();
	CHECK(absence_go_on(&absence, -ENODEV, "a", 0));
	CHECK(!absence_go_on(&absence, -ENODEV, "a", 1));
	CHECK(!absence_go_on(&absence, -EIO, "a", 2));
	CHECK(absence_go_on(&absence, -ENODEV, "b", 3));
	CHECK(!absence_go_on(&absence, -ENODEV, "b", 4));
	CHECK(absence_go_on(&absence, -ENODEV, "a", 5));
	CHECK_TEXT(absence.why, "a");
}

TEST("the return is logged if the absence was, and the reason is forgotten")
{
	begin();
	CHECK(!absence_end(&absence));
	CHECK(absence_go_on(&absence, -ENODEV, "a", 0));
	CHECK(absence_end(&absence));
	CHECK_TEXT(absence.why, "");
	CHECK(!absence_end(&absence));
	CHECK(absence_go_on(&absence, -ENODEV, "a", 9));

	/* Udev was in time: nothing was logged. */
	begin();
	CHECK(!absence_go_on(&absence, -EACCES, "denied", 0));
	CHECK_TEXT(absence.why, "denied");
	CHECK(!absence_end(&absence));
}

TEST("a missing permission is logged when it has lasted for five seconds")
{
	static const int DENIALS[] = {-EACCES, -EPERM};

	for (size_t i = 0; i < 2; i++) {
		begin();
		CHECK(!absence_go_on(&absence, DENIALS[i], "denied", 0));
		CHECK(!absence_go_on(&absence, DENIALS[1 - i], "denied", 5 * SEC - 1));
		CHECK(absence_go_on(&absence, DENIALS[i], "denied", 5 * SEC));
		CHECK(!absence_go_on(&absence, DENIALS[i], "denied", 60 * SEC));
	}
}

TEST("each time that a device appears, udev has its five seconds")
{
	begin();
	CHECK(!absence_go_on(&absence, -EACCES, "denied", 10 * SEC));
	CHECK(absence_go_on(&absence, -ENODEV, "none", 14 * SEC));
	CHECK(!absence_go_on(&absence, -EACCES, "denied", 16 * SEC));
	CHECK(!absence_go_on(&absence, -EACCES, "denied", 21 * SEC - 1));
	/* The permission came, and the device went. */
	CHECK(absence_end(&absence));
	CHECK(!absence_go_on(&absence, -EPERM, "denied", 22 * SEC));
	CHECK(!absence_go_on(&absence, -EPERM, "denied", 27 * SEC - 1));
	CHECK(absence_go_on(&absence, -EPERM, "denied", 27 * SEC));
}

TEST("a reason that is too long is cut, and still logged once")
{
	char why[2 * ABSENCE_WHY_MAX];

	begin();
	memset(why, 'x', sizeof why - 1);
	why[sizeof why - 1] = '\0';
	CHECK(absence_go_on(&absence, -EIO, why, 0));
	CHECK(strlen(absence.why) == ABSENCE_WHY_MAX - 1);
	CHECK(!absence_go_on(&absence, -EIO, why, 1));
}

TAP_MAIN
