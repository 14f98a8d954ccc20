/* SPDX-License-Identifier: MIT */

/* Carries one command to led-line: a connection, and time limits. */

#include "post.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "exchange.h"
#include "timer.h"

/* While led-line is out of reach, it is tried again for so long. */
#define REACH_USEC 2000000ULL
#define RETRY_USEC 100000ULL

/* led-line has so long to answer: longer than led-handler, which may be there, waits for it. */
#define ANSWER_USEC 5500000ULL

/* The first attempt is made at once. */
#define ACCURACY_USEC 1

struct post {
	sd_event *event;
	const struct address *line;
	post_done done;
	void *userdata;
	struct exchange exchange;
	struct result result;
	char command[COMMAND_MAX + COMMAND_TIME_MAX + 2]; /* as led-line gets it */
	uint64_t give_up;                                 /* microseconds of CLOCK_MONOTONIC */
	sd_event_source *timer; /* for the first attempt, another one, or an answer */
	bool is_asking;
};

static void finish(struct post *post, const char *answer, bool hangs)
{
	exchange_close(&post->exchange);
	timer_stop(post->timer);
	post->done(post->userdata, &post->result, answer, hangs);
}

static bool on_answer(void *userdata, char *line)
{
	struct post *post = userdata;

	result_answered(&post->result, line);
	finish(post, line, false);
	return false;
}

static void on_ended(void *userdata, const char *why, bool sent)
{
	struct post *post = userdata;
	char where[ADDRESS_TEXT_MAX], text[ADDRESS_TEXT_MAX + 200];

	post->is_asking = false;
	if (!sent && clock_usec() < post->give_up) {
		timer_start(post->timer, RETRY_USEC);
		return;
	}
	snprintf(text, sizeof text, "no led-line at %s: %.100s", address_text(post->line, where),
		why);
	if (sent)
		result_unknown(&post->result, why);
	else
		result_failed(&post->result, text);
	finish(post, NULL, false);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct post *post = userdata;

	if (post->is_asking) {
		result_unknown(&post->result, "led-line does not answer");
		finish(post, NULL, true);
		return 0;
	}
	post->is_asking = true;
	timer_start(post->timer, ANSWER_USEC);
	exchange_open(&post->exchange, post->event, post->line, post->command);
	return 0;
}

struct post *post_create(sd_event *event, const struct address *line, const struct request *request,
	post_done done, void *userdata)
{
	struct post *post = calloc(1, sizeof *post);
	size_t length;

	if (!post)
		return NULL;
	post->event = sd_event_ref(event);
	post->line = line;
	post->done = done;
	post->userdata = userdata;
	post->exchange = (struct exchange){.taken = on_answer, .ended = on_ended, .userdata = post};
	post->give_up = clock_usec() + REACH_USEC;
	length = command_write(request, post->command);
	/* Another machine has another clock. */
	if (*line->path)
		length += (size_t)snprintf(post->command + length, sizeof post->command - length,
			" @%llu", (unsigned long long)request->at);
	strcpy(post->command + length, "\n");
	if (timer_add(event, &post->timer, ACCURACY_USEC, on_timer, post) < 0) {
		post_destroy(post);
		return NULL;
	}
	timer_start(post->timer, 0);
	return post;
}

void post_destroy(struct post *post)
{
	if (!post)
		return;
	exchange_close(&post->exchange);
	sd_event_source_disable_unref(post->timer);
	sd_event_unref(post->event);
	free(post);
}
