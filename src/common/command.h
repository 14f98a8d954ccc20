/* SPDX-License-Identifier: MIT */
#ifndef COMMAND_H
#define COMMAND_H

/*
 * The protocol: one command per connection, bytes in, a request or a reason out.
 * No allocation and no I/O, so that led-handler, led-line and the fuzzer share it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest command, in bytes, its terminator not counted. */
#define COMMAND_MAX 64

/* The most bytes that may come on one connection, blanks after the terminator included. */
#define COMMAND_STREAM_MAX 65536

/* A sender that has begun a command and then stays quiet for this long has ended it. */
#define COMMAND_QUIET_MS 1000

/* A connection that has said nothing for this long is closed: people type. */
#define COMMAND_SILENCE_MS 30000
#define COMMAND_SILENT "no command within 30 s"

/* Once the first byte of a command has come, the rest has this long. */
#define COMMAND_DEADLINE_MS 5000
#define COMMAND_INCOMPLETE "the command was not complete after 5 s"

/* A command that reached the machine longer ago than this is not carried out any more. */
#define COMMAND_LATE_MS 5000
#define COMMAND_LATE "too late"

/* After a refusal, what the client is still sending is read and dropped for this long. */
#define COMMAND_DRAIN_MS 1000

/* The most LEDs of one led-line. */
#define LEDS_MAX 32

/* The longest answer in bytes, with its newline and a NUL: LED ALL OFF with a reason for each. */
#define ANSWER_MAX 8192

/*
 * led-line adds this to an answer for led-handler when the log has no room for the command's line.
 * An older led-handler passes the blank on to its client, which ignores it.
 */
#define ANSWER_UNLOGGED " "

/* The longest name of an LED, in bytes. */
#define COMMAND_NAME_MAX 16

/* The longest key of a command, in bytes. */
#define COMMAND_KEY_MAX 16

/* The longest pulse, in milliseconds. */
#define COMMAND_PULSE_MAX 3600000

/* Room for what led-handler adds to a command: a blank, "@", and a time in decimal. */
#define COMMAND_TIME_MAX (sizeof " @18446744073709551615" - 1)

/* The bytes of a command that are kept: one more, for the CR of a CR LF. */
#define COMMAND_TEXT_MAX (COMMAND_MAX + COMMAND_TIME_MAX + 1)

/* Room for any command as command_quote() writes it. */
#define COMMAND_QUOTE_MAX (4 * COMMAND_TEXT_MAX + 1)

enum verb {
	VERB_ON,
	VERB_OFF,
	VERB_TOGGLE,
	VERB_STATUS,
	VERB_PULSE,
	VERB_LIST,
	VERB_WATCH,
};

/* Where the bytes are in telnet's negotiation: RFC 854. */
enum telnet {
	TELNET_TEXT,
	TELNET_COMMAND,            /* after IAC */
	TELNET_OPTION,             /* after IAC and WILL, WONT, DO or DONT */
	TELNET_SUBNEGOTIATION,     /* between IAC SB and IAC SE */
	TELNET_SUBNEGOTIATION_IAC, /* after an IAC in there */
};

/* The bytes of one connection so far. Begins as all zeros, but for timed. */
struct command {
	bool timed; /* the sender may be led-handler, which adds the time of arrival */
	char text[COMMAND_TEXT_MAX];
	size_t length;   /* bytes in text */
	size_t received; /* bytes in all */
	enum telnet telnet;
	bool begun;      /* a byte has come that is not telnet's negotiation */
	bool terminated; /* a terminator has come */
	bool too_long;
	bool trailing; /* something came after the terminator */
};

/* What a command asks for. */
struct request {
	enum verb verb;
	bool all;                        /* for all LEDs: VERB_ON or VERB_OFF */
	char name[COMMAND_NAME_MAX + 1]; /* of the LED, in small letters, or "" */
	unsigned pulse_ms;               /* of a VERB_PULSE */
	bool kinds;                      /* of a VERB_LIST: LED LIST KINDS, see kinds.h */
	char key[COMMAND_KEY_MAX + 1];   /* of a TOGGLE or PULSE, or "" */
	uint64_t at;                     /* when it came: arrival_ms(), or 0 if it does not say */
	bool late;                       /* that is too long ago: COMMAND_LATE_MS */
};

/*
 * Takes the bytes of one read, without telnet's negotiation. A caller whose read filled its buffer
 * has to read once more: there may be bytes after the terminator.
 *
 * bytes, n: what was read; n may be 0
 * Returns true when the command has ended, or can no longer become valid.
 */
bool command_feed(struct command *command, const char *bytes, size_t n);

/*
 * Says what the bytes mean, taking their end as the command's end.
 *
 * request: set when the bytes are a command
 * Returns NULL for a command, else the reason, a constant for people to read.
 */
const char *command_parse(const struct command *command, struct request *request);

/*
 * Says whether the bytes are "PRESS NAME" or "PRESS NAME LONG", a name as an LED's, in any case.
 * Servers with LEDs do not know this command.
 *
 * name: set to it, in small letters
 * is_long: set to whether it is a long press
 */
bool command_parse_press(
	const struct command *command, char name[COMMAND_NAME_MAX + 1], bool *is_long);

/* What a button says of a contact. */
enum contact_state {
	CONTACT_IS_ON,   /* closed */
	CONTACT_IS_OFF,  /* open */
	CONTACT_IS_GONE, /* its hardware, or its button's program */
};

struct contact_report {
	char name[COMMAND_NAME_MAX + 1]; /* of the contact, in small letters */
	enum contact_state state;
};

/*
 * Says whether the bytes are "CONTACT NAME ON", OFF or GONE, a name as an LED's, in any case.
 * Servers with LEDs do not know this command.
 *
 * report: set to what it says
 */
bool command_parse_contact(const struct command *command, struct contact_report *report);

/* Writes a report as a command. Returns its length in bytes. */
size_t command_write_contact(const struct contact_report *report, char text[COMMAND_MAX + 1]);

/*
 * Reads the name of an LED, in any case: a letter, then letters, digits and hyphens. The words of
 * the protocol are not names.
 *
 * name: set to it, in small letters
 * Returns whether it is one.
 */
bool command_read_name(const char *text, size_t length, char name[COMMAND_NAME_MAX + 1]);

/* Reads 1 to COMMAND_PULSE_MAX milliseconds. Returns whether the text is that. */
bool command_read_pulse(const char *text, size_t length, unsigned *ms);

/*
 * Writes a request as a command, without its time: "LED kitchen PULSE 500 #KEY".
 *
 * Returns its length in bytes.
 */
size_t command_write(const struct request *request, char text[COMMAND_MAX + 1]);

/*
 * Writes the command's text for the log: printable ASCII as it is, any other
 * byte, quotes and backslashes as \xNN.
 *
 * Returns quoted.
 */
const char *command_quote(const struct command *command, char quoted[COMMAND_QUOTE_MAX]);

#endif
