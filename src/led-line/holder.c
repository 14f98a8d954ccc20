/* SPDX-License-Identifier: MIT */
#include "holder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "chips.h"
#include "clock.h"
#include "record.h"
#include "state-file.h"
#include "store.h"
#include "timer.h"

/* An LED that is missing is looked for this often. */
#define REOPEN_USEC 2000000
#define ACCURACY_USEC 500000

/* A device that has just appeared is not ours to open before udev has been at it. */
#define DENIED_USEC 5000000

/* Status and file are updated this long after the first change, once for a batch of changes. */
#define SETTLE_USEC 50000
#define SETTLE_ACCURACY_USEC 10000

/* How long a line is waited for that has just left the descriptor store. */
#define LET_GO_USEC 20000
#define LET_GO_TRIES 50

struct holder {
	sd_event *event;
	struct led *led;
	enum initial initial;
	struct record record; /* its state is what the LED is to show when it comes back */
	int record_fd;        /* the record, for the next process; -1 if it could not be made */
	bool inherited;       /* the record came from the process before us */
	bool mend;            /* the store has more under our names than we took */
	bool let_go;          /* the line may be held for a moment by what has left the store */
	struct state_writer *writer; /* of the state file; NULL if none is kept */
	int save_error;              /* what the log has said about it, or 0 */
	sd_event_source *devices, *reopen, *settle, *saved;
	uint64_t denied_since;     /* when the LED began to be kept from us, or 0 */
	char trouble[LED_WHY_MAX]; /* what is wrong with the LED, or "" */
	char told[LED_WHY_MAX];    /* what the log has last said to be wrong, or "" */
};

static void settle_soon(struct holder *holder)
{
	timer_start_if_stopped(holder->settle, SETTLE_USEC);
}

static void write_record(const struct holder *holder)
{
	if (holder->record_fd >= 0)
		record_write(holder->record_fd, &holder->record);
}

/* Logs whether the state file could be written, once for each reason. */
static void tell_saved(struct holder *holder, int r)
{
	if (r == holder->save_error)
		return;
	if (r < 0)
		syslog(LOG_WARNING, "%s: the LED's state is not kept: %s", state_file_path(),
			strerror(-r));
	else
		syslog(LOG_NOTICE, "%s: the LED's state is kept again", state_file_path());
	holder->save_error = r;
}

static int on_saved(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct holder *holder = userdata;

	(void)source;
	(void)fd;
	(void)events;
	tell_saved(holder, state_writer_result(holder->writer));
	return 0;
}

/* Begins to keep the state in a file. saved: its content, or negative if unknown. */
static void keep_state(struct holder *holder, int saved)
{
	int r = 0;

	holder->writer = state_writer_create(saved);
	if (!holder->writer)
		r = -errno;
	else
		r = sd_event_add_io(holder->event, &holder->saved, state_writer_fd(holder->writer),
			EPOLLIN, on_saved, holder);
	if (r < 0)
		tell_saved(holder, r);
}

static void save(struct holder *holder)
{
	if (holder->writer)
		state_writer_put(holder->writer, holder->record.lit);
}

/* Updates status and state file, after the client has its answer, once for several commands. */
static int on_settle(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct holder *holder = userdata;

	(void)source;
	(void)usec;
	if (*holder->trouble)
		sd_notifyf(0, "STATUS=LED %s: %s", led_spec(holder->led), holder->trouble);
	else
		sd_notifyf(0, "STATUS=LED %s is %s", led_spec(holder->led),
			holder->record.lit ? "on" : "off");
	save(holder);
	return 0;
}

/* Whether access is denied, but the device may have appeared a moment ago. */
static bool is_denied_so_far(struct holder *holder, int error)
{
	uint64_t now = clock_usec();

	if (error != -EACCES && error != -EPERM) {
		holder->denied_since = 0;
		return false;
	}
	if (holder->denied_since == 0)
		holder->denied_since = now;
	return now - holder->denied_since < DENIED_USEC;
}

/* The LED does not work. Logs each reason once, and tries again until it works. */
static void lose_led(struct holder *holder, int error, const char *why)
{
	led_close(holder->led);
	snprintf(holder->trouble, sizeof holder->trouble, "%s", why);
	if (!is_denied_so_far(holder, error) && strcmp(holder->told, why) != 0) {
		syslog(LOG_WARNING, "LED %s: %s", led_spec(holder->led), why);
		snprintf(holder->told, sizeof holder->told, "%s", why);
	}
	timer_start(holder->reopen, REOPEN_USEC);
	settle_soon(holder);
}

/* The LED is open, by a request of ours or of the process before us. */
static void have_led(struct holder *holder)
{
	if (*holder->told)
		syslog(LOG_NOTICE, "LED %s works again", led_spec(holder->led));
	*holder->trouble = *holder->told = '\0';
	holder->denied_since = 0;
	timer_stop(holder->reopen);
	settle_soon(holder);
}

/*
 * Requests the LED. The service manager closes what it has removed from its store in a process
 * beside it, a moment later: until then, the line is busy.
 */
static int request_led(struct holder *holder, bool lit, char why[LED_WHY_MAX])
{
	int r = led_open(holder->led, lit, why);

	for (int i = 0; r == -EBUSY && holder->let_go && i < LET_GO_TRIES; i++) {
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
		store_put(STORE_LINE, led_spec(holder->led), led_fd(holder->led));
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

/* A GPIO chip was added or removed. It may be another one: reading our line tells. */
static int on_device(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	struct holder *holder = userdata;
	char why[LED_WHY_MAX];

	(void)source;
	if (chips_is_chip(event))
		get_led(holder, why);
	return 0;
}

struct holder *holder_create(sd_event *event, struct led *led, enum initial initial)
{
	struct holder *holder = calloc(1, sizeof *holder);
	int r;

	if (!holder)
		return NULL;
	holder->event = sd_event_ref(event);
	holder->led = led;
	holder->initial = initial;
	holder->record_fd = -1;
	r = timer_add(event, &holder->reopen, ACCURACY_USEC, on_reopen, holder);
	if (r >= 0)
		r = timer_add(event, &holder->settle, SETTLE_ACCURACY_USEC, on_settle, holder);
	if (r >= 0)
		r = chips_watch(event, &holder->devices, on_device, holder);
	/* Clients first: any user can cause endless events by touching /dev/null. */
	if (r >= 0)
		r = sd_event_source_set_priority(holder->devices, SD_EVENT_PRIORITY_IDLE);
	if (r >= 0)
		return holder;
	holder_destroy(holder);
	return NULL;
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
		syslog(LOG_NOTICE, "LED %s: the line kept in the store is dead: %s",
			led_spec(holder->led), strerror(-r));
	return r >= 0;
}

bool holder_inherit(struct holder *holder, int fd, const char *name)
{
	const char *spec = led_spec(holder->led);
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

/*
 * The state to begin with where no process before us left one.
 *
 * saved: what the file says, or a negative errno
 */
static bool initial_state(const struct holder *holder, int saved)
{
	if (holder->initial != INITIAL_LAST)
		return holder->initial == INITIAL_ON;
	if (saved < 0 && saved != -ENOENT)
		syslog(LOG_WARNING, "%s: %s; the LED starts off", state_file_path(),
			saved == -EBADMSG ? "neither on nor off" : strerror(-saved));
	return saved > 0;
}

void holder_start(struct holder *holder, bool let_go)
{
	bool lit = holder->record.lit, store_state;
	char why[LED_WHY_MAX];
	int saved = -ENOENT, r;

	if (!holder->inherited) {
		if (holder->initial == INITIAL_LAST)
			saved = state_file_load();
		lit = initial_state(holder, saved);
	}
	if (holder->initial == INITIAL_LAST)
		keep_state(holder, saved);

	/* The kernel keeps the state of some LEDs by itself: what they show now counts. */
	if (holder->inherited && !led_is_open(holder->led))
		led_resume(holder->led, why);
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
	store_state = holder->mend || holder->record_fd < 0;
	if (holder->record_fd < 0)
		holder->record_fd = record_create();
	if (store_state)
		store_put(STORE_STATE, led_spec(holder->led), holder->record_fd);
	if (holder->mend)
		store_put(STORE_LINE, led_spec(holder->led), led_fd(holder->led));
	write_record(holder);
	settle_soon(holder);
	holder->let_go = let_go;
	open_led(holder, lit, why);
	holder->let_go = false;
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
 * before the LED is set: if we are killed in between, record_settle() sees it.
 *
 * lit: the state as the hardware has it
 * Returns 0 or a negative errno.
 */
static int change_led(
	struct holder *holder, const struct request *request, bool lit, char why[LED_WHY_MAX])
{
	struct record before = holder->record;
	bool changes = reorder_apply(&holder->record.reorder, request->verb, request->at, &lit);
	int r = 0;

	record_add_key(&holder->record, request->key);
	holder->record.lit = lit;
	write_record(holder);
	if (changes)
		r = set_led(holder, lit, why);
	if (r < 0)
		holder->record = before;
	holder->record.key_pending = false;
	write_record(holder);
	settle_soon(holder);
	return r;
}

bool holder_carry_out(void *userdata, const struct request *request, char answer[ANSWER_MAX])
{
	struct holder *holder = userdata;
	bool known = record_has_key(&holder->record, request->key), carried_out = known;
	char why[LED_WHY_MAX] = COMMAND_LATE;
	int r = -ETIME;

	if (!request->late || known)
		r = get_led(holder, why);
	if (r >= 0 && request->verb != VERB_STATUS && !known) {
		r = change_led(holder, request, r, why);
		carried_out = r >= 0;
		if (carried_out)
			r = get_led(holder, why);
	}
	if (r >= 0)
		snprintf(answer, ANSWER_MAX, "OK %s", verb_text(r ? VERB_ON : VERB_OFF));
	else
		snprintf(answer, ANSWER_MAX, "%s %s", carried_out ? "no answer:" : "ERR", why);
	return r >= 0 || !carried_out;
}

void holder_destroy(struct holder *holder)
{
	if (!holder)
		return;
	sd_event_source_disable_unref(holder->saved);
	if (holder->writer) {
		save(holder);
		tell_saved(holder, state_writer_destroy(holder->writer));
	}
	sd_event_source_disable_unref(holder->devices);
	sd_event_source_disable_unref(holder->reopen);
	sd_event_source_disable_unref(holder->settle);
	if (holder->record_fd >= 0)
		close(holder->record_fd);
	sd_event_unref(holder->event);
	free(holder);
}
