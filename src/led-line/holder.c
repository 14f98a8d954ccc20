/* SPDX-License-Identifier: MIT */

/*
 * Holds one LED: reads it, sets it, and writes its record. What that has to be is decided in
 * transition.c and inherit.c.
 */

#include "holder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "absence.h"
#include "clock.h"
#include "inherit.h"
#include "pause.h"
#include "record-file.h"
#include "store.h"
#include "timer.h"
#include "transition.h"

/* How late a pulse may end, and an LED that has failed may be tried again. */
#define ACCURACY_USEC 1000

/* An LED that has failed is tried again after this time, which doubles to ABSENCE_RETRY_USEC. */
#define RETRY_USEC 50000

/* A line that is about to become free is tried this often. */
#define LET_GO_USEC 20000

struct holder {
	const struct arrival_clock *clock;
	const struct definition *definition;
	struct led *led;
	holder_changed changed;
	void *userdata;
	struct record record; /* its state is what the LED has to show */
	struct record_file file;
	enum start start;
	bool has_record;  /* from the process before us */
	bool unread;      /* it stays as it was at the start, and could not be read since */
	bool unset;       /* it could not be set: it may show something else than the record */
	bool old_names;   /* what we took came from 0.1.0 to 0.4.1 */
	bool mend;        /* the store has more under our names than we took */
	uint64_t free_by; /* until then, a busy line is waited for */
	enum shown shown; /* what was last read from the hardware */
	unsigned reasons; /* why it did not work, counted */
	char reason[LED_WHY_MAX]; /* the latest of them */
	struct absence absence;
	struct pause pause; /* before the next try */
	sd_event_source *retry, *pulse;
};

static const char *label(const struct holder *holder)
{
	return holder->definition->label;
}

/* The time of CLOCK_BOOTTIME in microseconds, which goes on while the machine sleeps. */
static uint64_t boot_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Takes and writes a record. The timer of a pulse follows it. */
static void set_record(struct holder *holder, const struct record *record)
{
	bool stayed_lit = holder_stays_lit(holder);

	holder->record = *record;
	record_file_write(&holder->file, record);
	if (record->off_at)
		timer_start_at(holder->pulse, record->off_at);
	else
		timer_stop(holder->pulse);
	if (holder_stays_lit(holder) != stayed_lit)
		holder->changed(holder->userdata);
}

static void show(struct holder *holder, enum shown shown)
{
	if (shown == holder->shown)
		return;
	holder->shown = shown;
	holder->changed(holder->userdata);
}

static void retry_later(struct holder *holder)
{
	timer_start(holder->retry, pause_next(&holder->pause));
}

/* The LED does not work. Logs each reason once, and tries again until it works. */
static void fail(struct holder *holder, int error, const char *why)
{
	bool is_new = strcmp(holder->reason, why) != 0;

	if (absence_go_on(&holder->absence, error, why, clock_usec()))
		syslog(LOG_WARNING, "LED %s: %s", label(holder), why);
	retry_later(holder);
	holder->reasons += is_new;
	snprintf(holder->reason, sizeof holder->reason, "%s", why);
	if (is_new && holder->shown == SHOWN_TROUBLE)
		holder->changed(holder->userdata);
	show(holder, SHOWN_TROUBLE);
}

/*
 * Lets a line go that is gone, and has the service manager close its copy, too. After a transfer
 * that has failed, it is still ours.
 */
static void close_if_gone(struct holder *holder, int error)
{
	bool stored = led_fd(holder->led) >= 0;

	if (error != -ENODEV || !led_is_open(holder->led))
		return;
	led_close(holder->led);
	if (stored)
		store_put(STORE_LINE, label(holder), -1);
}

/*
 * Requests the LED. The service manager closes what it has removed from its store in a process
 * beside it, a moment later: until then, the line is busy.
 */
static int request_led(struct holder *holder, bool lit, char why[LED_WHY_MAX])
{
	int r = led_open(holder->led, lit, why);

	while (r == -EBUSY && clock_usec() < holder->free_by) {
		usleep(LET_GO_USEC);
		r = led_open(holder->led, lit, why);
	}
	return r;
}

/* Sets the LED, or opens it in this state. Returns 0 or a negative errno. */
static int set_once(struct holder *holder, bool lit, char why[LED_WHY_MAX])
{
	int r;

	if (led_is_open(holder->led)) {
		r = led_set(holder->led, lit, why);
		close_if_gone(holder, r);
		return r;
	}
	r = request_led(holder, lit, why);
	if (r >= 0 && led_fd(holder->led) >= 0)
		store_put(STORE_LINE, label(holder), led_fd(holder->led));
	return r;
}

/* The same, with a second try if it was open. A failure is logged and retried. */
static int set_led(struct holder *holder, bool lit, char why[LED_WHY_MAX])
{
	bool was_open = led_is_open(holder->led);
	int r = set_once(holder, lit, why);

	if (r < 0 && was_open)
		r = set_once(holder, lit, why);
	holder->unset = r < 0;
	if (r < 0)
		fail(holder, r, why);
	return r;
}

/* What the process before us was doing is done, or forgotten. lit: as inherit_complete() has it */
static void complete_record(struct holder *holder, bool lit)
{
	struct record record = holder->record;

	inherit_complete(&record, record_file_before(&holder->file), holder->start, lit,
		holder->definition->pulse_ms, boot_usec(), arrival_now_ms(holder->clock));
	set_record(holder, &record);
	holder->unread = false;
}

/* The LED has been read: it works. */
static void take_reading(struct holder *holder, bool lit)
{
	if (holder->shown == SHOWN_TROUBLE && absence_end(&holder->absence))
		syslog(LOG_NOTICE, "LED %s works again", label(holder));
	timer_stop(holder->retry);
	if (holder->unread)
		complete_record(holder, lit);
	show(holder, lit ? SHOWN_ON : SHOWN_OFF);
}

/*
 * Reads the LED, with a second try. If it is not open, opens it in a state.
 *
 * Returns 1, 0 or a negative errno.
 */
static int open_and_read(struct holder *holder, bool lit, char why[LED_WHY_MAX])
{
	int r = -EIO;

	if (led_is_open(holder->led)) {
		r = led_get(holder->led, why);
		close_if_gone(holder, r);
	}
	if (!led_is_open(holder->led)) {
		int opened = set_led(holder, lit, why);

		if (opened < 0)
			return opened;
	}
	if (r < 0)
		r = led_get(holder->led, why);
	if (r < 0)
		fail(holder, r, why);
	else
		take_reading(holder, r);
	return r;
}

static void end_pulse(struct holder *holder)
{
	struct record record = holder->record;

	transition_end_pulse(&record, arrival_now_ms(holder->clock));
	set_record(holder, &record);
}

/*
 * Reads the LED, after what is due, or could not be done before: it is put out at the end of a
 * pulse, which is over when the hardware says so, or set as the record says.
 *
 * Returns 1, 0 or a negative errno.
 */
static int catch_up(struct holder *holder, char why[LED_WHY_MAX])
{
	bool overdue = transition_is_overdue(&holder->record, boot_usec());
	bool lit = holder->record.lit && !overdue;
	int r = 0;

	if (*holder->definition->wrong) {
		strcpy(why, holder->definition->wrong);
		return -EINVAL;
	}
	if (overdue || holder->unset)
		r = set_led(holder, lit, why);
	if (r >= 0)
		r = open_and_read(holder, lit, why);
	if (overdue && r > 0)
		retry_later(holder);
	else if (r >= 0)
		pause_reset(&holder->pause);
	if (overdue && r == 0)
		end_pulse(holder);
	return r;
}

static int on_due(sd_event_source *source, uint64_t usec, void *userdata)
{
	char why[LED_WHY_MAX];

	catch_up(userdata, why);
	return 0;
}

struct holder *holder_create(sd_event *event, const struct arrival_clock *clock,
	const struct definition *definition, struct led *led, holder_changed changed,
	void *userdata)
{
	struct holder *holder = calloc(1, sizeof *holder);

	if (!holder)
		return NULL;
	holder->clock = clock;
	holder->definition = definition;
	holder->led = led;
	holder->changed = changed;
	holder->userdata = userdata;
	holder->file = RECORD_FILE_NONE;
	if (*definition->wrong) {
		strcpy(holder->absence.why, definition->wrong);
		holder->shown = SHOWN_TROUBLE;
	}
	holder->pause = (struct pause){.first_usec = RETRY_USEC, .last_usec = ABSENCE_RETRY_USEC};
	if (timer_add(event, &holder->retry, ACCURACY_USEC, on_due, holder) >= 0 &&
		sd_event_add_time(event, &holder->pulse, CLOCK_BOOTTIME, 0, ACCURACY_USEC, on_due,
			holder) >= 0 &&
		sd_event_source_set_enabled(holder->pulse, SD_EVENT_OFF) >= 0)
		return holder;
	holder_destroy(holder);
	return NULL;
}

const struct definition *holder_definition(const struct holder *holder)
{
	return holder->definition;
}

static bool inherit_record(struct holder *holder, int fd)
{
	if (holder->has_record || record_file_read(fd, &holder->record) < 0)
		return false;
	holder->has_record = true;
	return record_file_open(&holder->file, fd) >= 0;
}

static bool inherit_line(struct holder *holder, int fd)
{
	int r;

	if (led_is_open(holder->led))
		return false;
	r = led_adopt(holder->led, fd);
	if (r < 0)
		syslog(LOG_NOTICE, "LED %s: the line kept in the store is dead: %s", label(holder),
			strerror(-r));
	return r >= 0;
}

bool holder_inherit(struct holder *holder, int fd, const char *name)
{
	const char *spec = label(holder);
	enum store_item item = store_name_is(name, STORE_STATE, spec) ? STORE_STATE : STORE_LINE;
	char own[STORE_NAME_MAX];

	if (*holder->definition->wrong || !store_name_is(name, item, spec))
		return false;
	if (!(item == STORE_STATE ? inherit_record(holder, fd) : inherit_line(holder, fd))) {
		close(fd);
		/* The store removes all descriptors of one name at once: ours has to go back. */
		holder->mend = true;
	}
	store_name(item, spec, own);
	holder->old_names |= strcmp(name, own) != 0;
	return true;
}

/* What the process before us has left. */
static enum start find_start(struct holder *holder)
{
	char why[LED_WHY_MAX];

	if (led_is_open(holder->led))
		return START_ADOPTED;
	if (!holder->has_record)
		return START_FRESH;
	/* The kernel keeps the state of some LEDs by itself: what they show now counts. */
	return led_resume(holder->led, why) >= 0 ? START_KEPT : START_RECORD;
}

/* Has the store have what we have, under our names. */
static void store_all(struct holder *holder)
{
	bool new_file = holder->file.fd < 0 && record_file_create(&holder->file) >= 0;
	char old[STORE_NAME_MAX];

	if (holder->mend || holder->old_names || new_file)
		store_put(STORE_STATE, label(holder), holder->file.fd);
	if (holder->mend || holder->old_names)
		store_put(STORE_LINE, label(holder), led_fd(holder->led));
	if (!holder->old_names)
		return;
	store_old_name(STORE_STATE, label(holder), old);
	store_remove(old);
	store_old_name(STORE_LINE, label(holder), old);
	store_remove(old);
}

void holder_start(struct holder *holder, bool lit, uint64_t free_by)
{
	char why[LED_WHY_MAX];

	if (*holder->definition->wrong)
		return;
	holder->start = find_start(holder);
	holder->unread = led_is_open(holder->led);
	store_all(holder);
	if (holder->unread)
		set_record(holder, &holder->record);
	else
		complete_record(holder, lit);
	holder->free_by = free_by;
	open_and_read(holder, holder->record.lit, why);
	holder->free_by = 0;
}

/*
 * Changes the LED as a command says, unless a later one has settled it.
 *
 * lit: the state as the hardware has it
 * Returns 0 or a negative errno.
 */
static int change_led(
	struct holder *holder, const struct request *request, bool lit, char why[LED_WHY_MAX])
{
	const struct record before = holder->record;
	struct transition transition;
	int r = 0;

	transition_make(
		&before, request, lit, holder->definition->pulse_ms, boot_usec(), &transition);
	if (transition.set) {
		record_file_write_pending(&holder->file, &transition.pending, &before.reorder);
		r = set_led(holder, transition.pending.lit, why);
	}
	set_record(holder, r < 0 ? &before : &transition.done);
	return r;
}

int holder_carry_out(struct holder *holder, const struct request *request, bool *carried_out,
	char why[LED_WHY_MAX])
{
	/* The first reading after a start may change the record, so it comes first. */
	int r = catch_up(holder, why);
	enum judgement judgement = transition_judge(&holder->record, request);

	*carried_out = judgement == JUDGEMENT_KNOWN;
	if (judgement == JUDGEMENT_LATE) {
		strcpy(why, COMMAND_LATE);
		return -ETIME;
	}
	if (r < 0 || judgement != JUDGEMENT_MAKE)
		return r;
	r = change_led(holder, request, r, why);
	*carried_out = r >= 0;
	return r < 0 ? r : catch_up(holder, why);
}

void holder_check(struct holder *holder)
{
	char why[LED_WHY_MAX];

	catch_up(holder, why);
}

enum shown holder_shown(const struct holder *holder)
{
	return holder->shown;
}

const char *holder_trouble(const struct holder *holder)
{
	return holder->absence.why;
}

unsigned holder_reasons(const struct holder *holder)
{
	return holder->reasons;
}

bool holder_stays_lit(const struct holder *holder)
{
	return holder->record.lit && holder->record.off_at == 0;
}

void holder_destroy(struct holder *holder)
{
	if (!holder)
		return;
	sd_event_source_disable_unref(holder->retry);
	sd_event_source_disable_unref(holder->pulse);
	record_file_close(&holder->file);
	free(holder);
}
