/* SPDX-License-Identifier: MIT */

/* The position of a contact, and what the server has of it. */

#include "position.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "text.h"

/*
 * Each pause is this many times as long as the one before. A server that was away for a minute says
 * ERR fewer than ten times, so that the longest pause is for what does not get better by itself.
 */
#define PAUSE_FIRST_USEC 100000
#define PAUSE_FACTOR 5
#define PAUSE_LAST_USEC 10000000

/* After so many times the same ERR, the pause is this long. */
#define REFUSALS_MAX 10
#define PAUSE_REFUSED_USEC 60000000

/* A movement ends a pause, but not before this time after the last attempt. */
#define PAUSE_MOVED_USEC 1000000

void position_init(struct position *position, const struct command_list lists[OCCASIONS])
{
	*position = (struct position){.lists = lists};
}

/* The command of a position that is closed or open. */
static const struct listed_command *command_of(const struct position *position, enum place place)
{
	return position->lists[place == PLACE_CLOSED ? ON_PRESS : ON_RELEASE].commands;
}

static bool is_contact(const struct position *position)
{
	return command_of(position, PLACE_CLOSED)->for_contact;
}

/* Writes what is sent for a position, as the log shows it. */
static const char *write_command(
	const struct position *position, enum place place, char text[COMMAND_MAX + 1])
{
	const struct listed_command *command = command_of(position, place);
	struct contact_report report = command->report;

	if (place == PLACE_GONE) {
		report.state = CONTACT_IS_GONE;
		command_write_contact(&report, text);
	} else {
		strcpy(text, command->text);
	}
	return text;
}

static const char *name_of(enum place place)
{
	static const char *const NAMES[] = {"unknown", "closed", "open", "gone"};

	return NAMES[place];
}

/* Whether there is nothing to send, unless an attempt that runs fails. */
static bool is_settled(const struct position *position)
{
	return position->newest == PLACE_UNKNOWN || position->newest == position->at_server;
}

/* Keeps the beginning of a reason, or of an answer. */
static void keep(char kept[POSITION_REASON_MAX], const char *text)
{
	snprintf(kept, POSITION_REASON_MAX, "%.*s", POSITION_REASON_MAX - 1, text);
}

/* Says how an attempt to deliver a position ended. format: has a place for why */
__attribute__((format(printf, 4, 0))) static void set_outcome(
	struct position *position, enum place place, int level, const char *format, const char *why)
{
	char how[ANSWER_MAX + 100], shown[POSITION_TEXT_MAX - COMMAND_MAX - 16];
	char command[COMMAND_MAX + 1];

	snprintf(how, sizeof how, format, why);
	snprintf(position->outcome, sizeof position->outcome, "%s: %s: %s", name_of(place),
		write_command(position, place, command), text_printable(how, shown, sizeof shown));
	position->level = level;
}

void position_take(struct position *position, enum place place, uint64_t now)
{
	uint64_t soon = position->ended_at + PAUSE_MOVED_USEC;
	bool was_missing = position->is_missing;

	if (position->stopping)
		return;
	position->is_missing = place == PLACE_GONE;
	if (position->is_missing && !is_contact(position))
		return;
	if (was_missing != position->is_missing || place != position->newest)
		position->since = now;
	if (place == position->newest)
		return;
	position->newest = place;
	position->refusals = 0;
	if (position->try_at > soon)
		position->try_at = soon;
}

enum step position_step(struct position *position, uint64_t now, char line[COMMAND_LINE_MAX])
{
	char command[COMMAND_MAX + 1];

	if (position->sending)
		return STEP_REST;
	if (position->stopping) {
		if (position_has_stopped(position))
			return STEP_REST;
		position->said_goodbye = true;
		/* There is no time for a question. */
		if (position->silence == SILENCE_ASKING)
			position->silence = SILENCE_UNHEARD;
	} else if (position->silence == SILENCE_ASKING) {
		position->sending = true;
		strcpy(line, SILENCE_QUESTION);
		return STEP_SEND;
	} else if (is_settled(position)) {
		return STEP_REST;
	} else if (now < position->try_at) {
		return STEP_WAIT;
	}
	position->sending = true;
	position->sent = position->newest;
	snprintf(line, COMMAND_LINE_MAX, "%s\n", write_command(position, position->sent, command));
	return STEP_SEND;
}

/* Whether a reason is none of the last that were logged since the last delivery. Remembers it. */
static bool is_new_reason(struct position *position, const char *why)
{
	for (unsigned i = 0; i < position->n_reasons && i < POSITION_REASONS; i++)
		if (strcmp(position->reasons[i], why) == 0)
			return false;
	snprintf(position->reasons[position->n_reasons++ % POSITION_REASONS], POSITION_REASON_MAX,
		"%s", why);
	return true;
}

/* Whether an attempt has ended with a word of the server that the command was not carried out. */
static bool is_refused(const struct attempt *attempt)
{
	return attempt->outcome == REFUSED && strncmp(attempt->text, "ERR", strlen("ERR")) == 0;
}

/* The pause after a failure. */
static uint64_t next_pause(struct position *position)
{
	if (position->refusals >= REFUSALS_MAX)
		return PAUSE_REFUSED_USEC;
	position->pause = position->pause ? PAUSE_FACTOR * position->pause : PAUSE_FIRST_USEC;
	if (position->pause > PAUSE_LAST_USEC)
		position->pause = PAUSE_LAST_USEC;
	return position->pause;
}

/* The attempt has failed, for the reason in position->failure. */
static void fail(struct position *position, uint64_t now)
{
	bool is_new = is_new_reason(position, position->failure);

	position->ended_at = now;
	position->try_at = now + next_pause(position);
	set_outcome(position, position->sent,
		is_new && !position->said_goodbye ? LOG_WARNING : LOG_DEBUG, "not delivered: %s",
		position->failure);
}

/* The command was not acknowledged. */
static void take_failure(struct position *position, const struct attempt *attempt, uint64_t now)
{
	bool is_same = is_refused(attempt) &&
		       strncmp(attempt->text, position->failure, POSITION_REASON_MAX - 1) == 0;

	position->refusals = is_same ? position->refusals + 1 : is_refused(attempt);
	keep(position->failure, attempt->text);
	/* ERR is for what was not carried out. Without a line, or with a strange one, who knows? */
	if (attempt->sent > 0 && !is_refused(attempt))
		position->at_server = PLACE_UNKNOWN;
	fail(position, now);
}

static void deliver(struct position *position, const struct attempt *attempt, bool asked)
{
	if (asked)
		set_outcome(position, position->sent, LOG_WARNING,
			"sent; %s, after LED STATUS too: from now on that counts as OK",
			attempt->text);
	else if (attempt->outcome == SILENT)
		set_outcome(position, position->sent, LOG_INFO, "sent; %s", attempt->text);
	else
		set_outcome(position, position->sent, LOG_INFO, "%s", attempt->text);
	keep(position->delivered, attempt->text);
	position->at_server = position->sent;
	position->pause = position->try_at = 0;
	position->refusals = position->n_reasons = 0;
	*position->failure = '\0';
}

void position_finish(struct position *position, const struct attempt *attempt, uint64_t now)
{
	bool asked = position->silence == SILENCE_ASKING;

	position->sending = false;
	switch (silence_take(&position->silence, attempt->outcome)) {
	case DELIVERED:
		deliver(position, attempt, asked);
		break;
	case ASK:
		position->at_server = PLACE_UNKNOWN;
		keep(position->failure, attempt->text);
		set_outcome(position, position->sent, LOG_DEBUG, "asking for LED STATUS: %s",
			attempt->text);
		break;
	case FAILED:
		/* The question has no part in why it failed: the command ended in silence. */
		if (asked)
			fail(position, now);
		else
			take_failure(position, attempt, now);
		break;
	}
}

void position_stop(struct position *position, uint64_t now)
{
	if (is_contact(position))
		position_take(position, PLACE_GONE, now);
	position->stopping = true;
}

bool position_has_stopped(const struct position *position)
{
	if (!position->stopping || !is_contact(position))
		return position->stopping;
	return !position->sending && (position->said_goodbye || is_settled(position));
}

bool position_end(struct position *position)
{
	bool has_tried = position->said_goodbye && !position->sending;

	if (is_settled(position) && !position->sending)
		return false;
	set_outcome(position, position->newest, LOG_WARNING, "not delivered: %s",
		has_tried ? position->failure : "the button's program stops");
	return true;
}

const char *position_status(
	const struct position *position, const char *since, char text[POSITION_STATUS_MAX])
{
	char command[COMMAND_MAX + 1],
		server[POSITION_STATUS_MAX / 2] = "what the server has is not known";
	const char *was = position->is_missing && position->newest != PLACE_GONE ? "was " : "";

	if (position->newest == PLACE_UNKNOWN)
		return strcpy(text, "no position yet");
	if (position->at_server != PLACE_UNKNOWN)
		snprintf(server, sizeof server, "the server has %s: %s",
			write_command(position, position->at_server, command), position->delivered);
	snprintf(text, POSITION_STATUS_MAX, "%s%s since %s; %s%s%s", was, name_of(position->newest),
		since, server,
		!is_settled(position) && *position->failure ? "; not delivered: " : "",
		is_settled(position) ? "" : position->failure);
	return text;
}
