/* SPDX-License-Identifier: MIT */
#ifndef RECEPTION_H
#define RECEPTION_H

/*
 * What a command is worth that has come on a connection: when it came, whether its sender still
 * waits for the answer, who logs it, and how the connection ends. No I/O and no clock.
 *
 * A led-handler sends its client's command with the time when it came, "LED ON @TIME". Any other
 * program on this machine can do so, too: it cannot gain by lying, because an earlier time weakens
 * its command.
 */

#include <stdbool.h>
#include <stdint.h>

/* Who has sent a command. */
struct sender {
	bool at_unix;         /* connected to a UNIX socket, so that its account is known */
	bool is_local;        /* on this machine */
	bool is_proxy;        /* it has said whose the command is */
	bool has_own_account; /* root's or led-handler's, which nobody else uses */
	bool has_ended;       /* its stream, which a led-handler does when it has given up */
	bool has_left;        /* it has closed its connection, which ends both ways */
	bool may_be_late;     /* led-line stood still while this waited */
};

/* How one that watches has come, so that strangers cannot take the places of others. */
enum watchers_origin {
	WATCHERS_LOCAL,   /* a program on this machine, such as led-mqtt */
	WATCHERS_NETWORK, /* through led-handler, a proxy or TCP */
	WATCHERS_ORIGINS,
};

struct reception {
	bool is_given_up;  /* nobody waits for the answer, and it may come again: it is too late */
	uint64_t at;       /* when it came */
	bool late;         /* more than COMMAND_LATE_MS ago */
	bool from_handler; /* a led-handler's, whose answer is marked when the log has no room */
	bool logged_elsewhere; /* a led-handler logs it */
	bool drains;           /* what is still sent is read, and then it is closed and logged */
	enum watchers_origin origin;
};

/*
 * said_at: the time that the command has, or 0
 * arrived: when it came on this connection, as the kernel says. All times are in milliseconds of
 *     arrival_ms().
 */
struct reception reception_judge(
	const struct sender *sender, uint64_t said_at, uint64_t arrived, uint64_t now);

#endif
