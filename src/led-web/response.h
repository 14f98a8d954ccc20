/* SPDX-License-Identifier: MIT */
#ifndef RESPONSE_H
#define RESPONSE_H

/*
 * Responses. Each function returns what libmicrohttpd is to get back from visit_on_request();
 * MHD_NO: memory is short, and the connection ends.
 */

#include "visit.h"

/*
 * Sends a response, with the headers that all have.
 *
 * response: is freed; NULL when memory was short
 * type: its Content-Type
 */
enum MHD_Result response_send(
	struct visit *visit, unsigned status, struct MHD_Response *response, const char *type);

/* Sends a text, which is copied. */
enum MHD_Result response_text(struct visit *visit, unsigned status, const char *text);

/* Sends a form back to its page. */
enum MHD_Result response_back(struct visit *visit);

/* Sends the page, its icon, the list of the LEDs, or the state of the one that was asked for. */
enum MHD_Result response_page(struct visit *visit);
enum MHD_Result response_icon(struct visit *visit);
enum MHD_Result response_list(struct visit *visit);
enum MHD_Result response_state(struct visit *visit);

#endif
