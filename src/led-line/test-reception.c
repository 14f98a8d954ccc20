/* SPDX-License-Identifier: MIT */
#include "reception.h"

#include "command.h"
#include "tap.h"

#define NOW 100000

/* Every sender: a bit for each of its members. */
#define SENDERS (1 << 7)

static struct sender sender_of(int bits)
{
	return (struct sender){
		bits & 1, bits & 2, bits & 4, bits & 8, bits & 16, bits & 32, bits & 64};
}

static const struct sender HANDLER = {.at_unix = true, .is_local = true, .has_own_account = true};
static const struct sender USER = {.at_unix = true, .is_local = true};
static const struct sender LOOPBACK = {.is_local = true};
static const struct sender STRANGER;
static const struct sender PROXY = {.at_unix = true, .is_local = true, .is_proxy = true};

static struct reception judge(const struct sender *sender, uint64_t said_at)
{
	return reception_judge(sender, said_at, NOW, NOW);
}

TEST("a time counts if it comes from this machine, and only to make a command older")
{
	CHECK(judge(&HANDLER, 99000).at == 99000);
	CHECK(judge(&LOOPBACK, 99000).at == 99000);
	CHECK(judge(&STRANGER, 99000).at == NOW);
	CHECK(judge(&PROXY, 99000).at == NOW);
	CHECK(judge(&HANDLER, NOW + 1).at == NOW);
	CHECK(judge(&HANDLER, 0).at == NOW);
	for (int i = 0; i < SENDERS; i++) {
		struct sender sender = sender_of(i);

		CHECK(judge(&sender, 0).at == NOW && judge(&sender, NOW + 1).at == NOW);
		CHECK(judge(&sender, 99000).at ==
			(sender.is_local && !sender.is_proxy ? 99000 : NOW));
	}
}

TEST("a command is late 5 s after it came, by the time that counts")
{
	CHECK(!judge(&HANDLER, NOW - COMMAND_LATE_MS).late);
	CHECK(judge(&HANDLER, NOW - COMMAND_LATE_MS - 1).late);
	CHECK(!judge(&STRANGER, 1).late);
	CHECK(!reception_judge(&STRANGER, 0, NOW - COMMAND_LATE_MS, NOW).late);
	CHECK(reception_judge(&STRANGER, 0, NOW - COMMAND_LATE_MS - 1, NOW).late);
}

TEST("nobody waits for the answer: led-handler has given up, or a program has left")
{
	for (int i = 0; i < SENDERS; i++) {
		struct sender sender = sender_of(i);
		bool has_left = sender.at_unix && sender.has_left && sender.may_be_late;

		CHECK(judge(&sender, 0).is_given_up == has_left);
		CHECK(judge(&sender, 99000).is_given_up == (has_left || sender.has_ended));
	}
}

TEST("a command is logged once: by led-handler, if it is one, or here when that has gone")
{
	CHECK(judge(&HANDLER, 99000).logged_elsewhere && !judge(&HANDLER, 99000).drains);
	CHECK(!judge(&HANDLER, 0).logged_elsewhere && !judge(&HANDLER, 0).from_handler);
	CHECK(!judge(&USER, 99000).logged_elsewhere && judge(&USER, 99000).drains);
	for (int i = 0; i < SENDERS; i++) {
		struct sender sender = sender_of(i);
		struct reception own = judge(&sender, 0), passed_on = judge(&sender, 99000);

		CHECK(!own.from_handler && !own.logged_elsewhere && !own.drains);
		CHECK(passed_on.from_handler == (sender.is_local && !sender.is_proxy));
		CHECK(passed_on.from_handler == (passed_on.logged_elsewhere || passed_on.drains));
		CHECK(passed_on.logged_elsewhere ==
			(passed_on.from_handler && sender.has_own_account));
	}
}

TEST("only a program of this machine that speaks for itself takes a local watcher's place")
{
	CHECK(judge(&USER, 0).origin == WATCHERS_LOCAL);
	CHECK(judge(&HANDLER, 99000).origin == WATCHERS_NETWORK);
	CHECK(judge(&LOOPBACK, 0).origin == WATCHERS_NETWORK);
	CHECK(judge(&PROXY, 0).origin == WATCHERS_NETWORK);
	CHECK(judge(&STRANGER, 0).origin == WATCHERS_NETWORK);
}

TAP_MAIN
