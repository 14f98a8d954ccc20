/* SPDX-License-Identifier: MIT */

/* When the state file is written. */

#include "saving.h"

#include <string.h>

void saving_put(struct saving *saving, const char *text)
{
	strcpy(saving->wanted, text);
	saving->asked = true;
}

void saving_retry(struct saving *saving)
{
	saving->asked = *saving->wanted;
}

bool saving_begin(struct saving *saving)
{
	if (saving->busy || !saving->asked)
		return false;
	saving->asked = false;
	saving->busy = strcmp(saving->saved, saving->wanted) != 0;
	strcpy(saving->writing, saving->wanted);
	/* What a flush waits for has been taken back since. */
	if (!saving->busy)
		saving->awaited = 0;
	return saving->busy;
}

void saving_end(struct saving *saving, int result)
{
	saving->busy = false;
	strcpy(saving->saved, result < 0 ? "" : saving->writing);
	if (saving->awaited > 0)
		saving->awaited--;
}

void saving_flush(struct saving *saving)
{
	const char *file = saving->busy ? saving->writing : saving->saved;

	saving_retry(saving);
	saving->awaited = saving->busy;
	if (saving->asked && strcmp(file, saving->wanted) != 0)
		saving->awaited++;
}

bool saving_is_done(const struct saving *saving)
{
	return !saving->busy && !saving->asked;
}

bool saving_is_flushed(const struct saving *saving)
{
	return saving->awaited == 0;
}
