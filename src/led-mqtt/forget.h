/* SPDX-License-Identifier: MIT */
#ifndef FORGET_H
#define FORGET_H

#include "broker.h"
#include "topics.h"

/*
 * Clears everything that is retained below BASE/HOST, and Home Assistant's message. Waits for the
 * broker, and says what is wrong.
 *
 * discovery: the topic of that message, or ""
 * Returns main()'s exit status.
 */
int forget(
	const struct broker_options *options, const struct topics *topics, const char *discovery);

#endif
