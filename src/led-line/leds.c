/* SPDX-License-Identifier: MIT */
#include "leds.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>

#include "chips.h"
#include "clock.h"
#include "holder.h"
#include "state-file.h"
#include "timer.h"

/* Status and file are updated this long after the first change, once for a batch of changes. */
#define SETTLE_USEC 50000
#define SETTLE_ACCURACY_USEC 10000

/* How long a line is waited for that has just left the descriptor store. */
#define LET_GO_USEC 1000000

/* Room for the status: the service manager takes no longer message. sd_notify(3) */
#define STATUS_MAX 4000

/* The most bytes of a reason in the status of several LEDs. */
#define STATUS_WHY_MAX 80

struct leds {
	sd_event *event;
	const struct arrival_clock *clock;
	struct holder *holders[LEDS_MAX]; /* in the order of the configuration */
	unsigned n;
	struct state_writer *writer; /* of the state file; NULL if none is kept */
	int save_error;              /* what the log has said about it, or 0 */
	sd_event_source *devices, *settle, *saved;
	void (*changed)(void *userdata);
	void *userdata;
};

_Static_assert(
	LEDS_LINE_MAX > LED_WHY_MAX + COMMAND_NAME_MAX + sizeof "ERR : \n ", "a reason fits");

/* The LED's name, or "" for the one without. */
static const char *name_of(const struct holder *holder)
{
	return definition_name(holder_definition(holder));
}

/* Adds text to a string, as far as there is room. */
__attribute__((format(printf, 3, 4))) static void add(
	char *text, size_t size, const char *format, ...)
{
	size_t length = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + length, size - length, format, arguments);
	va_end(arguments);
}

/* Logs whether the state file could be written, once for each reason. */
static void tell_saved(struct leds *leds, int r)
{
	if (r == leds->save_error)
		return;
	if (r < 0)
		syslog(LOG_WARNING, "%s: the LED's state is not kept: %s", state_file_path(),
			strerror(-r));
	else
		syslog(LOG_NOTICE, "%s: the LED's state is kept again", state_file_path());
	leds->save_error = r;
}

static int on_saved(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct leds *leds = userdata;

	(void)source;
	(void)fd;
	(void)events;
	tell_saved(leds, state_writer_result(leds->writer));
	return 0;
}

/* Begins to keep the states in a file. saved: its text */
static void keep_states(struct leds *leds, const char *saved)
{
	int r = 0;

	leds->writer = state_writer_create(saved);
	if (!leds->writer)
		r = -errno;
	else
		r = sd_event_add_io(leds->event, &leds->saved, state_writer_fd(leds->writer),
			EPOLLIN, on_saved, leds);
	if (r < 0)
		tell_saved(leds, r);
}

static void save(struct leds *leds)
{
	char text[STATE_FILE_MAX] = "";

	if (!leds->writer)
		return;
	for (unsigned i = 0; i < leds->n; i++)
		if (holder_definition(leds->holders[i])->initial == INITIAL_LAST)
			state_text_add(text, name_of(leds->holders[i]),
				holder_stays_lit(leds->holders[i]));
	state_writer_put(leds->writer, text);
}

static void tell_status(const struct leds *leds)
{
	char status[STATUS_MAX] = "";

	for (unsigned i = 0; i < leds->n; i++) {
		const struct holder *holder = leds->holders[i];
		const char *trouble = holder_trouble(holder);

		add(status, sizeof status, "%s%s", i == 0 ? "LED " : ", ",
			leds->n == 1 ? holder_definition(holder)->label
				     : holder_definition(holder)->name);
		if (!*trouble)
			add(status, sizeof status, " is %s", holder_is_lit(holder) ? "on" : "off");
		else
			add(status, sizeof status, ": %.*s",
				leds->n == 1 ? LED_WHY_MAX : STATUS_WHY_MAX, trouble);
	}
	sd_notifyf(0, "STATUS=%s", status);
}

/* Updates status and state file, after the client has its answer, once for several commands. */
static int on_settle(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	tell_status(userdata);
	save(userdata);
	return 0;
}

static void on_change(void *userdata)
{
	struct leds *leds = userdata;

	timer_start_if_stopped(leds->settle, SETTLE_USEC);
	if (leds->changed)
		leds->changed(leds->userdata);
}

/* A GPIO chip was added or removed. It may be another one: reading our lines tells. */
static int on_device(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	struct leds *leds = userdata;

	(void)source;
	if (chips_is_chip(event))
		for (unsigned i = 0; i < leds->n; i++)
			holder_check(leds->holders[i]);
	return 0;
}

struct leds *leds_create(sd_event *event, const struct arrival_clock *clock)
{
	struct leds *leds = calloc(1, sizeof *leds);
	int r;

	if (!leds)
		return NULL;
	leds->event = sd_event_ref(event);
	leds->clock = clock;
	r = timer_add(event, &leds->settle, SETTLE_ACCURACY_USEC, on_settle, leds);
	if (r >= 0)
		r = chips_watch(event, &leds->devices, on_device, leds);
	/* Clients first: any user can cause endless events by touching /dev/null. */
	if (r >= 0)
		r = sd_event_source_set_priority(leds->devices, SD_EVENT_PRIORITY_IDLE);
	if (r >= 0)
		return leds;
	leds_destroy(leds);
	return NULL;
}

int leds_add(struct leds *leds, const struct definition *definition, struct led *led)
{
	struct holder *holder =
		holder_create(leds->event, leds->clock, definition, led, on_change, leds);

	if (!holder)
		return -ENOMEM;
	leds->holders[leds->n++] = holder;
	return 0;
}

bool leds_inherit(struct leds *leds, int fd, const char *name)
{
	for (unsigned i = 0; i < leds->n; i++)
		if (holder_inherit(leds->holders[i], fd, name))
			return true;
	return false;
}

/* The state to begin with. saved: the state file's text */
static bool first_state(const struct holder *holder, const char *saved)
{
	enum initial initial = holder_definition(holder)->initial;
	int r;

	if (initial != INITIAL_LAST)
		return initial == INITIAL_ON;
	r = *saved ? state_text_find(saved, name_of(holder)) : -ENOENT;
	if (r == -EBADMSG)
		syslog(LOG_WARNING, "%s: neither on nor off; LED %s starts off", state_file_path(),
			holder_definition(holder)->label);
	return r > 0;
}

void leds_start(struct leds *leds, bool let_go)
{
	uint64_t free_by = let_go ? clock_usec() + LET_GO_USEC : 0;
	char saved[STATE_FILE_MAX] = "";
	bool keeps = false;
	int r = 0;

	for (unsigned i = 0; i < leds->n; i++)
		keeps |= holder_definition(leds->holders[i])->initial == INITIAL_LAST;
	if (keeps) {
		r = state_file_load(saved);
		if (r < 0 && r != -ENOENT)
			syslog(LOG_WARNING, "%s: %s; the LED starts off", state_file_path(),
				strerror(-r));
		keep_states(leds, saved);
	}
	for (unsigned i = 0; i < leds->n; i++)
		holder_start(leds->holders[i], first_state(leds->holders[i], saved), free_by);
}

/* Says that there is no such LED. */
static void refuse_name(const struct leds *leds, const char *name, char answer[ANSWER_MAX])
{
	if (*name) {
		snprintf(answer, ANSWER_MAX, "ERR no LED is called %s; LED LIST names them", name);
		return;
	}
	strcpy(answer, "ERR which LED?");
	for (unsigned i = 0; i < leds->n; i++)
		add(answer, ANSWER_MAX, "%s %s", i == 0 ? "" : ",",
			holder_definition(leds->holders[i])->name);
}

unsigned leds_find(const struct leds *leds, const char *name, char answer[ANSWER_MAX])
{
	for (unsigned i = 0; i < leds->n; i++)
		if (strcmp(holder_definition(leds->holders[i])->name,
			    *name ? name : DEFINITION_UNNAMED) == 0)
			return i;
	refuse_name(leds, name, answer);
	return LEDS_MAX;
}

static void write_state(const struct holder *holder, bool lit, char *answer, size_t size)
{
	snprintf(answer, size, "OK LED %s%s%s", name_of(holder), *name_of(holder) ? " " : "",
		lit ? "ON" : "OFF");
}

static bool carry_out_one(
	struct holder *holder, const struct request *request, char answer[ANSWER_MAX])
{
	char why[LED_WHY_MAX];
	bool carried_out;
	int r = holder_carry_out(holder, request, &carried_out, why);

	if (r >= 0)
		write_state(holder, r, answer, ANSWER_MAX);
	else
		snprintf(answer, ANSWER_MAX, "%s %s", carried_out ? "no answer:" : "ERR", why);
	return r >= 0 || !carried_out;
}

/* Carries out a command for all LEDs, as far as it can. */
static void carry_out_all(
	const struct leds *leds, const struct request *request, char answer[ANSWER_MAX])
{
	const char *state = request->verb == VERB_ON ? "ON" : "OFF";
	char failed[ANSWER_MAX] = "", why[LED_WHY_MAX];
	unsigned n_failed = 0;
	bool carried_out;

	for (unsigned i = 0; i < leds->n; i++) {
		if (holder_carry_out(leds->holders[i], request, &carried_out, why) >= 0)
			continue;
		add(failed, sizeof failed, "%s%s: %s", n_failed++ == 0 ? "" : "; ",
			holder_definition(leds->holders[i])->name, why);
	}
	if (n_failed == leds->n)
		snprintf(answer, ANSWER_MAX, "ERR %.*s", ANSWER_MAX - 8, failed);
	else if (n_failed > 0)
		snprintf(answer, ANSWER_MAX, "OK LED ALL %s except %.*s", state, ANSWER_MAX - 32,
			failed);
	else
		snprintf(answer, ANSWER_MAX, "OK LED ALL %s", state);
}

static void list(const struct leds *leds, char answer[ANSWER_MAX])
{
	const struct request status = {.verb = VERB_STATUS};
	char why[LED_WHY_MAX];
	bool carried_out;

	strcpy(answer, "OK LED LIST");
	for (unsigned i = 0; i < leds->n; i++) {
		int r = holder_carry_out(leds->holders[i], &status, &carried_out, why);

		add(answer, ANSWER_MAX, " %s=%s", holder_definition(leds->holders[i])->name,
			r < 0   ? "ERR"
			: r > 0 ? "ON"
				: "OFF");
	}
}

bool leds_carry_out(struct leds *leds, const struct request *request, char answer[ANSWER_MAX])
{
	unsigned number;

	if (request->all || request->verb == VERB_LIST) {
		if (request->late)
			strcpy(answer, "ERR " COMMAND_LATE);
		else if (request->all)
			carry_out_all(leds, request, answer);
		else
			list(leds, answer);
		return true;
	}
	number = leds_find(leds, request->name, answer);
	return number == LEDS_MAX || carry_out_one(leds->holders[number], request, answer);
}

void leds_on_change(struct leds *leds, void (*changed)(void *userdata), void *userdata)
{
	leds->changed = changed;
	leds->userdata = userdata;
}

unsigned leds_count(const struct leds *leds)
{
	return leds->n;
}

enum shown leds_shown(const struct leds *leds, unsigned number)
{
	const struct holder *holder = leds->holders[number];

	if (*holder_trouble(holder))
		return SHOWN_TROUBLE;
	return holder_is_lit(holder) ? SHOWN_ON : SHOWN_OFF;
}

void leds_line(const struct leds *leds, unsigned number, char line[LEDS_LINE_MAX])
{
	const struct holder *holder = leds->holders[number];

	if (*holder_trouble(holder))
		snprintf(line, LEDS_LINE_MAX, "ERR %s: %s", holder_definition(holder)->name,
			holder_trouble(holder));
	else
		write_state(holder, holder_is_lit(holder), line, LEDS_LINE_MAX);
}

void leds_destroy(struct leds *leds)
{
	if (!leds)
		return;
	sd_event_source_disable_unref(leds->saved);
	if (leds->writer) {
		save(leds);
		tell_saved(leds, state_writer_destroy(leds->writer));
	}
	sd_event_source_disable_unref(leds->devices);
	sd_event_source_disable_unref(leds->settle);
	for (unsigned i = 0; i < leds->n; i++)
		holder_destroy(leds->holders[i]);
	sd_event_unref(leds->event);
	free(leds);
}
