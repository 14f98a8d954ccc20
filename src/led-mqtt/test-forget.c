/* SPDX-License-Identifier: MIT */
#include "forget.h"

#include <stdlib.h>
#include <unistd.h>

#include "tap.h"

#define OLD "homeassistant/device/led_pi/config"
#define OLD_ESCAPED "homeassistant/device/led_pi_x/config"
#define LIGHT "homeassistant/light/led_pi/led_kitchen/config"
#define PRESS "homeassistant/device_automation/led_pi/button_door/config"
#define SENSOR(name) "homeassistant/binary_sensor/led_pi/contact_" name "/config"
#define FOREIGN "homeassistant/sensor/led_pi/heat/config"

/* In place of broker.c: one that keeps what is retained, and acknowledges in the next turn. */
struct broker {
	const struct broker_events *events;
	void *userdata;
	sd_event_source *turn;
	bool up, subscribes, subscribes_old, subscribes_discovery;
	enum broker_outcome outcomes[100]; /* of what has been published, to be said */
	int n;
};

#define RETAINED_MAX 20
static struct {
	char topic[TOPIC_MAX], payload[300];
} retained[RETAINED_MAX];
static int n_retained;
static const char *host = "pi";
static const char *forbidden; /* a topic that may not be published */
static bool no_wildcards;     /* what is retained is not sent to these */
static int down;              /* connections that fail */
static struct broker the_broker;

static int find(const char *topic)
{
	for (int i = 0; i < n_retained; i++)
		if (strcmp(retained[i].topic, topic) == 0)
			return i;
	return -1;
}

static void retain(const char *topic, const char *payload)
{
	int i = find(topic);

	if (i < 0)
		i = n_retained++;
	strcpy(retained[i].topic, topic);
	strcpy(retained[i].payload, payload);
	if (!*payload)
		retained[i] = retained[--n_retained];
}

static void deliver(struct broker *broker)
{
	char copy[RETAINED_MAX][TOPIC_MAX];
	int n = n_retained;

	for (int i = 0; i < n; i++)
		strcpy(copy[i], retained[i].topic);
	for (int i = 0; i < n; i++) {
		int found = find(copy[i]);
		char payload[300];

		if (found < 0)
			continue;
		if (strncmp(copy[i], "homeassistant/device/", 21) == 0
				? !broker->subscribes_old
				: no_wildcards || (strncmp(copy[i], "led/pi", 6) != 0 &&
							  !(broker->subscribes_discovery &&
								  strstr(copy[i], "/led_pi/"))))
			continue;
		strcpy(payload, retained[found].payload);
		broker->events->message(broker->userdata, copy[i], payload, strlen(payload), true);
	}
}

static int on_turn(sd_event_source *source, void *userdata)
{
	struct broker *broker = userdata;

	if (!broker->up && down > 0) {
		down--;
		broker->events->down(broker->userdata);
	} else if (!broker->up) {
		broker->up = true;
		broker->events->up(broker->userdata);
	}
	while (broker->n > 0)
		broker->events->acknowledged(
			broker->userdata, 1, broker->outcomes[--broker->n], "Not authorized");
	if (broker->subscribes) {
		broker->subscribes = false;
		deliver(broker);
	}
	if (!broker->up || broker->n > 0 || broker->subscribes)
		sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

struct broker *broker_create(sd_event *event, const struct broker_options *options,
	const struct broker_events *events, void *userdata)
{
	the_broker = (struct broker){.events = events, .userdata = userdata};
	sd_event_add_defer(event, &the_broker.turn, on_turn, &the_broker);
	return &the_broker;
}

bool broker_is_up(const struct broker *broker)
{
	return broker->up;
}

const char *broker_text(const struct broker *broker)
{
	return "mqtt://pi:1883: Connection refused; trying again";
}

const char *broker_publish(
	struct broker *broker, const char *topic, const char *payload, bool retains, int *id)
{
	CHECK(retains);
	broker->outcomes[broker->n] = BROKER_TAKEN;
	if (forbidden && strcmp(topic, forbidden) == 0)
		broker->outcomes[broker->n] = BROKER_REFUSED;
	else
		retain(topic, payload);
	broker->n++;
	sd_event_source_set_enabled(broker->turn, SD_EVENT_ONESHOT);
	return NULL;
}

void broker_subscribe(struct broker *broker, const char *filter, enum broker_delivery delivery)
{
	CHECK(*host && strchr(filter, '#') ? strncmp(filter, "led/pi", 6) == 0
					   : strncmp(filter, "homeassistant/", 14) == 0);
	CHECK(delivery == BROKER_EVERYTHING);
	broker->subscribes = true;
	broker->subscribes_old |= strncmp(filter, "homeassistant/device/", 21) == 0;
	broker->subscribes_discovery |= strchr(filter, '+') != NULL;
	sd_event_source_set_enabled(broker->turn, SD_EVENT_ONESHOT);
}

void broker_destroy(struct broker *broker)
{
	sd_event_source_disable_unref(broker->turn);
}

/* --- tests ------------------------------------------------------------------------------ */

static const struct contacts CONTACTS = {.items = {{"hall", ""}}, .n = 1};
static char said[300];

static void begin(void)
{
	n_retained = down = 0;
	forbidden = NULL;
	no_wildcards = false;
	retain("led/pi/availability", "online");
	retain("led/pi/kitchen", "ON");
	retain("led/pi/kitchen/availability", "online");
	retain("led/other/availability", "online");
	retain(OLD, "{\"components\":{\"led_kitchen\":{},\"button_door\":{}}}");
	retain(LIGHT, "{}");
	retain(PRESS, "{}");
	retain(FOREIGN, "{}");
	for (int i = 0; i < 2; i++) {
		retain(i ? SENSOR("hall") : SENSOR("old"), "{}");
		retain(i ? "led/pi/contact/hall" : "led/pi/contact/old", "ON");
		retain(i ? "led/pi/contact/hall/availability" : "led/pi/contact/old/availability",
			"online");
	}
}

/* Runs it. What it says on standard error is in said, and its exit status is returned. */
static int run(const char *prefix)
{
	FILE *file = tmpfile();
	int error = dup(STDERR_FILENO), status;
	struct broker_options options = {0};
	struct discovery discovery = {prefix, {"led", host}, "pi", "", "", ""};
	size_t n;

	dup2(fileno(file), STDERR_FILENO);
	status = forget(&options, &discovery, &CONTACTS);
	dup2(error, STDERR_FILENO);
	close(error);
	rewind(file);
	n = fread(said, 1, sizeof said - 1, file);
	said[n] = '\0';
	fclose(file);
	return status;
}

TEST("all that is this machine's is gone, and what is another's stays")
{
	begin();
	CHECK(run("homeassistant") == EXIT_SUCCESS);
	CHECK_TEXT(said, "");
	CHECK(n_retained == 2 && find("led/other/availability") >= 0 && find(FOREIGN) >= 0);
}

TEST("without discovery, its topics are not touched")
{
	begin();
	CHECK(run("") == EXIT_SUCCESS);
	CHECK(n_retained == 7 && find(OLD) >= 0 && find(LIGHT) >= 0 && find(PRESS) >= 0);
	CHECK(find(SENSOR("hall")) >= 0);
}

TEST("0.4's message of a machine whose ID is another one now, if it is this machine's")
{
	static const char *const MESSAGES[] = {
		"{\"components\":{\"led_a\":{\"state_topic\":\"led/pi.x/a\"}}}",
		"{\"components\":{\"led_a\":{\"state_topic\":\"led/pi_x/a\"}}}"};

	for (int i = 0; i < 2; i++) {
		host = "pi.x";
		n_retained = 0;
		retain(OLD_ESCAPED, MESSAGES[i]);
		CHECK(run("homeassistant") == EXIT_SUCCESS && n_retained == i);
		host = "pi";
	}
}

TEST("a broker without wildcards: what discovery and the settings name is cleared, and that it may "
     "not be all is said")
{
	begin();
	no_wildcards = true;
	CHECK(run("homeassistant") == EXIT_FAILURE);
	CHECK_TEXT(
		said, "led-mqtt: the broker does not send what is retained: topics may be left\n");
	CHECK(n_retained == 4 + 3 && find(OLD) < 0 && find("led/pi/kitchen") < 0);
	CHECK(find("led/pi/contact/hall") < 0 && find(SENSOR("hall")) < 0);
}

TEST("what the broker refuses is said, and the rest is cleared")
{
	begin();
	forbidden = "led/pi/kitchen";
	CHECK(run("homeassistant") == EXIT_FAILURE);
	CHECK_TEXT(said, "led-mqtt: Not authorized\n");
	CHECK(n_retained == 3 && find("led/pi/kitchen") >= 0);
}

TEST("one connection may fail, and two may not")
{
	begin();
	down = 1;
	CHECK(run("homeassistant") == EXIT_SUCCESS && n_retained == 2);
	begin();
	down = 2;
	CHECK(run("homeassistant") == EXIT_FAILURE && n_retained == 14);
	CHECK_TEXT(said, "led-mqtt: mqtt://pi:1883: Connection refused; trying again\n");
}

TAP_MAIN
