/* SPDX-License-Identifier: MIT */

/* What comes from a broker, cut into packets and checked: MQTT 3.1.1 and 5, chapters 2 and 3. */

#include "packets.h"

#include <string.h>

/* Types of packets that a broker sends. */
enum { CONNACK = 2, PUBLISH, PUBACK, SUBACK = 9, UNSUBACK = 11, PINGRESP = 13, DISCONNECT };

/* Bytes that are read one after the other. bad: more was wanted than there is */
struct reader {
	const unsigned char *p, *end;
	bool bad;
};

static void skip(struct reader *reader, size_t n)
{
	if ((size_t)(reader->end - reader->p) < n)
		reader->bad = true;
	else
		reader->p += n;
}

static unsigned read_byte(struct reader *reader)
{
	const unsigned char *p = reader->p;

	skip(reader, 1);
	return reader->bad ? 0 : *p;
}

static void skip_text(struct reader *reader)
{
	unsigned length = read_byte(reader) << 8;

	length |= read_byte(reader);
	skip(reader, length);
}

/* Reads a number of up to four bytes, each with seven bits. */
static size_t read_number(struct reader *reader)
{
	size_t number = 0;

	for (unsigned shift = 0; shift < 28; shift += 7) {
		unsigned byte = read_byte(reader);

		number |= (size_t)(byte & 127) << shift;
		if (byte < 128)
			return number;
	}
	reader->bad = true;
	return 0;
}

/* What a property has after its identifier: MQTT 5, 2.2.2.2. */
enum kind { NO_PROPERTY, BYTE, TWO_BYTES, FOUR_BYTES, NUMBER, TEXT, TWO_TEXTS };

static const unsigned char KINDS[] = {
	[1] = BYTE,        /* payload format indicator */
	[2] = FOUR_BYTES,  /* message expiry interval */
	[3] = TEXT,        /* content type */
	[8] = TEXT,        /* response topic */
	[9] = TEXT,        /* correlation data */
	[11] = NUMBER,     /* subscription identifier */
	[17] = FOUR_BYTES, /* session expiry interval */
	[18] = TEXT,       /* assigned client identifier */
	[19] = TWO_BYTES,  /* server keep alive */
	[21] = TEXT,       /* authentication method */
	[22] = TEXT,       /* authentication data */
	[23] = BYTE,       /* request problem information */
	[24] = FOUR_BYTES, /* will delay interval */
	[25] = BYTE,       /* request response information */
	[26] = TEXT,       /* response information */
	[28] = TEXT,       /* server reference */
	[31] = TEXT,       /* reason string */
	[33] = TWO_BYTES,  /* receive maximum */
	[34] = TWO_BYTES,  /* topic alias maximum */
	[35] = TWO_BYTES,  /* topic alias */
	[36] = BYTE,       /* maximum QoS */
	[37] = BYTE,       /* retain available */
	[38] = TWO_TEXTS,  /* user property */
	[39] = FOUR_BYTES, /* maximum packet size */
	[40] = BYTE,       /* wildcard subscription available */
	[41] = BYTE,       /* subscription identifier available */
	[42] = BYTE,       /* shared subscription available */
};

static void skip_property(struct reader *reader)
{
	size_t id = read_number(reader);

	switch (id < sizeof KINDS ? KINDS[id] : NO_PROPERTY) {
	case BYTE:
		skip(reader, 1);
		break;
	case TWO_BYTES:
		skip(reader, 2);
		break;
	case FOUR_BYTES:
		skip(reader, 4);
		break;
	case NUMBER:
		read_number(reader);
		break;
	case TWO_TEXTS:
		skip_text(reader);
		skip_text(reader);
		break;
	case TEXT:
		skip_text(reader);
		break;
	default:
		reader->bad = true;
	}
}

static void skip_properties(struct reader *reader)
{
	size_t length = read_number(reader);
	struct reader properties = *reader;

	skip(reader, length);
	if (reader->bad)
		return;
	properties.end = reader->p;
	while (properties.p < properties.end && !properties.bad)
		skip_property(&properties);
	reader->bad = properties.bad;
}

/* A reason code and properties, which may be left out. */
static void skip_reason(struct reader *reader)
{
	if (reader->p < reader->end)
		skip(reader, 1);
	if (reader->p < reader->end)
		skip_properties(reader);
}

static void skip_publish(struct reader *reader, unsigned qos, bool is_v5)
{
	skip_text(reader);
	skip(reader, qos > 0 ? 2 : 0);
	if (is_v5)
		skip_properties(reader);
	/* We have subscribed with QoS 1. */
	reader->bad |= qos > 1;
	reader->p = reader->end;
}

/* Reads what a packet has after its header. */
static enum packets_verdict check(unsigned char first, struct reader reader, bool is_v5)
{
	unsigned type = first >> 4;
	size_t length = (size_t)(reader.end - reader.p);

	if (type != PUBLISH && (first & 15) != 0)
		return PACKETS_BROKEN;
	switch (type) {
	case CONNACK:
		if (is_v5 && length == 2)
			return PACKETS_OLD;
		skip(&reader, 2);
		if (is_v5)
			skip_properties(&reader);
		break;
	case PUBLISH:
		skip_publish(&reader, first >> 1 & 3, is_v5);
		break;
	case PUBACK:
		skip(&reader, 2);
		if (is_v5)
			skip_reason(&reader);
		break;
	case SUBACK:
	case UNSUBACK:
		skip(&reader, 2);
		if (is_v5)
			skip_properties(&reader);
		reader.p = reader.end;
		break;
	case PINGRESP:
		break;
	case DISCONNECT:
		reader.bad = !is_v5;
		skip_reason(&reader);
		break;
	default:
		return PACKETS_BROKEN;
	}
	return reader.bad || reader.p < reader.end ? PACKETS_BROKEN : PACKETS_COMPLETE;
}

/* Reads the length in a packet's header. Returns false if it cannot be right. */
static bool read_length(struct packets *packets)
{
	struct reader reader = {packets->bytes + 1, packets->bytes + packets->length, false};
	size_t rest = read_number(&reader);

	if (reader.bad)
		return packets->length < 5;
	packets->wanted = (size_t)(reader.p - packets->bytes) + rest;
	return packets->wanted <= sizeof packets->bytes;
}

enum packets_verdict packets_take(
	struct packets *packets, const unsigned char *bytes, size_t n, size_t *taken)
{
	struct reader reader;
	size_t part;

	*taken = 0;
	if (packets->wanted && packets->length == packets->wanted)
		packets->length = packets->wanted = 0;
	while (!packets->wanted) {
		if (*taken == n)
			return PACKETS_MORE;
		packets->bytes[packets->length++] = bytes[(*taken)++];
		if (packets->length > 1 && !read_length(packets))
			return PACKETS_BROKEN;
	}
	part = packets->wanted - packets->length;
	if (part > n - *taken)
		part = n - *taken;
	memcpy(packets->bytes + packets->length, bytes + *taken, part);
	packets->length += part;
	*taken += part;
	if (packets->length < packets->wanted)
		return PACKETS_MORE;
	reader = (struct reader){packets->bytes + 1, packets->bytes + packets->length, false};
	read_number(&reader);
	return check(packets->bytes[0], reader, packets->is_v5);
}
