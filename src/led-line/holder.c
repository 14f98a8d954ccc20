/* SPDX-License-Identifier: MIT */
#include "holder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "denial.h"
#include "record.h"
#include "store.h"
#include "timer.h"

/* An LED that is missing is looked for this often. */
#define REOPEN_USEC 2000000
#define ACCURACY_USEC 500000

/* How late a pulse may end. */
#define PULSE_ACCURACY_USEC 1000

/* A line that is about to become free is tried this often. */
#define LET_GO_USEC 20000

struct holder {
	const struct arrival_clock *clock;
	const struct definition *definition;
	struct led *led;
	holder_changed changed;
	void *userdata;
	struct record record; /* its state is what the LED is to show when it comes back */
	int record_fd;        /* the record, for the next process; -1 if it could not be made */
	bool inherited;       /* the record came from the process before us */
	bool mend;            /* the store has more under our names than we took */
	uint64_t free_by;     /* until then, a busy line is waited for */
	sd_event_source *reopen, *pulse;
	uint64_t denied_since;     /* for denial_is_new() */
	char trouble[LED_WHY_MAX]; /* what is wrong with the LED, or "" */
	char told[LED_WHY_MAX];    /* what the log has last said to be wrong, or "" */
};

static const char *label(const struct holder *holder)
{
	return holder->definition->label;
}

static void write_record(const struct holder *holder)
{
	if (holder->record_fd >= 0)
		record_write(holder->record_fd, &holder->record);
}

/* The LED does not work. Logs each reason once, and tries again until it works. */
static void lose_led(struct holder *holder, int error, const char *why)
{
	led_close(holder->led);
	snprintf(holder->trouble, sizeof holder->trouble, "%s", why);
	if (!denial_is_new(&holder->denied_since, error) && strcmp(holder->told, why) != 0) {
		syslog(LOG_WARNING, "LED %s: %s", label(holder), why);
		snprintf(holder->told, sizeof holder->told, "%s", why);
	}
	timer_start(holder->reopen, REOPEN_USEC);
	holder->changed(holder->userdata);
}

/* The LED is open, by a request of ours or of the process before us. */
static void have_led(struct holder *holder)
{
	if (*holder->told)
		syslog(LOG_NOTICE, "LED %s works again", label(holder));
	*holder->trouble = *holder->told = '\0';
	holder->denied_since = 0;
	timer_stop(holder->reopen);
	holder->changed(holder->userdata);
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

/* Opens the LED if it is not open. Returns 0 or a negative errno. */
static int open_led(struct holder *holder, bool lit, char why[LED_WHY_MAX])
{
	int r;

	if (led_is_open(holder->led))
		return 0;
	r = request_led(holder, lit, why);
	if (r < 0) {
		lose_led(holder, r, why);
		return r;
	}
	have_led(holder);
	if (led_fd(holder->led) >= 0)
		store_put(STORE_LINE, label(holder), led_fd(holder->led));
	return 0;
}

/* Reads the LED's state from the hardware, with a second try. Returns 1, 0 or a negative errno. */
static int get_led(struct holder *holder, char why[LED_WHY_MAX])
{
	int r;

	if (led_is_open(holder->led)) {
		r = led_get(holder->led, why);
		if (r >= 0)
			return r;
		lose_led(holder, r, why);
	}
	r = open_led(holder, holder->record.lit, why);
	return r < 0 ? r : led_get(holder->led, why);
}

static int on_reopen(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct holder *holder = userdata;
	char why[LED_WHY_MAX];

	(void)source;
	(void)usec;
	open_led(holder, holder->record.lit, why);
	return 0;
}

/* The time of CLOCK_BOOTTIME in microseconds, which goes on while the machine sleeps. */
static uint64_t boot_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/*
 * When an LED that is lit now goes out by itself, or 0.
 *
 * pulse_ms: of the command that has lit it, or 0
 */
static uint64_t pulse_end(const struct holder *holder, unsigned pulse_ms)
{
	unsigned limit = holder->definition->pulse_ms;

	if (pulse_ms == 0 || (limit > 0 && limit < pulse_ms))
		pulse_ms = limit;
	return pulse_ms ? boot_usec() + pulse_ms * 1000ULL : 0;
}

/* Starts, or stops, the timer that puts the LED out. */
static void time_pulse(struct holder *holder)
{
	if (holder->record.off_at)
		timer_start_at(holder->pulse, holder->record.off_at);
	else
		timer_stop(holder->pulse);
}

/*
 * Puts the LED out at the end of its pulse. The record is written afterwards: if we are killed in
 * between, the next process puts it out once more.
 */
static int on_pulse_over(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct holder *holder = userdata;
	char why[LED_WHY_MAX];
	int r = 0;

	(void)source;
	(void)usec;
	if (led_is_open(holder->led))
		r = led_set(holder->led, false, why);
	if (r < 0)
		lose_led(holder, r, why);
	holder->record.lit = false;
	holder->record.off_at = 0;
	reorder_end_pulse(&holder->record.reorder, arrival_ms(holder->clock, -1));
	write_record(holder);
	holder->changed(holder->userdata);
	return 0;
}

struct holder *holder_create(sd_event *event, const struct arrival_clock *clock,
	const struct definition *definition, struct led *led, holder_changed changed,
	void *userdata)
{
	struct holder *holder = calloc(1, sizeof *holder);
	int r;

	if (!holder)
		return NULL;
	holder->clock = clock;
	holder->definition = definition;
	holder->led = led;
	holder->changed = changed;
	holder->userdata = userdata;
	holder->record_fd = -1;
	r = timer_add(event, &holder->reopen, ACCURACY_USEC, on_reopen, holder);
	if (r >= 0)
		r = sd_event_add_time(event, &holder->pulse, CLOCK_BOOTTIME, 0, PULSE_ACCURACY_USEC,
			on_pulse_over, holder);
	if (r >= 0)
		r = sd_event_source_set_enabled(holder->pulse, SD_EVENT_OFF);
	if (r >= 0)
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
	holder->inherited = record_read(fd, &holder->record) >= 0;
	if (holder->inherited)
		holder->record_fd = fd;
	return holder->inherited;
}

static bool inherit_line(struct holder *holder, int fd)
{
	int r = led_adopt(holder->led, fd);

	if (r < 0)
		syslog(LOG_NOTICE, "LED %s: the line kept in the store is dead: %s", label(holder),
			strerror(-r));
	return r >= 0;
}

bool holder_inherit(struct holder *holder, int fd, const char *name)
{
	const char *spec = label(holder);
	bool taken;

	if (store_is(name, STORE_STATE, spec))
		taken = holder->record_fd < 0 && inherit_record(holder, fd);
	else if (store_is(name, STORE_LINE, spec))
		taken = !led_is_open(holder->led) && inherit_line(holder, fd);
	else
		return false;
	if (!taken) {
		close(fd);
		/*
		 * The store removes all descriptors of one name at once: holder_start() stores ours
		 * again.
		 */
		holder->mend = true;
	}
	return true;
}

void holder_start(struct holder *holder, bool lit, uint64_t free_by)
{
	char why[LED_WHY_MAX];
	bool store_state;
	int r;

	/* The kernel keeps the state of some LEDs by itself: what they show now counts. */
	if (holder->inherited && !led_is_open(holder->led))
		led_resume(holder->led, why);
	if (holder->inherited) {
		/* Its pulse may have ended meanwhile. An LED that is open is put out by the timer.
		 */
		lit = holder->record.lit &&
		      (holder->record.off_at == 0 || holder->record.off_at > boot_usec());
	}
	if (led_is_open(holder->led)) {
		/* The LED keeps the state that it has. */
		have_led(holder);
		r = led_get(holder->led, why);
		if (r < 0)
			lose_led(holder, r, why);
		else
			lit = r > 0;
	}
	record_settle(&holder->record, lit);
	if (lit && holder->record.off_at == 0)
		holder->record.off_at = pulse_end(holder, 0);
	store_state = holder->mend || holder->record_fd < 0;
	if (holder->record_fd < 0)
		holder->record_fd = record_create();
	if (store_state)
		store_put(STORE_STATE, label(holder), holder->record_fd);
	if (holder->mend)
		store_put(STORE_LINE, label(holder), led_fd(holder->led));
	write_record(holder);
	time_pulse(holder);
	holder->changed(holder->userdata);
	holder->free_by = free_by;
	open_led(holder, lit, why);
	holder->free_by = 0;
}

/* Sets the LED, with a second try in case the hardware was away. */
static int set_led(struct holder *holder, bool lit, char why[LED_WHY_MAX])
{
	int r;

	if (led_is_open(holder->led)) {
		r = led_set(holder->led, lit, why);
		if (r >= 0)
			return 0;
		lose_led(holder, r, why);
	}
	return open_led(holder, lit, why);
}

/*
 * Changes the LED as a command says, unless a later one has settled it. The record is written
 * before the LED is set: if we are killed in between, record_settle() sees it. A pulse that the
 * command ends is kept until then: the LED could stay lit otherwise.
 *
 * lit: the state as the hardware has it
 * Returns 0 or a negative errno.
 */
static int change_led(
	struct holder *holder, const struct request *request, bool lit, char why[LED_WHY_MAX])
{
	struct record before = holder->record;
	struct reorder *reorder = &holder->record.reorder;
	bool changes = reorder_apply(reorder, request->verb, request->at, &lit);
	uint64_t off_at = before.off_at;
	int r = 0;

	if (changes && lit)
		off_at = pulse_end(
			holder, reorder_pulses(reorder, request->at) ? request->pulse_ms : 0);
	else if (changes)
		off_at = 0;
	record_add_key(&holder->record, request->key);
	holder->record.lit = lit;
	if (off_at)
		holder->record.off_at = off_at;
	write_record(holder);
	if (changes)
		r = set_led(holder, lit, why);
	if (r < 0)
		holder->record = before;
	else
		holder->record.off_at = off_at;
	holder->record.key_pending = false;
	write_record(holder);
	time_pulse(holder);
	holder->changed(holder->userdata);
	return r;
}

int holder_carry_out(struct holder *holder, const struct request *request, bool *carried_out,
	char why[LED_WHY_MAX])
{
	int r;

	*carried_out = record_has_key(&holder->record, request->key);
	if (request->late && !*carried_out) {
		strcpy(why, COMMAND_LATE);
		return -ETIME;
	}
	r = get_led(holder, why);
	if (r < 0 || request->verb == VERB_STATUS || *carried_out)
		return r;
	r = change_led(holder, request, r, why);
	*carried_out = r >= 0;
	return r < 0 ? r : get_led(holder, why);
}

void holder_check(struct holder *holder)
{
	char why[LED_WHY_MAX];

	get_led(holder, why);
}

bool holder_is_lit(const struct holder *holder)
{
	return holder->record.lit;
}

bool holder_stays_lit(const struct holder *holder)
{
	return holder->record.lit && holder->record.off_at == 0;
}

const char *holder_trouble(const struct holder *holder)
{
	return holder->trouble;
}

void holder_destroy(struct holder *holder)
{
	if (!holder)
		return;
	sd_event_source_disable_unref(holder->reopen);
	sd_event_source_disable_unref(holder->pulse);
	if (holder->record_fd >= 0)
		close(holder->record_fd);
	free(holder);
}
