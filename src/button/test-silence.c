/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "silence.h"
#include "tap.h"

TEST("what each outcome means, whatever is known of the server")
{
	static const struct {
		enum silence before;
		enum attempt_outcome outcome;
		enum meaning meaning;
		enum silence after;
	} CASES[] = {
		{SILENCE_UNHEARD, ACKNOWLEDGED, DELIVERED, SILENCE_IS_FAILURE},
		{SILENCE_UNHEARD, REFUSED, FAILED, SILENCE_IS_FAILURE},
		{SILENCE_UNHEARD, SILENT, ASK, SILENCE_ASKING},
		{SILENCE_UNHEARD, UNREACHED, FAILED, SILENCE_UNHEARD},
		{SILENCE_UNHEARD, UNKNOWN, FAILED, SILENCE_UNHEARD},

		/* Any line as the answer to the question: the press was not acknowledged. */
		{SILENCE_ASKING, ACKNOWLEDGED, FAILED, SILENCE_IS_FAILURE},
		{SILENCE_ASKING, REFUSED, FAILED, SILENCE_IS_FAILURE},
		{SILENCE_ASKING, SILENT, DELIVERED, SILENCE_IS_OK},
		/* No answer: the next silence is a reason to ask again. */
		{SILENCE_ASKING, UNREACHED, FAILED, SILENCE_UNHEARD},
		{SILENCE_ASKING, UNKNOWN, FAILED, SILENCE_UNHEARD},

		{SILENCE_IS_OK, ACKNOWLEDGED, DELIVERED, SILENCE_IS_FAILURE},
		{SILENCE_IS_OK, REFUSED, FAILED, SILENCE_IS_FAILURE},
		{SILENCE_IS_OK, SILENT, DELIVERED, SILENCE_IS_OK},
		{SILENCE_IS_OK, UNREACHED, FAILED, SILENCE_IS_OK},
		{SILENCE_IS_OK, UNKNOWN, FAILED, SILENCE_IS_OK},

		{SILENCE_IS_FAILURE, ACKNOWLEDGED, DELIVERED, SILENCE_IS_FAILURE},
		{SILENCE_IS_FAILURE, REFUSED, FAILED, SILENCE_IS_FAILURE},
		{SILENCE_IS_FAILURE, SILENT, FAILED, SILENCE_IS_FAILURE},
		{SILENCE_IS_FAILURE, UNREACHED, FAILED, SILENCE_IS_FAILURE},
		{SILENCE_IS_FAILURE, UNKNOWN, FAILED, SILENCE_IS_FAILURE},
	};

	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		enum silence silence = CASES[i].before;

		CHECK(silence_take(&silence, CASES[i].outcome) == CASES[i].meaning);
		CHECK(silence == CASES[i].after);
	}
}

TEST("100000 random orders: silence delivers only after two in a row before any line")
{
	srand(3);
	for (unsigned i = 0; i < 100000; i++) {
		enum silence silence = SILENCE_UNHEARD;
		unsigned silent = 0; /* in a row */
		bool line = false, wordless = false;

		for (unsigned j = 0; j < 8; j++) {
			enum attempt_outcome outcome = ACKNOWLEDGED + (unsigned)rand() % 5;
			bool asks = silence == SILENCE_ASKING;
			enum meaning meaning = silence_take(&silence, outcome);

			silent = outcome == SILENT ? silent + 1 : 0;
			line |= outcome == ACKNOWLEDGED || outcome == REFUSED;
			wordless |= asks && outcome == SILENT;
			if (outcome == SILENT)
				CHECK((meaning == DELIVERED) == (wordless && !line));
			else
				CHECK((meaning == DELIVERED) == (outcome == ACKNOWLEDGED && !asks));
			CHECK((meaning == ASK) ==
				(outcome == SILENT && silent == 1 && !line && !wordless));
		}
	}
}

TAP_MAIN
