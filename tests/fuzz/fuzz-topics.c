/* SPDX-License-Identifier: MIT */

/* Topics and payloads that a broker delivers, and the settings that name topics and contacts:
 * src/led-mqtt/. */

#include <strings.h>

#include "fuzz.h"
#include "led-mqtt/contacts.h"
#include "led-mqtt/options.h"
#include "led-mqtt/topics.h"
#include "text.h"

#define PART "[A-Za-z0-9._-]{1,64}"
#define BLANK "[ \t]"

/* Payloads shorter than this are not too long for a command. */
#define SHORT 60

static const struct topics TOPICS = {"led", "pi"};

static struct pattern part_like = {.text = PART};
static struct pattern path_like = {.text = PART "(/" PART ")*"};
static struct pattern send_like = {.text = PART "/" PART};
static struct pattern group_set_like = {.text = "led/group/" PART "/set"};
static struct pattern led_topic_like = {.text = "led/pi/" NAME "(/(set|availability))?"};
static struct pattern contact_topic_like = {.text = "led/pi/contact/" NAME "(/availability)?"};
static struct pattern no_contact_topic_like = {
	.text = "led/pi/contact/(" RESERVED "|availability|set)(/.*)?"};
static struct pattern contacts_like = {
	.text = "[ \t\n]*(" NAME "(:[a-z_]{1,31})?([ \t\n]+" NAME "(:[a-z_]{1,31})?)*)?[ \t\n]*"};
static struct pattern set_topic_like = {.text = "led/pi/[^/]*/set"};
static struct pattern availability_topic_like = {.text = "led/pi/[^/]+/availability"};
static struct pattern no_led_topic_like = {.text = "led/pi/(" RESERVED "|availability)(/.*)?"};
static struct pattern on_like = {.text = BLANK "*(1|true)[ \t\r\n]*", .any_case = true};
static struct pattern off_like = {.text = BLANK "*(0|false)[ \t\r\n]*", .any_case = true};
static struct pattern payload_like = {
	.text = BLANK "*(on|off|1|0|true|false|toggle(" BLANK "+" KEY ")?|pulse" BLANK "+" PULSE
		      "(" BLANK "+" KEY ")?)" BLANK "*(\r?(\n[ \t\r\n]*)?)",
	.any_case = true,
};

static enum topic expected(const char *topic)
{
	if (strcmp(topic, "led/pi/availability") == 0)
		return TOPIC_AVAILABILITY;
	if (is_like(&group_set_like, topic))
		return TOPIC_GROUP_SET;
	if (is_like(&contact_topic_like, topic) && !is_like(&no_contact_topic_like, topic))
		return strlen(topic) > strlen("/availability") &&
				       strcmp(topic + strlen(topic) - strlen("/availability"),
					       "/availability") == 0
			       ? TOPIC_CONTACT_AVAILABILITY
			       : TOPIC_CONTACT;
	if (!is_like(&led_topic_like, topic) || is_like(&no_led_topic_like, topic))
		return is_like(&set_topic_like, topic) ? TOPIC_SET_OF_NONE : TOPIC_OTHER;
	if (is_like(&set_topic_like, topic))
		return TOPIC_SET;
	return is_like(&availability_topic_like, topic) ? TOPIC_LED_AVAILABILITY : TOPIC_LED;
}

static void check_topic(const char *topic)
{
	static const char *const BEHIND[] = {
		[TOPIC_AVAILABILITY] = "availability",
		[TOPIC_LED] = "",
		[TOPIC_LED_AVAILABILITY] = "availability",
		[TOPIC_SET] = "set",
		[TOPIC_SET_OF_NONE] = NULL,
		[TOPIC_GROUP_SET] = NULL,
		[TOPIC_CONTACT] = "",
		[TOPIC_CONTACT_AVAILABILITY] = "availability",
	};
	char name[COMMAND_NAME_MAX + 1], written[TOPIC_MAX];
	enum topic kind = topics_read(&TOPICS, topic, name);

	MUST(kind == expected(topic));
	if (kind == TOPIC_CONTACT || kind == TOPIC_CONTACT_AVAILABILITY)
		MUST(strcmp(topics_write_contact(&TOPICS, name, BEHIND[kind], written), topic) ==
			0);
	else if (kind != TOPIC_OTHER && BEHIND[kind])
		MUST(strcmp(topics_write(&TOPICS, name, BEHIND[kind], written), topic) == 0);
}

/* As a topic, and as what comes after our own. */
static void try_topic(const char *text)
{
	char *ours = malloc(sizeof "led/pi/" + strlen(text));

	MUST(ours);
	sprintf(ours, "led/pi/%s", text);
	check_topic(text);
	check_topic(ours);
	free(ours);
}

/* With settings that are accepted, each topic is read as it is written. */
static void try_tree(const char *base, const char *host)
{
	const struct topics topics = {base, host};
	char name[COMMAND_NAME_MAX + 1], written[TOPIC_MAX];

	topics_write(&topics, "abcdefghijklmnop", "availability", written);
	MUST(topics_read(&topics, written, name) == TOPIC_LED_AVAILABILITY);
	MUST(strcmp(name, "abcdefghijklmnop") == 0);
	topics_write_contact(&topics, "abcdefghijklmnop", "availability", written);
	MUST(topics_read(&topics, written, name) == TOPIC_CONTACT_AVAILABILITY);
	MUST(strcmp(name, "abcdefghijklmnop") == 0);
}

static void try_settings(const char *text)
{
	bool is_base = is_like(&path_like, text) && strlen(text) <= TOPIC_BASE_MAX;
	bool is_host = is_like(&part_like, text) && strcmp(text, "group") != 0;
	struct contacts contacts;

	MUST(topics_is_part(text, strlen(text)) == is_like(&part_like, text));
	MUST(!option_check_base(text) == is_base);
	MUST(!option_check_discovery(text) == (is_base || !*text));
	MUST(!option_check_host(text) == is_host);
	MUST(!option_check_send(text) == is_like(&send_like, text));
	if (!contacts_read(text, &contacts)) {
		MUST(is_like(&contacts_like, text));
		for (unsigned i = 0; i < contacts.n; i++)
			MUST(topics_is_button(contacts.items[i].name));
	}
	MUST(text_check(text) || strlen(text) <= 128);
	MUST(option_check_url(text) || strncmp(text, "http", 4) == 0);
	if (is_base)
		try_tree(text, "pi");
	if (is_host)
		try_tree("led", text);
}

static void try_payload(const uint8_t *data, size_t size)
{
	struct request request, same;
	char *text = text_of(data, size), written[COMMAND_MAX + 1];
	const char *why = topics_read_command(data, size, &request);
	bool is_command = is_like(&payload_like, text);

	if (strlen(text) == size) {
		MUST(why || is_command);
		MUST(!why || !is_command || size >= SHORT);
	}
	MUST(why || size <= COMMAND_MAX);
	if (!why) {
		MUST(!request.all && !*request.name && request.at == 0);
		topics_write_command(&request, written);
		MUST(strncasecmp(written, text + strspn(text, " \t"), strcspn(written, " ")) == 0 ||
			is_like(request.verb == VERB_ON ? &on_like : &off_like, text));
		MUST(!topics_read_command(written, strlen(written), &same));
		MUST(request.verb == same.verb && request.pulse_ms == same.pulse_ms &&
			strcmp(request.key, same.key) == 0);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size);

	try_topic(text);
	try_settings(text);
	try_payload(data, size);
	free(text);
	return 0;
}
