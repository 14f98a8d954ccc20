/* SPDX-License-Identifier: MIT */

/* With connections that do as the test says: these are exchange.h's functions. */

#include "follower.h"

#include <stdlib.h>

#include "exchange.h"
#include "logged.h"
#include "tap.h"
#include "timers.h"

#define MS 1000ULL

static sd_event *event;
static struct follower *follower;
static const struct address LINE = {.path = "/run/led/line.sock"};
static int n_changed;

/* The connections; NULL: it is not open. */
static struct exchange *watch, *list, *kinds;
static int n_watches, n_lists, n_kinds;
static const char *fails; /* so does the next connection, at once; or NULL */

void exchange_open(
	struct exchange *exchange, sd_event *loop, const struct address *line, const char *command)
{
	struct exchange **which = strcmp(command, "LED WATCH\n") == 0  ? &watch
				  : strcmp(command, "LED LIST\n") == 0 ? &list
								       : &kinds;
	const char *why = fails;

	CHECK(line == &LINE && loop == event && !*which && !exchange->io);
	CHECK(which != &kinds || strcmp(command, "LED LIST KINDS\n") == 0);
	++*(which == &watch ? &n_watches : which == &list ? &n_lists : &n_kinds);
	if (why) {
		exchange->ended(exchange->userdata, why, false);
		return;
	}
	*which = exchange;
	exchange->io = (sd_event_source *)exchange; /* not NULL */
}

void exchange_close(struct exchange *exchange)
{
	exchange->io = NULL;
	if (watch == exchange)
		watch = NULL;
	if (list == exchange)
		list = NULL;
	if (kinds == exchange)
		kinds = NULL;
}

/* A line comes. Returns what the connection is to do. */
static bool take(struct exchange *exchange, const char *text)
{
	char line[64];

	CHECK(exchange);
	if (!exchange)
		return false;
	snprintf(line, sizeof line, "%s", text);
	return exchange->taken(exchange->userdata, line);
}

/* A connection ends by itself. */
static void hang_up(struct exchange *exchange, const char *why)
{
	exchange_close(exchange);
	exchange->ended(exchange->userdata, why, true);
}

static void on_changed(void *userdata)
{
	CHECK(userdata == &n_changed);
	n_changed++;
}

static void begin(void)
{
	watch = list = kinds = NULL;
	n_watches = n_lists = n_kinds = n_changed = 0;
	fails = NULL;
	follower = follower_create(event, &LINE, on_changed, &n_changed);
	CHECK(!watch && !list);
	timers_pass(0);
}

/* The same, with LEDs led and pump. */
static void begin_with_leds(void)
{
	begin();
	CHECK(take(watch, "OK LED ON") && take(watch, "OK LED pump OFF"));
	CHECK(!take(list, "OK LED LIST led=ON pump=OFF"));
	CHECK(!take(kinds, "OK LED LIST KINDS led=light pump=switch"));
}

static void end(void)
{
	follower_destroy(follower);
	CHECK(!watch && !list && !kinds && timers_running() == 0);
	logged();
}

static enum led_state state_of(unsigned i)
{
	return follower_get(follower)->leds[i].state;
}

TEST("it watches, lists once after the first line, asks for kinds, and goes on with the watch "
     "alone")
{
	begin();
	CHECK(watch && !list && n_watches == 1);
	CHECK(take(watch, "OK LED ON"));
	CHECK(watch && list && n_changed == 0);
	CHECK(take(watch, "OK LED pump OFF"));
	CHECK(n_lists == 1);
	CHECK(!take(list, "OK LED LIST led=ON pump=OFF"));
	CHECK(watch && !list && kinds && n_changed == 0);
	CHECK(!take(kinds, "OK LED LIST KINDS led=light pump=switch"));
	CHECK(watch && !list && !kinds && n_changed == 1);
	CHECK(follower_get(follower)->n == 2 && state_of(0) == LED_ON && state_of(1) == LED_OFF);
	CHECK(take(watch, "OK LED pump ON"));
	CHECK(n_changed == 2 && state_of(1) == LED_ON);
	timers_pass(3600000 * MS);
	CHECK(watch && !list && n_watches == 1 && n_lists == 1 && n_kinds == 1 && n_changed == 2);
	CHECK_TEXT(follower_trouble(follower), "");
	CHECK_TEXT(logged(), "");
	end();
}

TEST("a line that is none closes both, and it watches again after a pause")
{
	begin();
	CHECK(take(watch, "OK LED ON"));
	CHECK(!take(watch, "ERR too many connections"));
	CHECK(!watch && !list);
	timers_pass(99 * MS);
	CHECK(!watch);
	timers_pass(1 * MS);
	CHECK(watch && n_watches == 2);
	end();
}

TEST("a led-line that restarts is back without trouble, one that stays away is missing")
{
	begin_with_leds();
	hang_up(watch, "led-line closed the connection");
	CHECK(!watch && n_changed == 1);
	timers_pass(100 * MS);
	CHECK(watch && take(watch, "OK LED OFF") && take(watch, "OK LED pump OFF"));
	CHECK(!take(list, "OK LED LIST led=OFF pump=OFF"));
	CHECK(!take(kinds, "ERR unknown command"));
	CHECK(n_changed == 2 && state_of(0) == LED_OFF);
	CHECK_TEXT(logged(), "");

	fails = "Connection refused";
	hang_up(watch, "led-line closed the connection");
	timers_pass(1999 * MS);
	CHECK(n_changed == 2 && state_of(0) == LED_OFF);
	CHECK_TEXT(follower_trouble(follower), "");
	timers_pass(1 * MS);
	CHECK(n_changed == 3 && state_of(0) == LED_MISSING && state_of(1) == LED_MISSING);
	CHECK_TEXT(follower_trouble(follower),
		"no led-line at /run/led/line.sock: Connection refused");
	CHECK_TEXT(logged(), "no led-line at /run/led/line.sock: Connection refused\n");
	timers_pass(3600000 * MS);
	CHECK(n_changed == 3);
	CHECK_TEXT(logged(), "");
	end();
}

TEST("another trouble is said once, and so is its end to the owner")
{
	begin();
	fails = "Connection refused";
	hang_up(watch, "led-line closed the connection");
	timers_pass(10000 * MS);
	CHECK_TEXT(logged(), "no led-line at /run/led/line.sock: Connection refused\n");
	fails = "Permission denied";
	n_changed = 0;
	timers_pass(60000 * MS);
	CHECK(n_changed == 1);
	CHECK_TEXT(logged(), "no led-line at /run/led/line.sock: Permission denied\n");
	fails = NULL;
	for (int i = 0; i < 128 && !watch; i++)
		timers_pass(100 * MS);
	CHECK(take(watch, "OK LED ON") && !take(list, "OK LED LIST led=ON"));
	CHECK(!take(kinds, "OK LED LIST KINDS led=light"));
	CHECK(n_changed == 2 && state_of(0) == LED_ON);
	CHECK_TEXT(follower_trouble(follower), "");
	CHECK_TEXT(logged(), "");
	end();
}

TEST("one that does not answer a command is missing at once, and is asked anew")
{
	begin_with_leds();
	follower_hang(follower);
	CHECK(!watch && n_changed == 2 && state_of(0) == LED_MISSING);
	CHECK_TEXT(follower_trouble(follower), "no led-line at /run/led/line.sock: no answer");
	timers_pass(100 * MS);
	CHECK(watch && n_watches == 2);
	end();
}

TEST("one that accepts and says nothing is given up after 2 s")
{
	begin();
	timers_pass(2000 * MS);
	CHECK(!watch && n_changed == 1);
	CHECK_TEXT(logged(), "no led-line at /run/led/line.sock: no answer\n");
	end();
}

int main(void)
{
	int failed;

	if (sd_event_new(&event) < 0)
		return 1;
	failed = tap_run();
	follower_destroy(NULL);
	sd_event_unref(event);
	return failed;
}
