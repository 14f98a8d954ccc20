/* SPDX-License-Identifier: MIT */
#ifndef FORGET_H
#define FORGET_H

#include "broker.h"
#include "contacts.h"
#include "discovery.h"

/*
 * Clears everything that is retained below BASE/HOST, and this machine's messages of discovery,
 * that of 0.4 too. Waits for the broker, and says what is wrong.
 *
 * Returns main()'s exit status.
 */
int forget(const struct broker_options *options, const struct discovery *discovery,
	const struct contacts *contacts);

#endif
