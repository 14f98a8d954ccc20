/* SPDX-License-Identifier: MIT */

/* The page in HTML. It works as it is; page.js makes it live. */

#include "page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "element.h"
#include "embedded.h"
#include "feed.h"
#include "name.h"

/* Room for the title and for what is known of led-line, in bytes of HTML. */
#define TITLE_ROOM 90
#define NOTE_ROOM 100

/* Stands for what a text has no room for. */
static const char ELLIPSIS[] = "\xe2\x80\xa6";

/* Returns what stands for a character between tags, or NULL for itself. */
static const char *entity(char c)
{
	return c == '<' ? "&lt;" : c == '&' ? "&amp;" : NULL;
}

/* Returns where to cut a text off so that it has room with an ellipsis; its end if it has anyway.
 */
static const char *find_end(const char *text, size_t room)
{
	const char *end = text;
	size_t length = 0;

	for (; *text; text++) {
		/* A character of UTF-8 stays whole. */
		if ((*text & 0xc0) != 0x80 && length + strlen(ELLIPSIS) <= room)
			end = text;
		length += entity(*text) ? strlen(entity(*text)) : 1;
	}
	return length <= room ? text : end;
}

/* Writes a text for HTML, where it stands between tags, and as much of it as there is room for. */
static void write_text(FILE *page, const char *text, size_t room)
{
	const char *end = find_end(text, room);

	for (; text < end; text++) {
		if (entity(*text))
			fputs(entity(*text), page);
		else
			putc(*text, page);
	}
	if (*end)
		fputs(ELLIPSIS, page);
}

/* The LED without a name is just that. */
static void write_name(FILE *page, const char *name)
{
	char text[COMMAND_NAME_MAX + 1];

	fputs(strcmp(name, "led") == 0 ? "LED" : name_for_people(name, text), page);
}

/*
 * What page.js finds: in each form, the button first, and last where an error stands. A button that
 * is disabled sends nothing.
 *
 * room: for the error; 0: without it
 */
static void write_led(FILE *page, const struct followed_led *led, const char *away, size_t room)
{
	const char *error = element_error(led, away);
	bool is_on = led->state == LED_ON, is_switch = !followed_is_momentary(led);

	fprintf(page, "<form action=leds/%s", led->name);
	if (error)
		fputs("><button", page);
	else
		fprintf(page, " method=post><button name=command value=%s",
			is_on && is_switch ? "OFF" : "ON");
	if (is_switch)
		fprintf(page, " role=switch aria-checked=%s", is_on ? "true" : "false");
	else if (is_on)
		fputs(" class=lit", page);
	fprintf(page, "%s>", error ? " disabled" : "");
	write_name(page, led->name);
	fputs("</button><p>", page);
	if (error && room > 0)
		write_text(page, error, room);
	fputs("</form>", page);
}

/* room: for the error of an LED; 0: without them */
static char *write_page(const char *title, const struct follow *follow, const char *away,
	size_t room, size_t *length)
{
	char *text = NULL;
	FILE *page = open_memstream(&text, length);

	if (!page)
		return NULL;
	fputs("<!DOCTYPE html><html lang=en><meta charset=utf-8>"
	      "<meta name=viewport content=\"width=device-width\"><title>",
		page);
	write_text(page, title, TITLE_ROOM);
	fprintf(page,
		"</title><link rel=icon href=icon.png><style>%s</style><body id=l%" PRIx64 "%s>",
		EMBEDDED_STYLE, feed_list(follow), *away ? " class=lost" : "");
	fputs("<main><h1>", page);
	write_text(page, title, TITLE_ROOM);
	fputs("</h1><p id=note role=status>", page);
	write_text(page, away, NOTE_ROOM);
	fputs("</p>", page);
	for (unsigned i = 0; i < follow->n; i++)
		write_led(page, &follow->leds[i], away, room);
	fprintf(page,
		"<noscript><a href=.>Show the states of now</a></noscript></main>"
		"<script>%s</script>",
		EMBEDDED_SCRIPT);
	if (fclose(page) == 0)
		return text;
	free(text);
	return NULL;
}

char *page_write(const char *title, const struct follow *follow, const char *away, size_t *length)
{
	char *page = write_page(title, follow, away, 0, length);
	unsigned errors = 0;

	for (unsigned i = 0; i < follow->n; i++)
		errors += element_error(&follow->leds[i], away) != NULL;
	if (!page || errors == 0)
		return page;
	/*
	 * Errors share what is left. With JavaScript, the page gets them in full from /events,
	 * while led-line is there.
	 */
	free(page);
	return write_page(title, follow, away,
		*length < PAGE_MAX ? (PAGE_MAX - *length) / errors : 0, length);
}
