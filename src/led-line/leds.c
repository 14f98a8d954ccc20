/* SPDX-License-Identifier: MIT */

/* All LEDs of a led-line: their answers, their status and their state file. */

#include "leds.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "chips.h"
#include "clock.h"
#include "holder.h"
#include "saver.h"
#include "settings.h"
#include "state-file.h"
#include "status.h"
#include "text.h"
#include "timer.h"

/* The state file is written this long after the first change, once for a batch of changes. */
#define SAVE_USEC 50000
#define SAVE_ACCURACY_USEC 10000

/* How long a line is waited for that has just left the descriptor store. */
#define LET_GO_USEC 1000000

/* Room for what the status says of an LED. */
#define STATUS_ENTRY_MAX (DEFINITION_LABEL_MAX + LED_WHY_MAX)

struct leds {
	sd_event *event;
	const struct arrival_clock *clock;
	const char *wrong;         /* with the settings, or "" */
	char kept[STATE_FILE_MAX]; /* lines of the state file that stay, though no LED has them */
	struct holder *holders[LEDS_MAX]; /* in the order of the configuration */
	unsigned n;
	bool left_out; /* an LED of the settings is not among them */
	struct status *status;
	struct saver *saver; /* of the state file; NULL if none is kept */
	sd_event_source *devices, *save;
	void (*changed)(void *userdata);
	void *userdata;
};

_Static_assert(
	LEDS_LINE_MAX > LED_WHY_MAX + COMMAND_NAME_MAX + sizeof "ERR : \n ", "a reason fits");
_Static_assert(STATUS_MAX >= LEDS_WRONG_MAX + sizeof "; LED " +
				     (size_t)LEDS_MAX * COMMAND_NAME_MAX +
				     LEDS_MAX * sizeof ", is off" + TEXT_MORE_MAX,
	"LEDs that work fit, whatever is wrong");

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

static bool is_wrong(const struct holder *holder)
{
	return *holder_definition(holder)->wrong;
}

/* Whether the state file has the LED. */
static bool is_kept(const struct holder *holder)
{
	return holder_definition(holder)->initial == INITIAL_LAST && !is_wrong(holder);
}

/* Writes the state file, if one is kept. */
static void save(struct leds *leds)
{
	char text[STATE_FILE_MAX] = "";

	if (!leds->saver)
		return;
	for (unsigned i = 0; i < leds->n; i++)
		if (is_kept(leds->holders[i]))
			state_text_add(text, name_of(leds->holders[i]),
				holder_stays_lit(leds->holders[i]));
	state_text_keep(text, leds->kept);
	saver_put(leds->saver, text);
}

static int on_save(sd_event_source *source, uint64_t usec, void *userdata)
{
	save(userdata);
	return 0;
}

static bool is_in_trouble(const struct holder *holder)
{
	return holder_shown(holder) == SHOWN_TROUBLE;
}

static bool is_lit(const struct holder *holder)
{
	return holder_shown(holder) == SHOWN_ON;
}

/* Writes what the status says of an LED: "kitchen is on" or "kitchen: reason". */
static void write_entry(
	const struct leds *leds, const struct holder *holder, char entry[STATUS_ENTRY_MAX])
{
	const struct definition *definition = holder_definition(holder);
	const char *name = leds->n == 1 ? definition->label : definition->name;

	if (is_in_trouble(holder))
		snprintf(entry, STATUS_ENTRY_MAX, "%s: %s", name, holder_trouble(holder));
	else
		snprintf(entry, STATUS_ENTRY_MAX, "%s is %s", name, is_lit(holder) ? "on" : "off");
}

static void write_status(void *userdata, char text[STATUS_MAX])
{
	const struct leds *leds = userdata;
	const char *separator = *leds->wrong ? "; LED " : "LED ";
	char entry[STATUS_ENTRY_MAX];
	unsigned n_more = 0;

	add(text, STATUS_MAX, "%s", leds->wrong);
	for (unsigned i = 0; i < leds->n; i++) {
		if (is_wrong(leds->holders[i]))
			continue;
		write_entry(leds, leds->holders[i], entry);
		if (text_add(text, STATUS_MAX, separator, entry))
			separator = ", ";
		else
			n_more++;
	}
	if (n_more > 0)
		add(text, STATUS_MAX, ", and %u more", n_more);
}

static void on_change(void *userdata)
{
	struct leds *leds = userdata;

	status_changed(leds->status);
	if (leds->saver)
		timer_start_if_stopped(leds->save, SAVE_USEC);
	if (leds->changed)
		leds->changed(leds->userdata);
}

/* A GPIO chip was added or removed. It may be another one: reading our lines tells. */
static int on_device(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	struct leds *leds = userdata;

	if (chips_is_chip(event))
		for (unsigned i = 0; i < leds->n; i++)
			holder_check(leds->holders[i]);
	return 0;
}

struct leds *leds_create(sd_event *event, const struct arrival_clock *clock, const char *wrong)
{
	struct leds *leds = calloc(1, sizeof *leds);
	int r;

	if (!leds)
		return NULL;
	leds->event = sd_event_ref(event);
	leds->clock = clock;
	leds->wrong = wrong;
	leds->status = status_create(event, write_status, leds);
	r = leds->status ? timer_add(event, &leds->save, SAVE_ACCURACY_USEC, on_save, leds)
			 : -ENOMEM;
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

void leds_leave_out(struct leds *leds)
{
	leds->left_out = true;
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

int leds_start(struct leds *leds, bool let_go)
{
	uint64_t free_by = let_go ? clock_usec() + LET_GO_USEC : 0;
	char saved[STATE_FILE_MAX] = "";
	bool keeps = false;
	int r = 0;

	for (unsigned i = 0; i < leds->n; i++)
		keeps |= is_kept(leds->holders[i]);
	if (keeps) {
		r = state_file_load(saved);
		if (r < 0 && r != -ENOENT)
			syslog(LOG_WARNING, "%s: %s; the LED starts off", state_file_path(),
				strerror(-r));
		if (*leds->wrong)
			strcpy(leds->kept, saved);
		leds->saver = saver_create(leds->event, saved);
		if (!leds->saver)
			return -ENOMEM;
	}
	for (unsigned i = 0; i < leds->n; i++)
		holder_start(leds->holders[i], first_state(leds->holders[i], saved), free_by);
	return 0;
}

void leds_ready(const struct leds *leds)
{
	status_ready(leds->status);
}

bool leds_are_none(const struct leds *leds)
{
	return leds->n == 0;
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

bool leds_find(const struct leds *leds, const char *name, unsigned *number, char answer[ANSWER_MAX])
{
	for (*number = 0; *number < leds->n; ++*number)
		if (strcmp(holder_definition(leds->holders[*number])->name,
			    *name ? name : DEFINITION_UNNAMED) == 0)
			return true;
	refuse_name(leds, name, answer);
	return false;
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

/* Nobody opens the door with the lights. An LED that is wrong may be anything. */
static bool is_passed_over(const struct holder *holder, const struct request *request)
{
	return request->verb == VERB_ON && !is_wrong(holder) &&
	       definition_is_momentary(holder_definition(holder));
}

/*
 * Carries out a command for all LEDs, as far as it can. Returns false if all have failed, and one
 * may have been switched.
 */
static bool carry_out_all(
	const struct leds *leds, const struct request *request, char answer[ANSWER_MAX])
{
	const char *state = request->verb == VERB_ON ? "ON" : "OFF";
	char failed[ANSWER_MAX] = "", why[LED_WHY_MAX];
	unsigned n_meant = 0, n_failed = 0;
	bool carried_out, any_carried_out = false;

	for (unsigned i = 0; i < leds->n; i++) {
		if (is_passed_over(leds->holders[i], request))
			continue;
		n_meant++;
		if (holder_carry_out(leds->holders[i], request, &carried_out, why) >= 0)
			continue;
		any_carried_out |= carried_out;
		add(failed, sizeof failed, "%s%s: %s", n_failed++ == 0 ? "" : "; ",
			holder_definition(leds->holders[i])->name, why);
	}
	if (n_meant == 0)
		strcpy(answer, "ERR every LED here has pulse=: name one");
	else if (n_failed == n_meant)
		snprintf(answer, ANSWER_MAX, "%s %.*s", any_carried_out ? "no answer:" : "ERR",
			ANSWER_MAX - 16, failed);
	else if (n_failed > 0)
		snprintf(answer, ANSWER_MAX, "OK LED ALL %s except %.*s", state, ANSWER_MAX - 32,
			failed);
	else
		snprintf(answer, ANSWER_MAX, "OK LED ALL %s", state);
	return n_failed < n_meant || !any_carried_out;
}

static void list_kinds(const struct leds *leds, char answer[ANSWER_MAX])
{
	struct kinds kinds = {.n = leds->n, .left_out = leds->left_out};

	for (unsigned i = 0; i < leds->n; i++) {
		const struct definition *definition = holder_definition(leds->holders[i]);
		struct led_kind *led = &kinds.leds[i];

		strcpy(led->name, definition->name);
		led->kind = *definition->wrong ? KIND_UNKNOWN : definition->kind;
		led->pulse_ms = definition->pulse_ms;
	}
	kinds_write(&kinds, answer);
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

	/* A command that changes nothing is also a time to try again. */
	if (leds->saver && saver_has_failed(leds->saver))
		timer_start_if_stopped(leds->save, SAVE_USEC);

	if (leds->n == 0) {
		strcpy(answer, "ERR " SETTINGS_SEE_LOG);
		return true;
	}
	if (request->all || request->verb == VERB_LIST) {
		if (request->late)
			strcpy(answer, "ERR " COMMAND_LATE);
		else if (request->all)
			return carry_out_all(leds, request, answer);
		else if (request->kinds)
			list_kinds(leds, answer);
		else
			list(leds, answer);
		return true;
	}
	return !leds_find(leds, request->name, &number, answer) ||
	       carry_out_one(leds->holders[number], request, answer);
}

void leds_on_change(struct leds *leds, void (*changed)(void *userdata), void *userdata)
{
	leds->changed = changed;
	leds->userdata = userdata;
}

unsigned leds_shown(const struct leds *leds, struct showing shown[LEDS_MAX])
{
	for (unsigned i = 0; i < leds->n; i++)
		shown[i] = (struct showing){
			holder_shown(leds->holders[i]), holder_reasons(leds->holders[i])};
	return leds->n;
}

void leds_line(const struct leds *leds, unsigned number, char line[LEDS_LINE_MAX])
{
	const struct holder *holder = leds->holders[number];

	if (is_in_trouble(holder))
		snprintf(line, LEDS_LINE_MAX, "ERR %s: %s", holder_definition(holder)->name,
			holder_trouble(holder));
	else
		write_state(holder, is_lit(holder), line, LEDS_LINE_MAX);
}

void leds_flush(struct leds *leds, void (*flushed)(void *userdata), void *userdata)
{
	save(leds);
	if (leds->saver)
		saver_flush(leds->saver, flushed, userdata);
	else
		flushed(userdata);
}

bool leds_are_saved(struct leds *leds)
{
	if (!leds->saver || saver_has_failed(leds->saver))
		return true;
	save(leds);
	return saver_is_done(leds->saver);
}

void leds_destroy(struct leds *leds)
{
	if (!leds)
		return;
	saver_destroy(leds->saver);
	status_destroy(leds->status);
	sd_event_source_disable_unref(leds->devices);
	sd_event_source_disable_unref(leds->save);
	for (unsigned i = 0; i < leds->n; i++)
		holder_destroy(leds->holders[i]);
	sd_event_unref(leds->event);
	free(leds);
}
