/* SPDX-License-Identifier: MIT */

/* What acknowledges a press: what the silence of a server means. */

#include "silence.h"

enum meaning silence_take(enum silence *silence, enum attempt_outcome outcome)
{
	bool asked = *silence == SILENCE_ASKING;

	switch (outcome) {
	case ACKNOWLEDGED:
	case REFUSED:
		*silence = SILENCE_IS_FAILURE;
		return outcome == ACKNOWLEDGED && !asked ? DELIVERED : FAILED;
	case SILENT:
		if (*silence == SILENCE_IS_FAILURE)
			return FAILED;
		*silence = *silence == SILENCE_UNHEARD ? SILENCE_ASKING : SILENCE_IS_OK;
		return *silence == SILENCE_ASKING ? ASK : DELIVERED;
	default:
		if (asked)
			*silence = SILENCE_UNHEARD;
		return FAILED;
	}
}
