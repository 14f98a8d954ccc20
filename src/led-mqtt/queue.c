/* SPDX-License-Identifier: MIT */

/* Commands from the broker that wait for led-line. */

#include "queue.h"

#include <string.h>

static struct order *first(struct queue *queue)
{
	return &queue->orders[queue->first];
}

/* LED ALL takes only ON and OFF. */
static bool is_for_each(const struct request *request)
{
	return !*request->name && !request->all;
}

static bool is_late(const struct request *request, uint64_t now)
{
	return now > request->at + COMMAND_LATE_MS;
}

/* Whether a command may be sent twice. */
static bool may_repeat(const struct request *request)
{
	return request->verb == VERB_ON || request->verb == VERB_OFF || *request->key;
}

const char *queue_add(struct queue *queue, const struct request *request)
{
	struct order *order = &queue->orders[(queue->first + queue->waiting) % QUEUE_MAX];

	if (queue->waiting == QUEUE_MAX)
		return "256 were waiting";
	*order = (struct order){.request = *request};
	order->request.all =
		!*request->name && (request->verb == VERB_ON || request->verb == VERB_OFF);
	queue->waiting++;
	return NULL;
}

static void remove_first(struct queue *queue)
{
	queue->first = (queue->first + 1) % QUEUE_MAX;
	queue->waiting--;
}

/* Goes on with the next LED of the first order, or with the next order. */
static void advance(struct queue *queue)
{
	queue->state = QUEUE_READY;
	if (is_for_each(&first(queue)->request))
		first(queue)->led++;
	else
		remove_first(queue);
}

/* Nobody opens the door with the lights. */
static void pass_over_momentary(struct order *order, const struct follow *follow)
{
	while (order->led < follow->n && followed_is_momentary(&follow->leds[order->led]))
		order->led++;
}

/* Removes the first orders if they have reached every LED. */
static void remove_complete(struct queue *queue, const struct follow *follow)
{
	while (queue->waiting > 0 && is_for_each(&first(queue)->request)) {
		pass_over_momentary(first(queue), follow);
		if (first(queue)->led < follow->n || !first(queue)->reached)
			break;
		remove_first(queue);
	}
}

static void write_command(struct queue *queue, const struct follow *follow)
{
	struct request request = first(queue)->request;

	if (is_for_each(&request) && first(queue)->led < follow->n)
		strcpy(request.name, follow->leds[first(queue)->led].name);
	command_write(&request, queue->command);
	queue->at = request.at;
}

enum queue_step queue_next(
	struct queue *queue, const struct follow *follow, uint64_t now, const char **why)
{
	struct order *order;

	if (queue->state != QUEUE_READY)
		return QUEUE_NOTHING;
	remove_complete(queue, follow);
	if (queue->waiting == 0)
		return QUEUE_NOTHING;
	order = first(queue);
	write_command(queue, follow);
	if (is_late(&order->request, now)) {
		*why = is_for_each(&order->request) && follow->n == 0 ? "led-line has named no LED"
								      : COMMAND_LATE;
		remove_first(queue);
		return QUEUE_DROPPED;
	}
	if (is_for_each(&order->request) && follow->n == 0) {
		queue->state = QUEUE_PAUSING;
		return QUEUE_PAUSE;
	}
	if (is_for_each(&order->request) && order->led >= follow->n) {
		*why = "every LED here has pulse=";
		remove_first(queue);
		return QUEUE_DROPPED;
	}
	order->reached = true;
	queue->state = QUEUE_ASKING;
	return QUEUE_ASK;
}

void queue_answered(struct queue *queue, const char *answer)
{
	queue->done += strncmp(answer, "OK", 2) == 0;
	advance(queue);
}

void queue_unanswered(struct queue *queue)
{
	advance(queue);
}

bool queue_failed(struct queue *queue, bool sent, uint64_t now)
{
	const struct request *request = &first(queue)->request;

	if (is_late(request, now) || (sent && !may_repeat(request))) {
		advance(queue);
		return false;
	}
	queue->state = QUEUE_PAUSING;
	return true;
}

void queue_retry(struct queue *queue)
{
	if (queue->state == QUEUE_PAUSING)
		queue->state = QUEUE_READY;
}

bool queue_drop(struct queue *queue, const struct follow *follow)
{
	remove_complete(queue, follow);
	if (queue->waiting == 0)
		return false;
	write_command(queue, follow);
	remove_first(queue);
	queue->state = QUEUE_READY;
	return true;
}

bool queue_wants_more(const struct queue *queue)
{
	return queue->waiting < QUEUE_ENOUGH;
}
