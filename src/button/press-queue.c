/* SPDX-License-Identifier: MIT */

/* The presses that are not delivered yet: what to send next, and what an outcome means. */

#include "press-queue.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "text.h"

/* The pause between two attempts doubles each time, from the first value to the last. */
#define PAUSE_FIRST_USEC 50000
#define PAUSE_LAST_USEC 1600000

/* The answer to a key of a server without keys, such as our 0.1.0. */
#define NO_KEYS "ERR unknown command"

void press_queue_init(
	struct press_queue *queue, const struct command_list lists[OCCASIONS], uint64_t retry)
{
	*queue = (struct press_queue){.lists = lists,
		.retry = retry,
		.pause = {.first_usec = PAUSE_FIRST_USEC, .last_usec = PAUSE_LAST_USEC}};
}

static struct press *first(struct press_queue *queue)
{
	return &queue->ring[queue->first];
}

/* The command of the first press. */
static const struct listed_command *command_of(struct press_queue *queue)
{
	enum occasion occasion = first(queue)->occasion;

	return &queue->lists[occasion].commands[queue->next_command[occasion]];
}

/* Says how the first press fares. format: has a place for why */
__attribute__((format(printf, 3, 0))) static void set_outcome(
	struct press_queue *queue, int level, const char *format, const char *why)
{
	char how[ANSWER_MAX + 100], shown[PRESS_TEXT_MAX - COMMAND_MAX - 32];

	snprintf(how, sizeof how, format, why);
	snprintf(queue->outcome, sizeof queue->outcome, "press %lu: %s: %s", first(queue)->number,
		command_of(queue)->text, text_printable(how, shown, sizeof shown));
	queue->level = level;
}

static bool is_old(struct press_queue *queue, uint64_t now)
{
	return now - first(queue)->at >= queue->retry;
}

/* The first press is delivered or dropped. */
static void remove_first(struct press_queue *queue)
{
	queue->begun = queue->sending = false;
	pause_reset(&queue->pause);
	queue->first = (queue->first + 1) % PRESS_QUEUE_MAX;
	queue->waiting--;
}

static void drop_first(struct press_queue *queue, const char *why)
{
	set_outcome(queue, LOG_WARNING, "dropped: %s", why);
	queue->dropped++;
	remove_first(queue);
}

/* Advances the list of the first press, which is delivered. */
static void advance(struct press_queue *queue)
{
	enum occasion occasion = first(queue)->occasion;
	unsigned *next = &queue->next_command[occasion];

	*next = (*next + 1) % queue->lists[occasion].n;
}

void press_queue_add(
	struct press_queue *queue, enum occasion occasion, const char *key, uint64_t now)
{
	struct press *press = &queue->ring[(queue->first + queue->waiting) % PRESS_QUEUE_MAX];

	queue->pressed++;
	if (queue->waiting == PRESS_QUEUE_MAX) {
		queue->dropped++;
		snprintf(queue->outcome, sizeof queue->outcome,
			"press %lu: dropped: %d presses were waiting", queue->pressed,
			PRESS_QUEUE_MAX);
		if (!queue->overflow_first)
			queue->overflow_first = queue->pressed;
		queue->overflow_last = queue->pressed;
		return;
	}
	*press = (struct press){.number = queue->pressed, .occasion = occasion, .at = now};
	snprintf(press->key, sizeof press->key, "%s", key);
	/* However short --retry is, a press that need not wait is tried once. */
	if (queue->waiting++ == 0)
		queue->begun = true;
}

bool press_queue_drop_late(struct press_queue *queue, uint64_t now)
{
	if (queue->waiting == 0 || queue->begun || !is_old(queue, now))
		return false;
	drop_first(queue, queue->late ? queue->late : queue->failure);
	return true;
}

enum step press_queue_step(struct press_queue *queue, uint64_t now, char line[COMMAND_LINE_MAX])
{
	if (queue->waiting == 0 || queue->sending)
		return STEP_REST;
	if (queue->begun && now < queue->try_at)
		return STEP_WAIT;
	queue->begun = queue->sending = true;
	if (queue->silence == SILENCE_ASKING)
		strcpy(line, SILENCE_QUESTION);
	else
		command_write_line(command_of(queue), first(queue)->key, line);
	return STEP_SEND;
}

/*
 * The first press is tried again after a pause, unless it is too old, or must not be carried out
 * twice and has no key against that.
 */
static void try_again(struct press_queue *queue, enum attempt_outcome outcome, uint64_t now)
{
	bool may_repeat =
		outcome == UNREACHED || *first(queue)->key || !command_needs_key(command_of(queue));
	uint64_t age = now - first(queue)->at, pause;

	if (is_old(queue, now) || !may_repeat) {
		queue->late = NULL;
		drop_first(queue, queue->failure);
		return;
	}
	pause = pause_next(&queue->pause);
	/* The last attempt is when the press has become as old as it may. */
	if (pause > queue->retry - age)
		pause = queue->retry - age;
	queue->try_at = now + pause;
	set_outcome(queue, LOG_DEBUG, "trying again: %s", queue->failure);
}

static void fail(struct press_queue *queue, const struct attempt *attempt, uint64_t now)
{
	snprintf(queue->failure, sizeof queue->failure, "%s", attempt->text);
	if (attempt->outcome == REFUSED && *first(queue)->key &&
		command_needs_key(command_of(queue)) &&
		strncmp(attempt->text, NO_KEYS, strlen(NO_KEYS)) == 0) {
		*first(queue)->key = '\0';
		set_outcome(queue, LOG_DEBUG, "trying again without a key: %s", attempt->text);
		return;
	}
	try_again(queue, attempt->outcome, now);
}

static void deliver(struct press_queue *queue, const struct attempt *attempt, bool asked)
{
	if (asked)
		set_outcome(queue, LOG_WARNING,
			"sent; %s, after LED STATUS too: from now on that counts as OK",
			attempt->text);
	else if (attempt->outcome == SILENT)
		set_outcome(queue, LOG_INFO, "sent; %s", attempt->text);
	else
		set_outcome(queue, LOG_INFO, "%s", attempt->text);
	queue->delivered++;
	advance(queue);
	remove_first(queue);
	queue->late = "it had to wait for longer than --retry";
}

void press_queue_finish(struct press_queue *queue, const struct attempt *attempt, uint64_t now)
{
	bool asked = queue->silence == SILENCE_ASKING;

	queue->sending = false;
	switch (silence_take(&queue->silence, attempt->outcome)) {
	case DELIVERED:
		deliver(queue, attempt, asked);
		break;
	case ASK:
		snprintf(queue->failure, sizeof queue->failure, "%s", attempt->text);
		set_outcome(queue, LOG_DEBUG, "asking for LED STATUS: %s", attempt->text);
		break;
	case FAILED:
		/* The question has no part in why the press failed: it ended in silence. */
		if (asked)
			try_again(queue, SILENT, now);
		else
			fail(queue, attempt, now);
		break;
	}
}

bool press_queue_overflowed(struct press_queue *queue, char text[PRESS_TEXT_MAX])
{
	unsigned long from = queue->overflow_first, to = queue->overflow_last;

	if (from == 0 || queue->waiting == PRESS_QUEUE_MAX)
		return false;
	if (from == to)
		snprintf(text, PRESS_TEXT_MAX, "press %lu: dropped: %d presses were waiting", from,
			PRESS_QUEUE_MAX);
	else
		snprintf(text, PRESS_TEXT_MAX, "press %lu to %lu: dropped: %d presses were waiting",
			from, to, PRESS_QUEUE_MAX);
	queue->overflow_first = 0;
	return true;
}

bool press_queue_stop(struct press_queue *queue)
{
	if (queue->waiting == 0)
		return false;
	snprintf(queue->outcome, sizeof queue->outcome,
		"press %lu: dropped: the button's program stops", first(queue)->number);
	queue->level = LOG_WARNING;
	queue->dropped++;
	remove_first(queue);
	return true;
}

const char *press_queue_status(const struct press_queue *queue, char text[PRESS_STATUS_MAX])
{
	if (queue->pressed == 0)
		return strcpy(text, "no press yet");
	snprintf(text, PRESS_STATUS_MAX, "%lu %s, %lu delivered, %lu dropped, %u waiting%s%s",
		queue->pressed, queue->pressed == 1 ? "press" : "presses", queue->delivered,
		queue->dropped, queue->waiting, *queue->outcome ? "; " : "", queue->outcome);
	return text;
}
