/* SPDX-License-Identifier: MIT */
#ifndef TAP_H
#define TAP_H

/* Tests of one module, in the Test Anything Protocol. */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool tap_failed;
static const char *tap_skipped;

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

/* Ends a test that cannot run here. */
#define SKIP(why)                                                                                  \
	do {                                                                                       \
		tap_skipped = (why);                                                               \
		return;                                                                            \
	} while (0)

#define TAP_MAX 64

static struct tap_test {
	const char *title;
	void (*run)(void);
} tap_tests[TAP_MAX];
static size_t tap_count;

#define TAP_JOIN_(a, b) a##b
#define TAP_JOIN(a, b) TAP_JOIN_(a, b)

/* TEST("its title") { ... } defines a test. They run in the order of the file. */
#define TEST(title)                                                                                \
	static void TAP_JOIN(test_, __LINE__)(void);                                               \
	static void __attribute__((constructor)) TAP_JOIN(add_, __LINE__)(void)                    \
	{                                                                                          \
		tap_tests[tap_count++] = (struct tap_test){title, TAP_JOIN(test_, __LINE__)};      \
	}                                                                                          \
	static void TAP_JOIN(test_, __LINE__)(void)

/* Runs all tests of the file. Returns main()'s exit status. */
static inline int tap_run(void)
{
	bool any_failed = false;

	printf("1..%zu\n", tap_count);
	for (size_t i = 0; i < tap_count; i++) {
		tap_failed = false;
		tap_skipped = NULL;
		tap_tests[i].run();
		any_failed |= tap_failed;
		printf("%sok %zu - %s%s%s\n", tap_failed ? "not " : "", i + 1, tap_tests[i].title,
			tap_skipped ? " # SKIP " : "", tap_skipped ? tap_skipped : "");
	}
	return any_failed;
}

/* Says of all of them that they cannot run here, and why. Returns main()'s exit status. */
static inline int tap_skip(const char *why)
{
	printf("1..%zu\n", tap_count);
	for (size_t i = 0; i < tap_count; i++)
		printf("ok %zu - %s # SKIP %s\n", i + 1, tap_tests[i].title, why);
	return 0;
}

/* For tests that prepare nothing. */
#define TAP_MAIN                                                                                   \
	int main(void)                                                                             \
	{                                                                                          \
		return tap_run();                                                                  \
	}

#endif
