/* SPDX-License-Identifier: MIT */
#ifndef PACKETS_H
#define PACKETS_H

/*
 * What comes from a broker, cut into packets, of which each is looked at before libmosquitto gets
 * it: versions up to 2.0.21, at least, abort at a property that they do not know, and take packets
 * of 256 MB. No I/O.
 */

#include <stdbool.h>
#include <stddef.h>

/* The largest packet that we take, in bytes. Brokers with MQTT 5 are asked to keep larger ones
 * back. */
#define PACKETS_MAX 65536

/* Begins as all zeros, but for the version. */
struct packets {
	bool is_v5;
	size_t length; /* bytes of the packet so far */
	size_t wanted; /* the length of the packet, once its header is there; or 0 */
	unsigned char bytes[PACKETS_MAX];
};

enum packets_verdict {
	PACKETS_MORE,     /* the packet is not complete */
	PACKETS_COMPLETE, /* bytes and length are a packet, until packets_take() is called again */
	PACKETS_OLD,      /* an answer to CONNECT in MQTT 3.1.1, which has no properties */
	PACKETS_BROKEN,   /* nothing that a broker may send to us */
};

/*
 * Takes bytes, to the end of a packet at the most.
 *
 * taken: set to how many
 */
enum packets_verdict packets_take(
	struct packets *packets, const unsigned char *bytes, size_t n, size_t *taken);

#endif
