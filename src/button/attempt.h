/* SPDX-License-Identifier: MIT */
#ifndef ATTEMPT_H
#define ATTEMPT_H

/*
 * One attempt to have one command carried out: what happens on its connection in, one outcome out.
 * All times are microseconds of one clock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "command.h"

/* How long to look up a name, and to connect to one address: another one may answer. */
#define ATTEMPT_CONNECT_USEC 2000000

/* Longer than led-handler takes to say that led-line is out of reach. */
#define ATTEMPT_ANSWER_USEC 5500000

enum attempt_outcome {
	UNDECIDED,    /* the attempt goes on */
	ACKNOWLEDGED, /* an OK */
	REFUSED,      /* another line */
	SILENT,    /* TCP: the server's machine has the command, and the end was an orderly one */
	UNREACHED, /* the server has not read the command */
	UNKNOWN,   /* the server may have read the command */
};

struct attempt {
	bool tcp;
	size_t sent;           /* bytes of the command */
	uint64_t deadline;     /* when what is waited for takes too long */
	char text[ANSWER_MAX]; /* the answer so far; with an outcome: the answer, or a reason */
	size_t length;
	enum attempt_outcome outcome;
};

/* tcp: the kernel knows how many bytes the server's machine has acknowledged */
void attempt_begin(struct attempt *attempt, bool tcp);

/* The look-up of the name begins, or the connection to one of its addresses. */
void attempt_wait(struct attempt *attempt, uint64_t now);

/* So many bytes of the command were sent. */
void attempt_sent(struct attempt *attempt, size_t bytes, uint64_t now);

/* Returns where the next bytes of the answer have to be read to, and how many there may be. */
char *attempt_room(struct attempt *attempt, size_t *size);

/* So many bytes were read there, at least one. */
enum attempt_outcome attempt_received(struct attempt *attempt, size_t bytes);

/*
 * The server has ended the connection in an orderly way.
 *
 * bytes_acked: tcpi_bytes_acked of TCP_INFO, which counts the SYN as one; 0 if it is not known
 */
enum attempt_outcome attempt_ended(struct attempt *attempt, uint64_t bytes_acked);

/* Something failed, or took too long. An answer that has come by then counts. */
enum attempt_outcome attempt_broken(struct attempt *attempt, const char *why);

/*
 * Whether the connection has to end with a reset. If the command was not acknowledged, the kernel
 * would go on sending it for minutes, and it could arrive after later presses.
 */
bool attempt_needs_reset(const struct attempt *attempt);

/*
 * The address to try next: the one that worked last, then the others in their order.
 *
 * worked: the number of the address that worked last; n if it is none of them
 * tried: how many were tried
 * Returns the number of an address, or n if all were tried.
 */
size_t attempt_next_address(size_t n, size_t worked, size_t tried);

#endif
