/* SPDX-License-Identifier: MIT */

/*
 * Gives every file of a folder, and every beginning of it, to a fuzz target: replay FOLDER
 *
 * Needs no clang. A file is tried in a process of its own, so that a crash is one failure.
 */

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

static int is_file(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

/* Tries the first bytes of a file, in a block that ends with them. */
static void try_start(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size + !size);

	MUST(copy);
	memcpy(copy, bytes, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void try_file(const char *path)
{
	static uint8_t bytes[65536];
	FILE *file = fopen(path, "re");
	size_t size;

	MUST(file);
	size = fread(bytes, 1, sizeof bytes, file);
	MUST(size < sizeof bytes && fclose(file) == 0);
	for (size_t start = 0; start <= size; start++)
		try_start(bytes, start);
}

int main(int argc, char **argv)
{
	struct dirent **entries = NULL;
	int n = argc == 2 && chdir(argv[1]) == 0 ? scandir(".", &entries, is_file, alphasort) : -1;
	bool any_failed = false;

	printf("1..%d\n", n);
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		int status = -1;
		pid_t child;

		fflush(stdout);
		child = fork();
		if (child == 0) {
			try_file(name);
			exit(0);
		}
		if (child > 0)
			waitpid(child, &status, 0);
		any_failed |= status != 0;
		printf("%sok %d - %s\n", status != 0 ? "not " : "", i + 1, name);
		free(entries[i]);
	}
	free(entries);
	return n <= 0 || any_failed;
}
