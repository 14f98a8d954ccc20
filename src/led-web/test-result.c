/* SPDX-License-Identifier: MIT */
#include "result.h"
#include "tap.h"

static struct result r;

static unsigned status_of(const char *answer)
{
	result_answered(&r, answer);
	return r.status;
}

TEST("a state, without the name of the LED")
{
	CHECK(status_of("OK LED ON") == 200);
	CHECK_TEXT(r.text, "ON");
	CHECK(status_of("OK LED kitchen OFF") == 200);
	CHECK_TEXT(r.text, "OFF");
	CHECK(status_of("OK LED ALL ON") == 200);
	CHECK_TEXT(r.text, "ON");
	CHECK(status_of("OK LED ALL OFF except pump: no such chip; door: gone") == 200);
	CHECK_TEXT(r.text, "OFF except pump: no such chip; door: gone");
}

TEST("a refusal, as it is")
{
	CHECK(status_of("ERR too late") == 503);
	CHECK_TEXT(r.text, "ERR too late");
	CHECK(status_of("ERR no LED is called x; LED LIST names them") == 404);
	CHECK_TEXT(r.text, "ERR no LED is called x; LED LIST names them");
	CHECK(status_of("ERR a setting is wrong: see the log") == 503);
}

TEST("what is neither, and no answer")
{
	CHECK(status_of("no answer: the state file") == 502);
	CHECK(strncmp(r.text, "ERR nobody knows what became of it: ", 36) == 0);
	CHECK(status_of("") == 502);
	result_unknown(&r, "led-line closed the connection");
	CHECK(r.status == 502);
	CHECK_TEXT(r.text, "ERR nobody knows what became of it: led-line closed the connection");
	result_failed(&r, "No such file or directory");
	CHECK(r.status == 503);
	CHECK_TEXT(r.text, "ERR No such file or directory");
}

TEST("the longest answer of led-line fits")
{
	static char answer[ANSWER_MAX];

	memset(answer, 'x', sizeof answer - 1);
	memcpy(answer, "ERR ", 4);
	CHECK(status_of(answer) == 503);
	CHECK_TEXT(r.text, answer);
	memcpy(answer, "xxxx", 4);
	CHECK(status_of(answer) == 502);
	result_failed(&r, answer);
	CHECK(strlen(r.text) < sizeof r.text);
}

/* The same of an LED that somebody asks for. */
static unsigned state_of(const struct follow *follow, const char *name, const char *away)
{
	memset(&r, 0, sizeof r);
	result_state(&r, follow, name, away);
	return r.status;
}

TEST("what an LED shows, why it does not work, and that there is none")
{
	struct follow follow = {
		.leds = {{.name = "kitchen", .state = LED_ON}, {.name = "door", .state = LED_OFF},
			{.name = "pump", .state = LED_MISSING, .why = "no such chip"}},
		.n = 3};

	CHECK(state_of(&follow, "kitchen", "") == 200);
	CHECK_TEXT(r.text, "ON");
	CHECK(state_of(&follow, "door", "") == 200);
	CHECK_TEXT(r.text, "OFF");
	CHECK(state_of(&follow, "pump", "") == 503);
	CHECK_TEXT(r.text, "ERR no such chip");
	CHECK(state_of(&follow, "attic", "") == 404);
	CHECK_TEXT(r.text, "ERR no LED is called attic");
	/* led-line is away: it may have an LED of that name when it is back. */
	follow.missing = true;
	CHECK(state_of(&follow, "attic", "No such file or directory") == 503);
	CHECK_TEXT(r.text, "ERR No such file or directory");
}

int main(void)
{
	return tap_run();
}
