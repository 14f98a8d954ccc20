/* SPDX-License-Identifier: MIT */

/* Random keys for commands. */

#include "key.h"

#include <sys/random.h>

void key_make(char key[COMMAND_KEY_MAX + 1])
{
	static const char DIGITS[32] = "abcdefghijklmnopqrstuvwxyz234567";
	unsigned char random[COMMAND_KEY_MAX];

	*key = '\0';
	if (getrandom(random, sizeof random, 0) != sizeof random)
		return;
	for (size_t i = 0; i < COMMAND_KEY_MAX; i++)
		key[i] = DIGITS[random[i] % sizeof DIGITS];
	key[COMMAND_KEY_MAX] = '\0';
}
