/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chips.h"
#include "holder.h"
#include "leds.h"
#include "logged.h"
#include "saver.h"
#include "state-file.h"
#include "status.h"
#include "tap.h"
#include "text.h"
#include "timers.h"

static char directory[] = "/tmp/test-leds.XXXXXX";
static sd_event *event;
static struct arrival_clock ticks;
static struct leds *leds;
static char answer[ANSWER_MAX];

/* --- LEDs, in place of holder.c ----------------------------------------------------------- */

struct holder {
	const struct definition *definition;
	enum shown shown;
	const char *trouble; /* of every command */
	bool unread;         /* carried out, but not read back */
	bool stays_lit, started_lit, inherits;
	unsigned n_checks;
	uint64_t free_by;
};

static struct holder holders[LEDS_MAX];
static unsigned n_holders;
static holder_changed changed;
static void *changed_userdata;

struct holder *holder_create(sd_event *event_, const struct arrival_clock *clock,
	const struct definition *definition, struct led *led, holder_changed changed_,
	void *userdata)
{
	struct holder *holder = &holders[n_holders++];

	CHECK(clock == &ticks);
	*holder = (struct holder){.definition = definition, .shown = SHOWN_OFF};
	changed = changed_;
	changed_userdata = userdata;
	return holder;
}

const struct definition *holder_definition(const struct holder *holder)
{
	return holder->definition;
}

bool holder_inherit(struct holder *holder, int fd, const char *name)
{
	return holder->inherits;
}

void holder_start(struct holder *holder, bool lit, uint64_t free_by)
{
	holder->started_lit = lit;
	holder->free_by = free_by;
}

int holder_carry_out(struct holder *holder, const struct request *request, bool *carried_out,
	char why[LED_WHY_MAX])
{
	*carried_out = holder->unread;
	if (holder->trouble) {
		strcpy(why, holder->trouble);
		return -EIO;
	}
	if (request->verb == VERB_ON || request->verb == VERB_OFF)
		holder->shown = request->verb == VERB_ON ? SHOWN_ON : SHOWN_OFF;
	return holder->shown == SHOWN_ON;
}

void holder_check(struct holder *holder)
{
	holder->n_checks++;
}

enum shown holder_shown(const struct holder *holder)
{
	return holder->trouble ? SHOWN_TROUBLE : holder->shown;
}

const char *holder_trouble(const struct holder *holder)
{
	return holder->trouble;
}

unsigned holder_reasons(const struct holder *holder)
{
	return 7;
}

bool holder_stays_lit(const struct holder *holder)
{
	return holder->stays_lit;
}

void holder_destroy(struct holder *holder)
{
	n_holders--;
}

/* --- the state file, the status and the chips, in place of saver.c, status.c and chips.c --------
 */

static char put[STATE_FILE_MAX];
static unsigned n_puts, n_status;
static bool has_saver, save_fails, is_saving;
static void (*write_text)(void *userdata, char text[STATUS_MAX]);
static void *status_userdata;
static sd_event_inotify_handler_t chip_handler;

struct saver *saver_create(sd_event *event_, const char *saved)
{
	has_saver = true;
	return (struct saver *)&has_saver;
}

void saver_put(struct saver *saver, const char *text)
{
	strcpy(put, text);
	n_puts++;
}

bool saver_has_failed(const struct saver *saver)
{
	return save_fails;
}

bool saver_is_done(const struct saver *saver)
{
	return !is_saving;
}

void saver_flush(struct saver *saver, void (*flushed)(void *userdata), void *userdata)
{
	CHECK(n_puts > 0);
	flushed(userdata);
}

void saver_destroy(struct saver *saver)
{
	has_saver &= !saver;
}

struct status *status_create(
	sd_event *event_, void (*write)(void *userdata, char text[STATUS_MAX]), void *userdata)
{
	write_text = write;
	status_userdata = userdata;
	return (struct status *)&n_status;
}

void status_changed(struct status *status)
{
	n_status++;
}

void status_ready(struct status *status)
{
	n_status++;
}

void status_destroy(struct status *status)
{
}

static int never(sd_event_source *source, void *userdata)
{
	return 0;
}

int chips_watch(sd_event *event_, sd_event_source **source, sd_event_inotify_handler_t handler,
	void *userdata)
{
	chip_handler = handler;
	return sd_event_add_defer(event, source, never, NULL);
}

bool chips_is_chip(const struct inotify_event *inotify)
{
	return inotify->mask;
}

/* --- the tests ------------------------------------------------------------------------------ */

static struct definition definitions[LEDS_MAX];

/* A led-line with these LEDs. wrong: with the settings. An LED whose SPEC is x is wrong. */
static void begin(const char *texts, const char *wrong)
{
	char copy[1024], *rest = strcpy(copy, texts), *text;
	unsigned n = 0;

	*put = '\0';
	n_puts = n_status = 0;
	save_fails = false;
	leds = leds_create(event, &ticks, wrong);
	while (*texts && (text = strsep(&rest, " "))) {
		struct definition *definition = &definitions[n++];

		CHECK(!definition_parse(text, definition));
		if (strcmp(definition->spec, "x") == 0)
			strcpy(definition->wrong, "a setting is wrong");
		CHECK(leds_add(leds, definition, NULL) == 0);
	}
}

static void end(void)
{
	leds_destroy(leds);
	CHECK(n_holders == 0 && timers_running() == 0 && !has_saver);
	unlink(state_file_path());
	logged();
}

static const char *send_(struct request request)
{
	CHECK(leds_carry_out(leds, &request, answer));
	return answer;
}

#define SEND(...) send_((struct request){__VA_ARGS__})

static const char *status(void)
{
	static char text[STATUS_MAX];

	*text = '\0';
	write_text(status_userdata, text);
	return text;
}

static const char *line(unsigned number)
{
	static char text[LEDS_LINE_MAX];

	leds_line(leds, number, text);
	return text;
}

static void count(void *userdata)
{
	++*(unsigned *)userdata;
}

TEST("one LED without a name")
{
	begin("log", "");
	CHECK(leds_start(leds, false) == 0 && !leds_are_none(leds));
	CHECK_TEXT(SEND(.verb = VERB_ON), "OK LED ON");
	CHECK_TEXT(SEND(.verb = VERB_STATUS, .name = "led"), "OK LED ON");
	CHECK_TEXT(SEND(.verb = VERB_LIST), "OK LED LIST led=ON");
	CHECK_TEXT(
		SEND(.verb = VERB_ON, .name = "x"), "ERR no LED is called x; LED LIST names them");
	CHECK_TEXT(status(), "LED log is on");
	CHECK_TEXT(line(0), "OK LED ON");
	holders[0].trouble = "gone";
	CHECK_TEXT(SEND(.verb = VERB_STATUS), "ERR gone");
	CHECK_TEXT(SEND(.verb = VERB_LIST), "OK LED LIST led=ERR");
	CHECK_TEXT(status(), "LED log: gone");
	CHECK_TEXT(line(0), "ERR led: gone");
	end();
}

TEST("LEDs with names, some without hardware")
{
	struct showing shown[LEDS_MAX];

	begin("a=log b=log c=log", "");
	CHECK_TEXT(SEND(.verb = VERB_ON), "ERR which LED? a, b, c");
	CHECK_TEXT(SEND(.verb = VERB_ON, .name = "b"), "OK LED b ON");
	CHECK_TEXT(SEND(.verb = VERB_LIST), "OK LED LIST a=OFF b=ON c=OFF");
	CHECK(leds_shown(leds, shown) == 3 && shown[0].shown == SHOWN_OFF &&
		shown[1].shown == SHOWN_ON && shown[1].reason == 7);
	CHECK_TEXT(SEND(.verb = VERB_ON, .all = true), "OK LED ALL ON");
	holders[0].trouble = "gone";
	CHECK_TEXT(SEND(.verb = VERB_OFF, .all = true), "OK LED ALL OFF except a: gone");
	holders[2].trouble = "busy";
	CHECK_TEXT(SEND(.verb = VERB_ON, .all = true), "OK LED ALL ON except a: gone; c: busy");
	CHECK_TEXT(status(), "LED a: gone, b is on, c: busy");
	CHECK_TEXT(line(1), "OK LED b ON");
	holders[1].trouble = "dead";
	CHECK_TEXT(SEND(.verb = VERB_ON, .all = true), "ERR a: gone; b: dead; c: busy");
	end();
}

TEST("ALL ON passes over momentary LEDs, ALL OFF reaches them")
{
	begin("a=log door=log,pulse=500 stairs=log,pulse=500,kind=light pump=log,kind=switch", "");
	CHECK_TEXT(SEND(.verb = VERB_ON, .all = true), "OK LED ALL ON");
	CHECK_TEXT(SEND(.verb = VERB_LIST), "OK LED LIST a=ON door=OFF stairs=ON pump=ON");
	CHECK_TEXT(SEND(.verb = VERB_ON, .name = "door"), "OK LED door ON");
	CHECK_TEXT(SEND(.verb = VERB_OFF, .all = true), "OK LED ALL OFF");
	CHECK_TEXT(SEND(.verb = VERB_LIST), "OK LED LIST a=OFF door=OFF stairs=OFF pump=OFF");
	/* One in trouble is in none of the answer. */
	holders[1].trouble = "gone";
	CHECK_TEXT(SEND(.verb = VERB_ON, .all = true), "OK LED ALL ON");
	CHECK_TEXT(SEND(.verb = VERB_OFF, .all = true), "OK LED ALL OFF except door: gone");
	/* None of the others could be. */
	holders[0].trouble = holders[2].trouble = holders[3].trouble = "busy";
	CHECK_TEXT(SEND(.verb = VERB_ON, .all = true), "ERR a: busy; stairs: busy; pump: busy");
	end();
}

TEST("where every LED is momentary, ALL ON is refused")
{
	begin("door=log,pulse=500 gate=log,pulse=1,kind=switch", "");
	CHECK_TEXT(SEND(.verb = VERB_ON, .all = true), "ERR every LED here has pulse=: name one");
	CHECK(holders[0].shown == SHOWN_OFF && holders[1].shown == SHOWN_OFF);
	CHECK_TEXT(SEND(.verb = VERB_ON, .all = true, .late = true), "ERR too late");
	CHECK_TEXT(SEND(.verb = VERB_ON, .name = "gate"), "OK LED gate ON");
	CHECK_TEXT(SEND(.verb = VERB_OFF, .all = true), "OK LED ALL OFF");
	CHECK(holders[1].shown == SHOWN_OFF);
	end();
	/* What a wrong one is meant to be is not known: it is not passed over. */
	begin("door=log,pulse=500 gate=x,pulse=500", "why");
	holders[1].trouble = "a setting is wrong";
	CHECK_TEXT(SEND(.verb = VERB_ON, .all = true), "ERR gate: a setting is wrong");
	CHECK(holders[0].shown == SHOWN_OFF);
	end();
}

TEST("LIST KINDS says what each LED is, and that one is wrong or left out")
{
	begin("log door=log,pulse=500 stairs=log,kind=light,pulse=180000 pump=log,kind=switch", "");
	holders[0].trouble = "gone";
	CHECK_TEXT(SEND(.verb = VERB_LIST, .kinds = true),
		"OK LED LIST KINDS led=light door=switch,pulse=500 stairs=light,pulse=180000 "
		"pump=switch");
	CHECK_TEXT(SEND(.verb = VERB_LIST, .kinds = true, .late = true), "ERR too late");
	end();
	begin("a=log kitchen=x,pulse=500,kind=light b=log", "why");
	CHECK_TEXT(SEND(.verb = VERB_LIST, .kinds = true),
		"OK LED LIST KINDS a=light kitchen=? b=light");
	leds_leave_out(leds);
	CHECK_TEXT(SEND(.verb = VERB_LIST, .kinds = true),
		"OK LED LIST KINDS a=light kitchen=? b=light ?");
	CHECK_TEXT(SEND(.verb = VERB_LIST), "OK LED LIST a=OFF kitchen=OFF b=OFF");
	end();
}

TEST("too late, and not known whether carried out")
{
	const struct request on = {.verb = VERB_ON}, all = {.verb = VERB_ON, .all = true};

	begin("log", "");
	CHECK_TEXT(SEND(.verb = VERB_OFF, .all = true, .late = true), "ERR too late");
	CHECK_TEXT(SEND(.verb = VERB_LIST, .late = true), "ERR too late");
	CHECK(holders[0].shown == SHOWN_OFF);
	holders[0].trouble = "no reading";
	holders[0].unread = true;
	CHECK(!leds_carry_out(leds, &on, answer));
	CHECK_TEXT(answer, "no answer: no reading");
	CHECK(!leds_carry_out(leds, &all, answer));
	CHECK_TEXT(answer, "no answer: led: no reading");
	end();
}

TEST("all have failed, and one of them may have been switched")
{
	const struct request all = {.verb = VERB_ON, .all = true};

	begin("a=log b=log", "");
	holders[0].trouble = "gone";
	holders[1].trouble = "no reading";
	CHECK_TEXT(SEND(.verb = VERB_ON, .all = true), "ERR a: gone; b: no reading");
	holders[1].unread = true;
	CHECK(!leds_carry_out(leds, &all, answer));
	CHECK_TEXT(answer, "no answer: a: gone; b: no reading");
	holders[0].trouble = NULL;
	CHECK_TEXT(SEND(.verb = VERB_ON, .all = true), "OK LED ALL ON except b: no reading");
	end();
}

TEST("the longest names and reasons are cut off, not written over")
{
	char texts[1024] = "", why[LED_WHY_MAX];

	memset(why, 'x', sizeof why - 1);
	why[sizeof why - 1] = '\0';
	for (unsigned i = 0; i < LEDS_MAX; i++)
		sprintf(texts + strlen(texts), "%sa-long-name-no%02u=log", i ? " " : "", i);
	begin(texts, "");
	for (unsigned i = 0; i < LEDS_MAX; i++)
		holders[i].trouble = why;
	CHECK(strlen(SEND(.verb = VERB_ON, .all = true)) < ANSWER_MAX);
	holders[3].trouble = NULL;
	CHECK(strncmp(SEND(.verb = VERB_ON, .all = true), "OK LED ALL ON except a-", 23) == 0);
	CHECK(strlen(line(0)) == strlen("ERR a-long-name-no00: ") + LED_WHY_MAX - 1);
	end();
}

TEST("the status has the whole reason of each LED, or counts the LEDs that it has no room for")
{
	static char wrong[LEDS_WRONG_MAX];
	char texts[1024] = "", why[LED_WHY_MAX], wanted[STATUS_MAX];

	memset(why, 'x', sizeof why - 1);
	why[sizeof why - 1] = '\0';
	begin("a=log b=log", "");
	holders[0].trouble = why;
	snprintf(wanted, sizeof wanted, "LED a: %s, b is off", why);
	CHECK_TEXT(status(), wanted);
	end();
	for (unsigned i = 0; i < LEDS_MAX; i++)
		sprintf(texts + strlen(texts), "%sa-long-name-no%02u=log", i ? " " : "", i);
	/* Those that work have room beside all that may be wrong. */
	memset(wrong, 'w', sizeof wrong - 1);
	begin(texts, wrong);
	CHECK(strstr(status(), "w; LED a-long-name-no00 is off, a-long-name-no01 is off, "));
	CHECK(strstr(status(), ", a-long-name-no31 is off") && !strstr(status(), "more"));
	end();
	begin(texts, "");
	for (unsigned i = 0; i < LEDS_MAX; i++)
		holders[i].trouble = why;
	CHECK(strlen(status()) > STATUS_MAX - TEXT_MORE_MAX - 220);
	CHECK_TEXT(strrchr(status(), ',') - 3, "xxx, and 14 more");
	holders[31].trouble = NULL;
	CHECK(strstr(status(), "xxx, a-long-name-no31 is off, and 13 more"));
	end();
}

TEST("an LED that is wrong, and no LED at all")
{
	static const char WRONG[] = "a setting is wrong: LED=b=x: why";
	unsigned number;

	begin("a=log b=x c=log", WRONG);
	CHECK_TEXT(status(), "a setting is wrong: LED=b=x: why; LED a is off, c is off");
	end();
	begin("b=x", WRONG);
	CHECK_TEXT(status(), WRONG);
	CHECK(!leds_are_none(leds));
	end();
	begin("", WRONG);
	CHECK(leds_are_none(leds));
	CHECK(leds_start(leds, false) == 0);
	leds_ready(leds);
	CHECK(n_status == 1);
	CHECK_TEXT(SEND(.verb = VERB_ON), "ERR a setting is wrong: see the log");
	CHECK_TEXT(SEND(.verb = VERB_LIST), "ERR a setting is wrong: see the log");
	CHECK_TEXT(SEND(.verb = VERB_LIST, .kinds = true), "ERR a setting is wrong: see the log");
	CHECK_TEXT(SEND(.verb = VERB_OFF, .all = true), "ERR a setting is wrong: see the log");
	CHECK(!leds_find(leds, "a", &number, answer));
	end();
}

TEST("what the state file has is the first state, where initial=last")
{
	CHECK(state_file_save("on\na on\nb maybe\nc on\n") == 0);
	begin("log,initial=last a=log,initial=off b=log,initial=last c=log,initial=last "
	      "d=log,initial=on",
		"");
	CHECK(leds_start(leds, true) == 0);
	CHECK(holders[0].started_lit && !holders[1].started_lit && !holders[2].started_lit);
	CHECK(holders[3].started_lit && holders[4].started_lit);
	CHECK(holders[0].free_by == timers_now + 1000000);
	CHECK(strstr(logged(), "/last: neither on nor off; LED b=log starts off\n"));
	end();
	/* There never was one, or it cannot be read. */
	for (int is_folder = 0; is_folder < 2; is_folder++) {
		if (is_folder)
			CHECK(mkdir(state_file_path(), 0700) == 0);
		begin("log,initial=last", "");
		CHECK(leds_start(leds, false) == 0 && !holders[0].started_lit);
		CHECK(strstr(logged(), "/last: Is a directory; the LED starts off\n") ? is_folder
										      : !is_folder);
		rmdir(state_file_path());
		end();
	}
	begin("log", "");
	CHECK(leds_start(leds, false) == 0 && !has_saver && holders[0].free_by == 0);
	end();
}

TEST("the state file is written a moment after a change, once for many")
{
	unsigned n_changes = 0;

	begin("log,initial=last a=log b=log,initial=last", "");
	leds_on_change(leds, count, &n_changes);
	leds_start(leds, false);
	holders[2].stays_lit = true;
	n_status = 0;
	changed(changed_userdata);
	timers_pass(40000);
	changed(changed_userdata);
	CHECK(n_puts == 0 && n_changes == 2 && n_status == 2);
	timers_pass(10000);
	CHECK(n_puts == 1);
	CHECK_TEXT(put, "off\nb on\n");
	timers_pass(1000000);
	CHECK(n_puts == 1);
	/* It is tried again at a command, where it has failed. */
	SEND(.verb = VERB_STATUS);
	timers_pass(1000000);
	CHECK(n_puts == 1);
	save_fails = true;
	SEND(.verb = VERB_STATUS);
	timers_pass(50000);
	CHECK(n_puts == 2);
	/* At a stop, at once. */
	holders[0].stays_lit = true;
	n_changes = 0;
	leds_flush(leds, count, &n_changes);
	CHECK(n_puts == 3 && n_changes == 1);
	CHECK_TEXT(put, "on\nb on\n");
	/* And what has changed since. */
	is_saving = true;
	save_fails = false;
	holders[0].stays_lit = false;
	CHECK(!leds_are_saved(leds) && n_puts == 4);
	CHECK_TEXT(put, "off\nb on\n");
	is_saving = false;
	CHECK(leds_are_saved(leds) && n_puts == 5);
	/* Not over and over while the disk is full. */
	is_saving = save_fails = true;
	CHECK(leds_are_saved(leds) && n_puts == 5);
	is_saving = save_fails = false;
	end();
	begin("log", "");
	leds_start(leds, false);
	CHECK(leds_are_saved(leds) && n_puts == 0);
	leds_flush(leds, count, &n_changes);
	CHECK(n_changes == 2 && n_puts == 0);
	end();
}

TEST("while a setting is wrong, words in the state file stay")
{
	for (int is_wrong = 0; is_wrong < 2; is_wrong++) {
		CHECK(state_file_save("a on\nb on\nc on\n") == 0);
		begin("a=log,initial=last b=x,initial=last", is_wrong ? "why" : "");
		leds_start(leds, false);
		CHECK(holders[0].started_lit);
		holders[0].stays_lit = false;
		changed(changed_userdata);
		timers_pass(50000);
		CHECK_TEXT(put, is_wrong ? "a off\nb on\nc on\n" : "a off\n");
		end();
	}
	/* Where no right LED has one, there is nothing to write. */
	begin("a=log b=x,initial=last", "why");
	leds_start(leds, false);
	CHECK(!has_saver);
	end();
}

TEST("each LED is read when a chip comes or goes, and offered what is inherited")
{
	struct inotify_event inotify = {.mask = 0};

	begin("a=log b=log", "");
	chip_handler(NULL, &inotify, leds);
	CHECK(holders[0].n_checks == 0);
	inotify.mask = 1;
	chip_handler(NULL, &inotify, leds);
	CHECK(holders[0].n_checks == 1 && holders[1].n_checks == 1);
	CHECK(!leds_inherit(leds, 3, "x"));
	holders[1].inherits = true;
	CHECK(leds_inherit(leds, 3, "x"));
	end();
}

int main(void)
{
	int r;

	if (!mkdtemp(directory) || sd_event_new(&event) < 0)
		return 1;
	setenv("STATE_DIRECTORY", directory, 1);
	r = tap_run();
	sd_event_unref(event);
	rmdir(directory);
	return r;
}
