/* SPDX-License-Identifier: MIT */
#include "mirror.h"

#include <limits.h>
#include <stdlib.h>

#include "tap.h"

#define NOW 1000000000ULL
#define OLD "homeassistant/device/led_pi/config"
#define LIGHT(name) "homeassistant/light/led_pi/led_" name "/config"
#define SWITCH(name) "homeassistant/switch/led_pi/led_" name "/config"
#define EVENT(name) "homeassistant/event/led_pi/button_" name "/config"
#define PRESS(name) "homeassistant/device_automation/led_pi/button_" name "/config"
#define LONG(name) "homeassistant/device_automation/led_pi/button_" name "_long/config"
#define SENSOR(name) "homeassistant/binary_sensor/led_pi/contact_" name "/config"
#define FILTER "homeassistant/+/led_pi/+/config"
#define BIRTHS "homeassistant/status"

static const struct names GROUPS = {.names = {"all", "up"}, .n = 2};
static const struct names BUTTONS = {.names = {"door"}, .n = 1};
static const struct names NO_NAMES = {0};
static const struct contacts CONTACTS = {.items = {{"hall", "door"}, {"contact", ""}}, .n = 2},
			     NO_CONTACTS = {0};
static const struct discovery DISCOVERY = {"homeassistant", {"led", "pi"}, "pi", "", "", ""},
			      ESCAPED = {"homeassistant", {"led", "pi.x"}, "pi.x", "", "", ""},
			      NO_DISCOVERY = {"", {"led", "pi"}, "pi", "", "", ""};

static struct mirror m;
static struct follow follow;
static bool left_out; /* led-line has left out an LED */
static struct request request;
static const char *why;

/* What the broker has: each topic with its payload. */
static struct {
	char topic[80], payload[4096];
} broker[400];
static unsigned topics, published;

static const char *at_broker(const char *topic)
{
	for (unsigned i = 0; i < topics; i++)
		if (strcmp(broker[i].topic, topic) == 0)
			return broker[i].payload;
	return "nothing";
}

static const char *refused;      /* a part of topics, or NULL */
static unsigned most = UINT_MAX; /* after so many messages the connection breaks */
static char steps[2000];         /* what was published of 0.4's message, and that others were */

static void note_step(const char *topic, const char *payload)
{
	const char *step = strncmp(topic, "homeassistant/device/", 21) == 0 ? payload : "new";

	if (strncmp(topic, "homeassistant/", 14) == 0 &&
		(strlen(steps) < 4 || strcmp(steps + strlen(steps) - 4, "new ") != 0 ||
			strcmp(step, "new") != 0))
		sprintf(steps + strlen(steps), "%s ", *step ? step : "cleared");
}

/* The broker gets what is due, and acknowledges it. Returns how many messages. */
static unsigned synchronize(uint64_t now)
{
	unsigned n = 0;

	*steps = '\0';
	for (struct retained_topic *topic; n < most && (topic = mirror_next(&m, now)); n++) {
		unsigned i = 0;

		while (i < topics && strcmp(broker[i].topic, topic->name) != 0)
			i++;
		topics += i == topics;
		CHECK(strlen(topic->payload) < sizeof broker[i].payload);
		snprintf(broker[i].topic, sizeof broker[i].topic, "%s", topic->name);
		snprintf(broker[i].payload, sizeof broker[i].payload, "%s", topic->payload);
		note_step(topic->name, topic->payload);
		retained_sent(topic, 1);
		mirror_acknowledged(&m, retained_acknowledged(&m.retained, 1),
			refused && strstr(topic->name, refused), now - MIRROR_LOOK_USEC);
	}
	published += n;
	return n;
}

/*
 * led-line has LEDs: "led=1 kitchen=0 pump=3", as enum led_state has it. A letter after it is the
 * kind: s for a switch, ? for one that is unknown.
 */
static void leds(const char *list)
{
	char text[2000], *rest = text, *word;

	strcpy(text, list);
	follow.n = 0;
	follow.unsure = left_out;
	while ((word = strsep(&rest, " "))) {
		struct followed_led *led = &follow.leds[follow.n++];

		snprintf(led->name, sizeof led->name, "%.*s", (int)strcspn(word, "="), word);
		led->state = (enum led_state)atoi(strchr(word, '=') + 1);
		if (word[strlen(word) - 1] == 's')
			led->kind = KIND_SWITCH;
		else
			led->kind = word[strlen(word) - 1] == '?' ? KIND_UNKNOWN : KIND_LIGHT;
		follow.unsure |= led->kind == KIND_UNKNOWN;
	}
	mirror_leds(&m);
}

static const struct contacts *contacts = &NO_CONTACTS;

static void begin_with(const struct names *buttons, const struct discovery *discovery)
{
	mirror_end(&m);
	follow = (struct follow){0};
	left_out = false;
	refused = NULL;
	topics = published = 0;
	mirror_start(&m, &discovery->topics, &GROUPS, buttons, contacts, discovery, &follow);
}

static void begin(void)
{
	begin_with(&NO_NAMES, &DISCOVERY);
	mirror_up(&m);
}

static enum meaning message(const char *topic, const char *payload, bool is_retained)
{
	return mirror_message(
		&m, topic, payload, strlen(payload), is_retained, NOW, &request, &why);
}

TEST("states and availability of LEDs, and only what has changed")
{
	begin();
	CHECK(synchronize(NOW) == 1);
	CHECK_TEXT(at_broker("led/pi/availability"), "online");
	leds("led=1 kitchen=2 pump=3 new=0");
	CHECK(synchronize(NOW) == 5 + 4);
	CHECK_TEXT(at_broker("led/pi/led"), "OFF");
	CHECK_TEXT(at_broker("led/pi/kitchen"), "ON");
	CHECK_TEXT(at_broker("led/pi/pump"), "nothing");
	CHECK_TEXT(at_broker("led/pi/new/availability"), "nothing");
	CHECK_TEXT(at_broker("led/pi/kitchen/availability"), "online");
	CHECK_TEXT(at_broker("led/pi/pump/availability"), "offline");
	CHECK(strstr(at_broker(LIGHT("new")), "\"led/pi/new/set\""));
	leds("led=1 kitchen=1 pump=3 new=0");
	CHECK(synchronize(NOW) == 1);
	CHECK_TEXT(at_broker("led/pi/kitchen"), "OFF");
	/* The state stays when the hardware goes. */
	leds("led=1 kitchen=3 pump=2 new=0");
	CHECK(synchronize(NOW) == 3);
	CHECK_TEXT(at_broker("led/pi/kitchen"), "OFF");
	CHECK_TEXT(at_broker("led/pi/kitchen/availability"), "offline");
	CHECK_TEXT(at_broker("led/pi/pump"), "ON");
	mirror_leds(&m);
	CHECK(synchronize(NOW) == 0);
	mirror_stop(&m);
	CHECK(synchronize(NOW) == 1);
	CHECK_TEXT(at_broker("led/pi/availability"), "offline");
}

TEST("LEDs that are gone: cleared once, whatever the others do")
{
	begin();
	leds("led=1 kitchen=2 cellar=1");
	synchronize(NOW);
	leds("led=1");
	CHECK(synchronize(NOW) == 4 + 2);
	CHECK_TEXT(at_broker("led/pi/kitchen"), "");
	CHECK_TEXT(at_broker("led/pi/cellar/availability"), "");
	CHECK_TEXT(at_broker(LIGHT("kitchen")), "");
	for (int i = 0; i < 6; i++) {
		leds(i % 2 ? "led=1" : "led=2");
		CHECK(synchronize(NOW) == 1);
	}
	/* Back again. */
	leds("led=1 kitchen=1");
	CHECK(synchronize(NOW) == 3);
	CHECK_TEXT(at_broker("led/pi/kitchen"), "OFF");
	CHECK(*at_broker(LIGHT("kitchen")) == '{');
}

TEST("what an earlier process left is cleared when led-line has named its LEDs")
{
	begin();
	CHECK(message("led/pi/old", "ON", true) == MEANING_NONE);
	CHECK(message("led/pi/older/availability", "online", true) == MEANING_NONE);
	CHECK(synchronize(NOW) == 1);
	leds("led=1");
	CHECK(synchronize(NOW) == 6 + 1);
	CHECK_TEXT(at_broker("led/pi/old"), "");
	CHECK_TEXT(at_broker("led/pi/old/availability"), "");
	CHECK_TEXT(at_broker("led/pi/older"), "");
	/* And what comes later, and again. */
	for (int i = 0; i < 2; i++) {
		message("led/pi/late", "ON", true);
		CHECK(synchronize(NOW) == 2);
		CHECK_TEXT(at_broker("led/pi/late"), "");
	}
	/* Nothing comes of what is published now, or empty, or is not an LED's. */
	message("led/pi/x", "ON", false);
	message("led/pi/x", "", true);
	message("led/pi/x/y", "ON", true);
	message("led/other/x", "ON", true);
	CHECK(synchronize(NOW) == 0);
}

TEST("led-line missing: offline, also what only the broker knows")
{
	begin();
	message("led/pi/old", "ON", true);
	follow.missing = true;
	mirror_leds(&m);
	CHECK(synchronize(NOW) == 2);
	CHECK_TEXT(at_broker("led/pi/old/availability"), "offline");
	CHECK_TEXT(at_broker("led/pi/old"), "nothing");
	message("led/pi/late/availability", "online", true);
	CHECK(synchronize(NOW) == 1);
	CHECK_TEXT(at_broker("led/pi/late/availability"), "offline");
	follow.missing = false;
	leds("old=2");
	CHECK(synchronize(NOW) == 4 + 1);
	CHECK_TEXT(at_broker("led/pi/old/availability"), "online");
	CHECK_TEXT(at_broker("led/pi/late/availability"), "");
}

TEST("at each connection everything anew, and what happened in between")
{
	begin();
	leds("led=1 kitchen=2");
	synchronize(NOW);
	mirror_down(&m);
	leds("led=2");
	CHECK(synchronize(NOW) == 0);
	mirror_up(&m);
	CHECK(synchronize(NOW) == 5 + 2);
	CHECK_TEXT(at_broker("led/pi/led"), "ON");
	CHECK_TEXT(at_broker("led/pi/kitchen"), "");
}

TEST("what somebody else publishes is corrected, and discovery that is deleted stays so")
{
	begin();
	leds("led=1");
	synchronize(NOW);
	message("led/pi/led", "ON", false);
	message("led/pi/availability", "offline", false);
	message(LIGHT("led"), "{}", false);
	CHECK(synchronize(NOW) == 0);
	CHECK(synchronize(NOW + RETAINED_PAUSE_USEC) == 3);
	message("led/pi/led", "", false);
	message(LIGHT("led"), "", false);
	CHECK(synchronize(NOW + 2 * RETAINED_PAUSE_USEC) == 1);
	for (int i = 0; i < 3; i++) {
		message("led/pi/led", "ON", false);
		synchronize(NOW + 2 * RETAINED_PAUSE_USEC);
	}
	CHECK(message("led/pi/led", "ON", false) == MEANING_CONTESTED);
}

/* The connection ends, and there is a new one. */
static void reconnect(void)
{
	mirror_down(&m);
	mirror_up(&m);
}

TEST("discovery waits until what is retained has come")
{
	begin_with(&BUTTONS, &DISCOVERY);
	leds("led=1 pump=2s");
	CHECK(!strstr(m.retained.first->name, "config") && !m.leds.items[0].published);
	mirror_up(&m);
	CHECK(synchronize(NOW) == 1 + 4 + 2 + 3);
	CHECK(*at_broker(LIGHT("led")) == '{' && *at_broker(SWITCH("pump")) == '{');
	CHECK_TEXT(at_broker(SWITCH("led")), "nothing");
	CHECK_TEXT(at_broker(LIGHT("pump")), "nothing");
	/* Afterwards, it is published at once. */
	reconnect();
	CHECK(synchronize(NOW) == 1 + 4 + 2 + 3);
}

TEST("a broker may send what is retained a little later")
{
	struct retained_topic *topic;

	begin();
	leds("kitchen=1");
	while ((topic = mirror_next(&m, NOW))) {
		retained_sent(topic, 1);
		mirror_acknowledged(&m, retained_acknowledged(&m.retained, 1), false, NOW);
	}
	CHECK(mirror_due(&m) == NOW + MIRROR_LOOK_USEC);
	CHECK(!mirror_next(&m, NOW + MIRROR_LOOK_USEC - 1));
	CHECK_TEXT(mirror_next(&m, NOW + MIRROR_LOOK_USEC)->name, LIGHT("kitchen"));
	CHECK(mirror_due(&m) == UINT64_MAX);
}

TEST("buttons: those of the settings, and those that were retained")
{
	begin_with(&BUTTONS, &DISCOVERY);
	mirror_up(&m);
	message(EVENT("bell"), "{}", true);
	message(LONG("bell"), "{}", true);
	message(EVENT("door"), "{}", true);
	CHECK(synchronize(NOW) == 1 + 3 + 2);
	CHECK(strstr(at_broker(EVENT("door")), "\"event_types\""));
	CHECK(strstr(at_broker(PRESS("door")), "\"button_short_press\""));
	CHECK(strstr(at_broker(LONG("door")), "\"button_long_press\""));
	CHECK_TEXT(at_broker(EVENT("bell")), "");
	CHECK_TEXT(at_broker(LONG("bell")), "");
	CHECK_TEXT(at_broker(PRESS("bell")), "nothing");
	/* One that comes late; and what is of others. */
	message(PRESS("bell"), "{}", true);
	CHECK(synchronize(NOW) == 1);
	message("homeassistant/sensor/led_pi/heat/config", "{}", true);
	message("homeassistant/event/led_other/button_bell/config", "{}", true);
	message(EVENT("bell"), "{}", false);
	CHECK(synchronize(NOW) == 0);
}

static void begin_with_contacts(void)
{
	contacts = &CONTACTS;
	begin_with(&NO_NAMES, &DISCOVERY);
	contacts = &NO_CONTACTS;
	mirror_up(&m);
}

TEST("contacts: of one that nobody has spoken of, discovery alone, and what is retained is true")
{
	begin_with_contacts();
	CHECK(synchronize(NOW) == 1 + 2);
	CHECK(strstr(at_broker(SENSOR("hall")), "\"device_class\":\"door\""));
	CHECK(*at_broker(SENSOR("contact")) == '{');
	CHECK(!strstr(at_broker(SENSOR("contact")), "device_class"));
	message("led/pi/contact/hall", "ON", true);
	message("led/pi/contact/hall/availability", "online", true);
	CHECK(synchronize(NOW) == 0);
	/* What others publish later is wrong. */
	message("led/pi/contact/hall", "OFF", false);
	message("led/pi/contact/hall/availability", "", false);
	message("led/pi/contact/contact", "ON", false);
	CHECK(synchronize(NOW) == 0);
	CHECK(synchronize(NOW + RETAINED_PAUSE_USEC) == 2);
	CHECK_TEXT(at_broker("led/pi/contact/hall"), "ON");
	CHECK_TEXT(at_broker("led/pi/contact/hall/availability"), "online");
	/* A broker may deliver late what has changed since. */
	message("led/pi/contact/hall", "OFF", true);
	CHECK(synchronize(NOW + 2 * RETAINED_PAUSE_USEC) == 0);
	/* A broker that has lost it gets it. */
	topics = 0;
	reconnect();
	CHECK(synchronize(NOW) == 1 + 2 + 2);
	CHECK_TEXT(at_broker("led/pi/contact/hall"), "ON");
}

TEST("contacts: what is retained and no word of theirs is left alone")
{
	static const char *const JUNK[] = {"on", "ONE", "online", "", "O"};

	begin_with_contacts();
	synchronize(NOW);
	for (int i = 0; i < 5; i++) {
		message("led/pi/contact/hall", JUNK[i], true);
		message("led/pi/contact/hall/availability", i == 2 ? "ON" : JUNK[i], true);
	}
	message("led/pi/contact/attic", "ON", true);
	message("led/pi/contact/hall", "OFF", false);
	CHECK(synchronize(NOW + RETAINED_PAUSE_USEC) == 0);
}

TEST("contacts: what one has said is true, whatever was retained")
{
	begin_with_contacts();
	synchronize(NOW);
	retained_said(&m.retained, "led/pi/contact/hall", "OFF", 8);
	retained_said(&m.retained, "led/pi/contact/hall/availability", "online", 9);
	message("led/pi/contact/hall", "ON", true);
	message("led/pi/contact/hall/availability", "offline", true);
	CHECK(!mirror_next(&m, NOW));
	reconnect();
	CHECK(synchronize(NOW) == 1 + 2 + 2);
	CHECK_TEXT(at_broker("led/pi/contact/hall"), "OFF");
	CHECK_TEXT(at_broker("led/pi/contact/hall/availability"), "online");
}

TEST("contacts: one that is gone from the settings is found by its discovery, three topics go")
{
	for (int way = 0; way < 3; way++) {
		begin_with_contacts();
		if (way == 0)
			synchronize(NOW);
		message(SENSOR("attic"), "{}", true);
		message(SENSOR("hall"), "{}", true);
		if (way == 2)
			/* Until 0.4's message has been dealt with, discovery waits. */
			message(OLD, "{\"components\":{}}", true);
		synchronize(NOW);
		if (way == 2) {
			CHECK_TEXT(at_broker("led/pi/contact/attic"), "nothing");
			leds("led=1");
			synchronize(NOW);
		}
		CHECK_TEXT(at_broker("led/pi/contact/attic"), "");
		CHECK_TEXT(at_broker("led/pi/contact/attic/availability"), "");
		CHECK_TEXT(at_broker(SENSOR("attic")), "");
		CHECK(*at_broker(SENSOR("hall")) == '{');
		CHECK_TEXT(at_broker("led/pi/contact/hall"), "nothing");
	}
	/* An LED's setting is wrong: nothing goes. */
	begin_with_contacts();
	left_out = true;
	leds("led=1");
	message(SENSOR("attic"), "{}", true);
	synchronize(NOW);
	CHECK_TEXT(at_broker("led/pi/contact/attic"), "nothing");
	CHECK_TEXT(at_broker(SENSOR("attic")), "nothing");
	left_out = false;
	leds("led=1");
	synchronize(NOW);
	CHECK_TEXT(at_broker("led/pi/contact/attic"), "");
	CHECK_TEXT(at_broker(SENSOR("attic")), "");
}

TEST("contacts: an LED may be called contact")
{
	begin_with_contacts();
	leds("contact=2");
	retained_said(&m.retained, "led/pi/contact/contact", "OFF", 8);
	synchronize(NOW);
	CHECK_TEXT(at_broker("led/pi/contact"), "ON");
	CHECK_TEXT(at_broker("led/pi/contact/availability"), "online");
	CHECK(*at_broker(LIGHT("contact")) == '{' && *at_broker(SENSOR("contact")) == '{');
	leds("led=1");
	synchronize(NOW);
	CHECK_TEXT(at_broker("led/pi/contact"), "");
	CHECK_TEXT(at_broker("led/pi/contact/availability"), "");
	CHECK(*at_broker(SENSOR("contact")) == '{');
	CHECK_TEXT(at_broker("led/pi/contact/contact"), "nothing");
}

TEST("an LED of another kind: the new message is there before the old one goes")
{
	begin();
	leds("pump=1");
	synchronize(NOW);
	leds("pump=1s");
	CHECK(synchronize(NOW) == 2);
	CHECK(*at_broker(SWITCH("pump")) == '{');
	CHECK_TEXT(at_broker(LIGHT("pump")), "");
	leds("pump=1");
	for (int i = 0; i < 2; i++) {
		const struct retained_topic *topic = retained_next(&m.retained, NOW);

		CHECK_TEXT(topic->name, i ? SWITCH("pump") : LIGHT("pump"));
		retained_sent((struct retained_topic *)topic, 7 + i);
	}
	mirror_acknowledged(&m, retained_acknowledged(&m.retained, 7), false, NOW);
	mirror_acknowledged(&m, retained_acknowledged(&m.retained, 8), false, NOW);
	/* One that was found; and the LED that is gone as well. */
	begin();
	message(LIGHT("pump"), "{}", true);
	message(SWITCH("old"), "{}", true);
	leds("pump=1s");
	CHECK(synchronize(NOW) == 1 + 4 + 3);
	CHECK(*at_broker(SWITCH("pump")) == '{');
	CHECK_TEXT(at_broker(LIGHT("pump")), "");
	CHECK_TEXT(at_broker(SWITCH("old")), "");
	CHECK_TEXT(at_broker("led/pi/old"), "");
}

TEST("a wrong setting of led-line removes and changes nothing")
{
	for (int way = 0; way < 2; way++) {
		begin_with(&BUTTONS, &DISCOVERY);
		message(LIGHT("pump"), "{}", true);
		message(LIGHT("kitchen"), "{}", true);
		message(SWITCH("old"), "{}", true);
		message(EVENT("bell"), "{}", true);
		mirror_up(&m);
		left_out = way;
		leds(way ? "pump=1s kitchen=2" : "pump=1s kitchen=3?");
		synchronize(NOW);
		CHECK_TEXT(at_broker(LIGHT("pump")), "nothing");
		CHECK_TEXT(at_broker(SWITCH("pump")), "nothing");
		CHECK_TEXT(at_broker(LIGHT("kitchen")), "nothing");
		CHECK_TEXT(at_broker(SWITCH("old")), "nothing");
		CHECK_TEXT(at_broker(EVENT("bell")), "nothing");
		CHECK_TEXT(at_broker("led/pi/old/availability"), "offline");
		CHECK_TEXT(at_broker("led/pi/old"), "nothing");
		CHECK_TEXT(at_broker("led/pi/kitchen/availability"), way ? "online" : "offline");
		/* What is new is published. */
		CHECK(*at_broker(EVENT("door")) == '{');
		left_out = false;
		leds("pump=1s kitchen=2");
		synchronize(NOW);
		CHECK_TEXT(at_broker(LIGHT("pump")), "");
		CHECK(*at_broker(SWITCH("pump")) == '{' && *at_broker(LIGHT("kitchen")) == '{');
		CHECK_TEXT(at_broker(SWITCH("old")), "");
		CHECK_TEXT(at_broker(EVENT("bell")), "");
		CHECK_TEXT(at_broker("led/pi/old/availability"), "");
	}
	/* The same, of what this process has published itself. */
	begin();
	leds("pump=1 kitchen=2");
	synchronize(NOW);
	left_out = true;
	leds("pump=1s");
	CHECK(synchronize(NOW) == 1);
	CHECK_TEXT(at_broker("led/pi/kitchen/availability"), "offline");
	CHECK(*at_broker(LIGHT("pump")) == '{' && *at_broker(LIGHT("kitchen")) == '{');
	reconnect();
	CHECK(synchronize(NOW) == 5 + 2);
}

TEST("Home Assistant starts: discovery anew, also what was deleted")
{
	begin_with(&BUTTONS, &DISCOVERY);
	mirror_up(&m);
	leds("led=1");
	synchronize(NOW);
	message(LIGHT("led"), "", false);
	CHECK(message(BIRTHS, "offline", false) == MEANING_NONE);
	CHECK(message(BIRTHS, "online", true) == MEANING_NONE);
	CHECK(synchronize(NOW) == 0);
	CHECK(message(BIRTHS, "online", false) == MEANING_BIRTH);
	mirror_repeat(&m);
	CHECK(synchronize(NOW) == 4);
}

/* What 0.4 has left: a light each for kitchen and pump, one that is gone, and a button. */
#define OLD_LED(name)                                                                              \
	"\"led_" name "\":{\"platform\":\"light\",\"state_topic\":\"led/pi/" name "\"}"
#define OLD_BUTTON                                                                                 \
	"\"button_door\":{\"platform\":\"device_automation\",\"topic\":\"led/pi/button/door\"}"
#define OLD_MESSAGE "{\"components\":{" OLD_LED("kitchen") "," OLD_LED("pump") "," OLD_BUTTON "}}"
#define REDUCED                                                                                    \
	"{\"components\":{" OLD_LED(                                                               \
		"kitchen") ",\"led_pump\":{\"platform\":\"light\"}," OLD_BUTTON "}} "
#define MIGRATE "{\"migrate_discovery\":true} "

TEST("the move from 0.4")
{
	begin_with(&BUTTONS, &DISCOVERY);
	mirror_up(&m);
	message(OLD, OLD_MESSAGE, true);
	/* Until it is known what the LEDs are for, nothing changes. */
	CHECK(synchronize(NOW) == 1);
	CHECK_TEXT(steps, "");
	left_out = true;
	leds("kitchen=1 pump=2s");
	synchronize(NOW);
	CHECK_TEXT(steps, "");
	left_out = false;
	leds("kitchen=1 pump=2s");
	synchronize(NOW);
	CHECK_TEXT(steps, REDUCED MIGRATE "new cleared ");
	CHECK(*at_broker(LIGHT("kitchen")) == '{' && *at_broker(SWITCH("pump")) == '{' &&
		*at_broker(LONG("door")) == '{');
	/* A broker that delivers it late, or twice. */
	message(OLD, OLD_MESSAGE, true);
	CHECK(synchronize(NOW) == 0);
	reconnect();
	synchronize(NOW);
	CHECK_TEXT(steps, "new ");
}

TEST("the move from 0.4, which was interrupted; or is found after the new messages")
{
	begin_with(&BUTTONS, &DISCOVERY);
	mirror_up(&m);
	message(OLD, "{\"migrate_discovery\":true}", true);
	leds("kitchen=1 pump=2s");
	synchronize(NOW);
	CHECK_TEXT(steps, "new cleared ");

	begin_with(&BUTTONS, &DISCOVERY);
	mirror_up(&m);
	leds("kitchen=1 pump=2s");
	synchronize(NOW);
	message(OLD, OLD_MESSAGE, true);
	synchronize(NOW);
	CHECK_TEXT(steps, REDUCED MIGRATE "new cleared ");

	/* In the middle of it, the connection breaks. */
	begin_with(&BUTTONS, &DISCOVERY);
	mirror_up(&m);
	message(OLD, OLD_MESSAGE, true);
	leds("kitchen=1 pump=2s");
	reconnect();
	CHECK(!m.leds.items[0].published);
	message(OLD, OLD_MESSAGE, true);
	synchronize(NOW);
	CHECK_TEXT(steps, REDUCED MIGRATE "new cleared ");
}

TEST("the move from 0.4, interrupted after any number of messages")
{
	unsigned all = 0, n;

	for (unsigned i = 0; i <= all; i++) {
		begin_with(&BUTTONS, &DISCOVERY);
		strcpy(broker[0].topic, OLD);
		strcpy(broker[0].payload, OLD_MESSAGE);
		topics = 1;
		mirror_up(&m);
		message(OLD, OLD_MESSAGE, true);
		leds("kitchen=1 pump=2s");
		most = i;
		synchronize(NOW);
		most = UINT_MAX;
		reconnect();
		for (unsigned j = 0; j < topics; j++)
			if (*broker[j].payload)
				message(broker[j].topic, broker[j].payload, true);
		n = synchronize(NOW);
		all = i == 0 ? n : all;
		CHECK_TEXT(at_broker(OLD), "");
		CHECK(*at_broker(LIGHT("kitchen")) == '{' && *at_broker(SWITCH("pump")) == '{' &&
			*at_broker(LONG("door")) == '{' && *at_broker(LIGHT("pump")) != '{');
		CHECK_TEXT(at_broker("led/pi/kitchen"), "OFF");
	}
}

TEST("the move from 0.4: what is no message, what is refused, a machine with buttons alone")
{
	begin();
	message(OLD, "junk", true);
	leds("kitchen=1");
	synchronize(NOW);
	CHECK_TEXT(steps, MIGRATE MIGRATE "new cleared ");

	begin();
	refused = "/light/";
	message(OLD, OLD_MESSAGE, true);
	leds("kitchen=1 pump=2s");
	synchronize(NOW);
	CHECK(strcmp(steps + strlen(steps) - 4, "new ") == 0);

	begin();
	refused = "/device/";
	message(OLD, OLD_MESSAGE, true);
	leds("kitchen=1");
	synchronize(NOW);
	CHECK(strcmp(steps + strlen(steps) - 4, "new ") == 0 && !strstr(steps, MIGRATE));

	begin_with(&BUTTONS, &DISCOVERY);
	mirror_up(&m);
	message(OLD, "{\"components\":{" OLD_BUTTON "}}", true);
	synchronize(NOW);
	CHECK_TEXT(steps, "");
	follow.missing = true;
	mirror_leds(&m);
	synchronize(NOW);
	CHECK_TEXT(steps, "{\"components\":{" OLD_BUTTON "}} " MIGRATE "new cleared ");
	/* Its LEDs may come back. */
	begin();
	message(OLD, OLD_MESSAGE, true);
	follow.missing = true;
	mirror_leds(&m);
	synchronize(NOW);
	CHECK_TEXT(steps, "");
}

TEST("0.4's message of a machine whose ID is another one now: removed, if it is this machine's")
{
	static const char ITS[] = "homeassistant/device/led_pi_x/config";

	begin_with(&NO_NAMES, &ESCAPED);
	mirror_up(&m);
	message(ITS, "{\"components\":{\"led_a\":{\"state_topic\":\"led/pi_x/a\"}}}", true);
	leds("a=1");
	synchronize(NOW);
	CHECK_TEXT(at_broker(ITS), "nothing");
	message(ITS, "{\"components\":{\"led_a\":{\"state_topic\":\"led/pi.x/a\"}}}", true);
	synchronize(NOW);
	CHECK_TEXT(at_broker(ITS), "");
	CHECK(*at_broker("homeassistant/light/led__pi_2Ex/led_a/config") == '{');
}

TEST("without discovery there is none")
{
	begin_with(&BUTTONS, &NO_DISCOVERY);
	mirror_up(&m);
	leds("led=1");
	CHECK(synchronize(NOW) == 3);
}

TEST("commands")
{
	begin();
	CHECK(message("led/pi/kitchen/set", " toggle #k1 ", false) == MEANING_COMMAND);
	CHECK_TEXT(request.name, "kitchen");
	CHECK(request.verb == VERB_TOGGLE && strcmp(request.key, "k1") == 0);
	CHECK(message("led/group/any/set", "ON", false) == MEANING_COMMAND);
	CHECK(!*request.name && request.verb == VERB_ON);
	CHECK(message("led/pi/kitchen/set", "ONE", false) == MEANING_WRONG && why);
	CHECK(mirror_message(&m, "led/pi/kitchen/set", NULL, 0, false, NOW, &request, &why) ==
		MEANING_WRONG);
	CHECK(message("led/pi/KITCHEN/set", "ON", false) == MEANING_WRONG);
	CHECK_TEXT(why, "no LED can have this name");
	/* Of last year, perhaps. */
	CHECK(message("led/pi/KITCHEN/set", "ON", true) == MEANING_NONE);
	CHECK(message("led/pi/kitchen/set", "ON", true) == MEANING_NONE);
	CHECK(message("led/group/any/set", "ON", true) == MEANING_NONE);
	CHECK(message("led/other/kitchen/set", "ON", false) == MEANING_NONE);
}

static void check_filters(const char *wanted)
{
	char filter[DISCOVERY_TOPIC_MAX], text[1000] = "";
	enum broker_delivery delivery;

	while (mirror_next_filter(&m, filter, &delivery))
		sprintf(text + strlen(text), "%s:%d ", filter, delivery);
	CHECK_TEXT(text, wanted);
}

#define OTHERS OLD ":1 " FILTER ":1 " BIRTHS ":0 "
#define OURS "led/pi/+/set:0 led/pi/+:1 led/pi/+/availability:1 "
#define GROUP_SETS "led/group/all/set:0 led/group/up/set:0 "

TEST("subscriptions: the groups when an LED is known, each once a connection")
{
	begin();
	check_filters(OTHERS OURS);
	check_filters("");
	leds("led=1");
	check_filters(GROUP_SETS);
	check_filters("");
	mirror_down(&m);
	mirror_up(&m);
	check_filters(OTHERS OURS GROUP_SETS);
	begin_with_contacts();
	leds("led=1");
	check_filters(OTHERS OURS
		"led/pi/contact/hall:1 led/pi/contact/hall/availability:1 "
		"led/pi/contact/contact:1 led/pi/contact/contact/availability:1 " GROUP_SETS);
	check_filters("");
	begin_with(&NO_NAMES, &NO_DISCOVERY);
	mirror_up(&m);
	check_filters(OURS);
	leds("led=1");
	check_filters(GROUP_SETS);
	check_filters("");
}

TEST("whatever is retained, led-line's LEDs have their places")
{
	char topic[64], list[2000] = "";

	begin();
	for (int i = 0; i < 2 * THINGS_MAX; i++) {
		sprintf(topic, "led/pi/junk%d", i);
		message(topic, "ON", true);
	}
	CHECK(m.leds.n == THINGS_MAX);
	for (int i = 0; i < LEDS_MAX; i++)
		sprintf(list + strlen(list), "%sa%d=2", i ? " " : "", i);
	leds(list);
	synchronize(NOW);
	CHECK(m.leds.n == LEDS_MAX);
	for (int i = 0; i < LEDS_MAX; i++) {
		sprintf(topic, "led/pi/a%d", i);
		CHECK_TEXT(at_broker(topic), "ON");
	}
	/* There is room again for those that are gone. */
	message("led/pi/more", "ON", true);
	synchronize(NOW);
	CHECK_TEXT(at_broker("led/pi/more"), "");
}

static unsigned waiting(void)
{
	unsigned n = 0;

	for (struct retained_topic *topic = m.retained.first; topic; topic = topic->next)
		n++;
	return n;
}

TEST("a broker that retains topics without end, and acknowledges none, fills no memory")
{
	static const char *const LEFT[] = {"led/pi/junk%d", "led/pi/junk%d/availability",
		LIGHT("junk%d"), EVENT("junk%d"), SENSOR("junk%d")};
	char topic[80];
	unsigned there;

	for (size_t kind = 0; kind < sizeof LEFT / sizeof *LEFT; kind++) {
		begin();
		leds("led=2");
		synchronize(NOW);
		synchronize(NOW + MIRROR_LOOK_USEC);
		there = waiting();
		for (int i = 0; i < 2000; i++) {
			sprintf(topic, LEFT[kind], i);
			message(topic, "ON", true);
			for (struct retained_topic *t; (t = mirror_next(&m, NOW));)
				retained_sent(t, i + 2);
		}
		CHECK(waiting() > there + 64 && waiting() < there + MIRROR_CLEARS_MAX + 3);
		/* Its own are published meanwhile. */
		leds("led=1");
		CHECK_TEXT(mirror_next(&m, NOW)->name, "led/pi/led");
	}
}

TEST("an LED whose name is a topic's is not published")
{
	begin();
	leds("availability=2 led=1");
	CHECK(synchronize(NOW) == 3 + 1);
	CHECK_TEXT(at_broker("led/pi/availability"), "online");
	CHECK_TEXT(at_broker(LIGHT("availability")), "nothing");
}

/* One event. */
static void step(unsigned event)
{
	static const char *const LISTS[] = {"a=1", "a=2 b=3", "b=1"};

	if (event < 3) {
		follow.missing = false;
		leds(LISTS[event]);
	} else if (event == 3) {
		follow.missing = true;
		for (unsigned i = 0; i < follow.n; i++)
			follow.leds[i].state = LED_MISSING;
		mirror_leds(&m);
	} else if (event == 4) {
		if (m.retained.up)
			mirror_down(&m);
		else
			mirror_up(&m);
	} else if (m.retained.up) {
		/* An LED of an earlier process. */
		strcpy(broker[topics].topic, "led/pi/c");
		strcpy(broker[topics].payload, "ON");
		topics += strcmp(at_broker("led/pi/c"), "nothing") == 0;
		for (unsigned i = 0; i < topics; i++)
			if (strcmp(broker[i].topic, "led/pi/c") == 0)
				strcpy(broker[i].payload, "ON");
		message("led/pi/c", "ON", true);
	}
	synchronize(NOW);
}

/* Whether the broker has of an LED what it is to have. */
static bool is_right(const char *name)
{
	char topic[64];
	const char *state, *availability;
	const struct followed_led *led = NULL;

	sprintf(topic, "led/pi/%s", name);
	state = at_broker(topic);
	sprintf(topic, "led/pi/%s/availability", name);
	availability = at_broker(topic);
	for (unsigned i = 0; i < follow.n; i++)
		if (strcmp(follow.leds[i].name, name) == 0)
			led = &follow.leds[i];
	if (!led && follow.n > 0)
		return (!*state || strcmp(state, "nothing") == 0) &&
		       (!*availability || strcmp(availability, "nothing") == 0);
	if (!led)
		return !follow.missing || strcmp(availability, "online") != 0;
	if (led->state == LED_MISSING)
		return strcmp(availability, "offline") == 0;
	return strcmp(availability, "online") == 0 &&
	       strcmp(state, led->state == LED_ON ? "ON" : "OFF") == 0;
}

TEST("every order of five events: the broker has what led-line says, and nothing of others")
{
	bool good = true;

	for (unsigned order = 0; order < 7776 /* 6 to the 5th */; order++) {
		unsigned rest = order;

		begin();
		for (int i = 0; i < 5; i++, rest /= 6)
			step(rest % 6);
		if (!m.retained.up)
			step(4);
		good &= is_right("a") && is_right("b") && is_right("c");
	}
	CHECK(good);
	mirror_end(&m);
}

TAP_MAIN
