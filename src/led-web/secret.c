/* SPDX-License-Identifier: MIT */

/* Reads the files of the unit's credentials: systemd.exec(5), LoadCredential=. */

#include "secret.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Where the originals are. */
#define ORIGINALS "/etc/led/"

/* Room for the path of an original. */
#define PATH_ROOM (sizeof ORIGINALS + NAME_MAX)

/* The longest path in a command: a message has at most 200 characters, with the setting, too. */
#define COMMAND_PATH_MAX 100

/* Returns the file that a person can change: the original of a credential. */
static const char *original(const char *path, char room[PATH_ROOM])
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	size_t length = folder ? strlen(folder) : 0;

	if (length == 0 || strncmp(path, folder, length) != 0 || path[length] != '/' ||
		strchr(path + length + 1, '/'))
		return path;
	snprintf(room, PATH_ROOM, ORIGINALS "%s", path + length + 1);
	return room;
}

/* Whether a path may stand in a command as it is: a shell takes it for one word and no option. */
static bool is_plain(const char *path)
{
	static const char PLAIN[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789/._-";
	size_t length = strlen(path);

	return length <= COMMAND_PATH_MAX && *path != '-' && strspn(path, PLAIN) == length;
}

/*
 * Returns NULL, or the command that keeps others from reading a file. Of /etc, the unit shows the
 * program /etc/led alone.
 */
static const char *check_permissions(const char *path)
{
	static char whys[SECRET_FILES][COMMAND_PATH_MAX + 64];
	static unsigned next;
	char room[PATH_ROOM], *why = whys[next];
	struct stat file;

	path = original(path, room);
	if (stat(path, &file) < 0)
		/* Where a credential has no original, the unit has its own text. */
		return lstat(path, &file) == 0 ? "it is a link out of /etc/led: copy the file there"
					       : NULL;
	if (!(file.st_mode & (S_IRWXG | S_IRWXO)))
		return NULL;
	next = (next + 1) % SECRET_FILES;
	snprintf(why, sizeof whys[0], "others can read it: chmod 600 %s",
		is_plain(path) ? path : "it");
	return why;
}

const char *secret_read(const char *path, bool is_secret, char **text)
{
	const char *why = NULL;
	FILE *file;
	size_t n;

	*text = NULL;
	if (!*path)
		return NULL;
	file = fopen(path, "re");
	if (!file)
		return strerror(errno);
	if (is_secret)
		why = check_permissions(path);
	if (why) {
		fclose(file);
		return why;
	}
	*text = calloc(1, SECRET_MAX + 2);
	n = *text ? fread(*text, 1, SECRET_MAX + 1, file) : 0;
	if (!*text)
		why = "out of memory";
	else if (ferror(file))
		why = strerror(errno);
	else if (n > SECRET_MAX)
		why = "it has more than 64 KiB";
	else if (memchr(*text, '\0', n))
		why = "it has a NUL";
	fclose(file);
	if (*text && (why || strspn(*text, " \t\r\n") == n)) {
		secret_free(*text);
		*text = NULL;
	}
	return why;
}

void secret_free(char *text)
{
	if (text)
		explicit_bzero(text, SECRET_MAX + 2);
	free(text);
}
