/* SPDX-License-Identifier: MIT */
#ifndef TAP_H
#define TAP_H

/* A test is a function; its checks speak in the Test Anything Protocol. */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool tap_failed;

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			printf("# %s:%d: not so: %s\n", __FILE__, __LINE__, #condition);           \
			tap_failed = true;                                                         \
		}                                                                                  \
	} while (0)

#define CHECK_TEXT(got, wanted)                                                                    \
	do {                                                                                       \
		const char *got_ = (got), *wanted_ = (wanted);                                     \
		if (!got_ || strcmp(got_, wanted_) != 0) {                                         \
			printf("# %s:%d: \"%s\", not \"%s\"\n", __FILE__, __LINE__,                \
				got_ ? got_ : "(null)", wanted_);                                  \
			tap_failed = true;                                                         \
		}                                                                                  \
	} while (0)

struct tap_test {
	const char *name;
	void (*run)(void);
};

/* Runs them all. Returns main()'s exit status. */
static inline int tap_run(const struct tap_test *tests, size_t n)
{
	bool any_failed = false;

	printf("1..%zu\n", n);
	for (size_t i = 0; i < n; i++) {
		tap_failed = false;
		tests[i].run();
		any_failed |= tap_failed;
		printf("%sok %zu - %s\n", tap_failed ? "not " : "", i + 1, tests[i].name);
	}
	return any_failed;
}

/* Says of all of them that they cannot run here, and why. Returns main()'s exit status. */
static inline int tap_skip(const struct tap_test *tests, size_t n, const char *why)
{
	printf("1..%zu\n", n);
	for (size_t i = 0; i < n; i++)
		printf("ok %zu - %s # SKIP %s\n", i + 1, tests[i].name, why);
	return 0;
}

#define TAP_MAIN(...)                                                                              \
	int main(void)                                                                             \
	{                                                                                          \
		static const struct tap_test TESTS[] = {__VA_ARGS__};                              \
                                                                                                   \
		return tap_run(TESTS, sizeof TESTS / sizeof *TESTS);                               \
	}

#endif
