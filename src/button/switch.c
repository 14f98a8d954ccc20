/* SPDX-License-Identifier: MIT */

/* What a contact does, and the occasions to send a command that come of it. */

#include "switch.h"

void switch_init(struct switch_state *state, const struct switch_options *options)
{
	*state = (struct switch_state){.options = *options};
}

static void add(struct switch_state *state, enum occasion occasion)
{
	state->found[state->n_found++] = occasion;
}

void switch_begin(struct switch_state *state, bool bounces, bool closed)
{
	const struct switch_options *options = &state->options;

	state->bounces = bounces;
	state->has_event = false;
	debounce_init(&state->debounce, options->quiet, options->filter, closed);
	gesture_init(&state->gesture, options->has_long, options->hold);
	if (options->has_position)
		add(state, closed ? ON_PRESS : ON_RELEASE);
}

void switch_take(struct switch_state *state, struct contact_event event)
{
	if (state->bounces) {
		debounce_edge(&state->debounce, event.at, event.closed);
	} else {
		state->has_event = true;
		state->event = event;
	}
}

/* The next closing or opening that is certain. */
static bool next_change(struct switch_state *state, uint64_t now, struct contact_event *event)
{
	bool has_event = state->has_event;

	if (state->bounces)
		return debounce_next(&state->debounce, now, event);
	*event = state->event;
	state->has_event = false;
	return has_event;
}

static void take_press(struct switch_state *state, enum gesture_press press)
{
	if (press != NO_PRESS)
		add(state, press == LONG_PRESS ? ON_LONG_PRESS : ON_PRESS);
}

static void take_change(struct switch_state *state, struct contact_event event)
{
	take_press(state, gesture_take(&state->gesture, event));
	if (!event.closed && state->options.has_release)
		add(state, ON_RELEASE);
}

bool switch_next(struct switch_state *state, uint64_t now, enum occasion *occasion)
{
	struct contact_event event;

	while (state->n_found == 0 && next_change(state, now, &event))
		take_change(state, event);
	if (state->n_found == 0)
		take_press(state,
			gesture_settle(&state->gesture, debounce_certain(&state->debounce, now)));
	if (state->n_found == 0)
		return false;
	*occasion = state->found[0];
	state->found[0] = state->found[1];
	state->n_found--;
	return true;
}

uint64_t switch_deadline(const struct switch_state *state, uint64_t now)
{
	uint64_t deadline = debounce_deadline(&state->debounce);
	uint64_t hold_deadline = gesture_deadline(&state->gesture);
	/* While the contact may have opened, only coming to rest decides. */
	bool is_certain = debounce_certain(&state->debounce, now) == now;

	return is_certain && hold_deadline < deadline ? hold_deadline : deadline;
}
