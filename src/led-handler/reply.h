/* SPDX-License-Identifier: MIT */
#ifndef REPLY_H
#define REPLY_H

/* What a client of led-handler gets, and what the log: decided from what has happened, no I/O. */

#include <stdbool.h>

/* How a command ended that led-line was asked to carry out. */
enum upstream_outcome {
	UPSTREAM_ANSWERED,  /* led-line has answered */
	UPSTREAM_NOT_ASKED, /* led-line does not have the command */
	UPSTREAM_UNKNOWN,   /* led-line has the command, and has not answered */
};

/* What has happened on a connection. */
struct served {
	bool allowed;                  /* the client may connect */
	bool begun, ended;             /* the client's command, and its stream */
	const char *why;               /* why there is no command to carry out, or NULL */
	bool watches;                  /* the command is a WATCH */
	enum upstream_outcome outcome; /* of a command */
	bool has_room;                 /* the log has room for a line */
};

/* How the connection ends. */
enum reply_end {
	REPLY_CLOSES,  /* after the answer */
	REPLY_DRAINS,  /* after the answer, and after dropping what the client is still sending */
	REPLY_RESETS,  /* without an answer: a button takes an orderly end for a delivery */
	REPLY_WATCHES, /* after the answer, and after what led-line says from then on */
};

enum reply_log {
	REPLY_UNLOGGED,
	REPLY_LOGS_CLIENT,  /* the client and the answer */
	REPLY_LOGS_COMMAND, /* the client, what it sent and the answer, or why there is none */
	REPLY_LOGS_FAILURE, /* the same, as an error */
};

struct reply {
	enum reply_end end;
	enum reply_log log;
};

struct reply reply_decide(const struct served *served);

#endif
