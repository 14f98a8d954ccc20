/* SPDX-License-Identifier: MIT */

/* The name of this machine's board, as the kernel knows it. */

#include "board.h"

#include <stdio.h>

/* Reads the first line of a file, as far as it is printable ASCII. */
static const char *read_line(const char *sys, const char *name, char text[BOARD_MAX])
{
	char path[256];
	size_t length = 0;
	FILE *file;
	int c;

	snprintf(path, sizeof path, "%s/%s", sys, name);
	file = fopen(path, "re");
	while (file && length < BOARD_MAX - 1 && (c = fgetc(file)) >= ' ' && c <= '~')
		text[length++] = (char)c;
	while (length > 0 && text[length - 1] == ' ')
		length--;
	text[length] = '\0';
	if (file)
		fclose(file);
	return text;
}

const char *board_read(const char *sys, char text[BOARD_MAX])
{
	if (!*read_line(sys, "firmware/devicetree/base/model", text))
		read_line(sys, "class/dmi/id/product_name", text);
	return text;
}
