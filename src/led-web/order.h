/* SPDX-License-Identifier: MIT */
#ifndef ORDER_H
#define ORDER_H

/* The command of a POST, from its body to the answer: post.h has the way to led-line. */

#include "visit.h"

/* The body is complete: carries out the command in it, or refuses it. Returns as in response.h. */
enum MHD_Result order_begin(struct visit *visit);

/* The command has ended: answers. Returns as in response.h. */
enum MHD_Result order_end(struct visit *visit);

/* Frees what a command has, if there is one. */
void order_forget(struct visit *visit);

#endif
