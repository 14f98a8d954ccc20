/* SPDX-License-Identifier: MIT */
#include "page.h"

#include <stdlib.h>

#include "tap.h"

static struct follow f;
static size_t length;

/* The page of the LEDs in f, until the next one. */
static const char *page(const char *title, const char *away)
{
	static char *text;

	free(text);
	text = page_write(title, &f, away, &length);
	CHECK(text && strlen(text) == length);
	return text ? text : "";
}

static void has(const char *text)
{
	if (!strstr(page("Kitchen Pi", ""), text))
		CHECK_TEXT(page("Kitchen Pi", ""), text);
}

TEST("a switch, on and off, with a name for people")
{
	f = (struct follow){.n = 2};
	f.leds[0] = (struct followed_led){.name = "garden-pump", .state = LED_ON};
	f.leds[1] = (struct followed_led){.name = "led", .state = LED_OFF};
	has("<form action=leds/garden-pump method=post><button name=command value=OFF role=switch "
	    "aria-checked=true>Garden pump</button><p></form>");
	has("<form action=leds/led method=post><button name=command value=ON role=switch "
	    "aria-checked=false>LED</button><p></form>");
	has("<title>Kitchen Pi</title>");
	has("<h1>Kitchen Pi</h1>");
	has("role=status></p>");
}

TEST("a momentary LED is a push-button that sends ON, and a staircase lamp a switch")
{
	f = (struct follow){.n = 2};
	f.leds[0] = (struct followed_led){
		.name = "door", .state = LED_OFF, .kind = KIND_SWITCH, .pulse_ms = 500};
	f.leds[1] = (struct followed_led){.name = "stairs", .state = LED_OFF, .pulse_ms = 180000};
	has("<button name=command value=ON>Door</button>");
	has("<button name=command value=ON role=switch aria-checked=false>Stairs</button>");
	f.leds[0].state = LED_ON;
	has("<button name=command value=ON class=lit>Door</button>");
}

TEST("hardware that is missing says why")
{
	f = (struct follow){.n = 1};
	f.leds[0] =
		(struct followed_led){.name = "pump", .state = LED_MISSING, .why = "no <b> & c"};
	has("<button role=switch aria-checked=false disabled>Pump</button>"
	    "<p>no &lt;b> &amp; c</form>");
}

TEST("led-line is away")
{
	f = (struct follow){.n = 1, .missing = true};
	f.leds[0] = (struct followed_led){.name = "led", .state = LED_MISSING};
	CHECK(strstr(page("x", "no led-line at /x: gone"),
		"class=lost><main><h1>x</h1><p id=note role=status>no led-line at /x: gone</p>"));
	CHECK(strstr(page("x", "no led-line at /x: gone"), " disabled>LED</button><p>no led-line"));
}

TEST("a title is a text")
{
	f = (struct follow){0};
	CHECK(strstr(page("a</title><script>", ""), "<title>a&lt;/title>&lt;script></title>"));
}

/* 32 LEDs with the longest names, in a state and for a reason. */
static void fill(enum led_state state, const char *why)
{
	f = (struct follow){.n = LEDS_MAX};
	for (unsigned i = 0; i < LEDS_MAX; i++) {
		struct followed_led *led = &f.leds[i];

		led->state = state;
		snprintf(led->name, sizeof led->name, "abcdefghijklmn%02u", i);
		snprintf(led->why, sizeof led->why, "%s", why);
	}
}

/* Fills a text with a character over and over. */
static const char *repeat(const char *character, size_t size, char *text)
{
	size_t n = strlen(character);

	for (size_t i = 0; i + n < size; i += n)
		strcpy(text + i, character);
	return text;
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

TEST("a page of 32 LEDs with the longest names has at most 8 KiB")
{
	fill(LED_OFF, "");
	page("a-machine-with-a-long-name", "");
	printf("# %zu bytes\n", length);
	CHECK(length <= PAGE_MAX);
	f.n = 1;
	page("pi", "");
	printf("# %zu bytes with one\n", length);
}

TEST("with the longest title, and the longest reasons, too, and each LED has one")
{
	static const char *const CHARACTERS[] = {
		"x", "&", "<", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x92\xa1"};
	char title[129], why[FOLLOW_LED_WHY_MAX], away[400];

	for (size_t i = 0; i < sizeof CHARACTERS / sizeof *CHARACTERS; i++) {
		repeat(CHARACTERS[i], sizeof title, title);
		repeat(CHARACTERS[i], sizeof away, away);
		/* led-line's reasons are ASCII. */
		repeat(i < 3 ? CHARACTERS[i] : "x", sizeof why, why);
		for (enum led_state state = LED_UNKNOWN; state <= LED_MISSING; state++) {
			bool is_error = state == LED_UNKNOWN || state == LED_MISSING;

			fill(state, why);
			page(title, away);
			CHECK(length <= PAGE_MAX);
			CHECK(!is_error || length > PAGE_MAX - 32 * 6);
			CHECK(count(page(title, away), "\xe2\x80\xa6</form>") ==
				(is_error ? 32 : 0));
		}
	}
}

TEST("a text that is cut off has whole characters, and one that has room is not cut off")
{
	char title[91], wanted[200];
	const char *seen;

	f = (struct follow){0};
	repeat("\xc3\xa4", sizeof title, title);
	CHECK(strlen(title) == 90);
	snprintf(wanted, sizeof wanted, "<title>%s</title>", title);
	CHECK(strstr(page(title, ""), wanted));
	/* 93 bytes of HTML: the last characters make room for the ellipsis. */
	title[0] = '&';
	repeat("\xf0\x9f\x92\xa1", 89, title + 1);
	seen = strstr(page(title, ""), "<title>") + strlen("<title>");
	CHECK(strncmp(seen, "&amp;\xf0\x9f\x92\xa1", 9) == 0);
	CHECK(strncmp(seen + 5 + 19 * 4, "\xf0\x9f\x92\xa1\xe2\x80\xa6</title>", 15) == 0);
}

TEST("what 32 LEDs have to say that are missing is in the page")
{
	fill(LED_MISSING, "this machine has no GPIO chip (/dev/gpiochip*)");
	CHECK(count(page("pi", ""), "<p>this machine has no GPIO chip") == 32);
	CHECK(length <= PAGE_MAX);
	/* A few have room for all. */
	f.n = 8;
	CHECK(count(page("pi", ""), "<p>this machine has no GPIO chip (/dev/gpiochip*)</form>") ==
		8);
}

int main(void)
{
	return tap_run();
}
