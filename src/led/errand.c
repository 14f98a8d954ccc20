/* SPDX-License-Identifier: MIT */

/* When led tries again, and how it ends. */

#include "errand.h"

void errand_begin(struct errand *errand, bool has_key, uint64_t now)
{
	*errand = (struct errand){.has_key = has_key,
		.begun = now,
		.pause = {.first_usec = ERRAND_PAUSE_FIRST_USEC,
			.last_usec = ERRAND_PAUSE_LAST_USEC}};
}

bool errand_go_on(struct errand *errand, enum outcome outcome, enum status status, uint64_t now)
{
	bool answered = outcome == OUTCOME_ANSWERED;

	if (outcome == OUTCOME_UNKNOWN || (answered && status == STATUS_UNKNOWN))
		errand->unknown = true;
	errand->status = answered ? status : STATUS_UNKNOWN;
	if (!errand->unknown || errand->status == STATUS_DONE)
		return false;
	errand->status = STATUS_UNKNOWN;
	errand->try_at = now + pause_next(&errand->pause);
	return errand->has_key && errand->try_at <= errand->begun + ERRAND_RETRY_USEC;
}
