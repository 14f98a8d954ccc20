/* SPDX-License-Identifier: MIT */
#include "board.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

static char sys[] = "/tmp/test-board-XXXXXX";

/* Writes a file, with its directories. */
static void put(const char *name, const char *bytes, size_t n)
{
	char path[200];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", sys, name);
	for (char *p = path + strlen(sys) + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		mkdir(path, 0755);
	}
	file = fopen(path, "w");
	CHECK(file && fwrite(bytes, 1, n, file) == n && fclose(file) == 0);
}

#define PUT(name, literal) put(name, literal, sizeof literal - 1)
#define TREE "firmware/devicetree/base/model"
#define DMI "class/dmi/id/product_name"

TEST("the device tree's model, else the firmware's, else none")
{
	char text[BOARD_MAX], longer[2 * BOARD_MAX];

	CHECK(mkdtemp(sys));
	CHECK_TEXT(board_read(sys, text), "");
	PUT(DMI, "OptiPlex 3060  \n");
	CHECK_TEXT(board_read(sys, text), "OptiPlex 3060");
	PUT(TREE, "Raspberry Pi 3 Model B Rev 1.2\0");
	CHECK_TEXT(board_read(sys, text), "Raspberry Pi 3 Model B Rev 1.2");
	PUT(TREE, "");
	CHECK_TEXT(board_read(sys, text), "OptiPlex 3060");
	PUT(TREE, "a\xff");
	CHECK_TEXT(board_read(sys, text), "a");
	memset(longer, 'x', sizeof longer);
	put(TREE, longer, sizeof longer);
	CHECK(strlen(board_read(sys, text)) == BOARD_MAX - 1);
	PUT(TREE, " \n");
	PUT(DMI, "\n");
	CHECK_TEXT(board_read(sys, text), "");
	unlink(strcat(strcpy(longer, sys), "/" TREE));
	unlink(strcat(strcpy(longer, sys), "/" DMI));
	for (const char *const *name =
			(const char *const[]){"/firmware/devicetree/base", "/firmware/devicetree",
				"/firmware", "/class/dmi/id", "/class/dmi", "/class", "", NULL};
		*name; name++)
		CHECK(rmdir(strcat(strcpy(longer, sys), *name)) == 0);
}

TAP_MAIN
