/* SPDX-License-Identifier: MIT */

/* What the broker is to have of this machine, and what its messages mean. */

#include "mirror.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "old-message.h"

/* Where Home Assistant says that it has started. */
#define BIRTH_TOPIC "homeassistant/status"
#define BIRTH "online"

#define BIT(kind) (1U << (kind))
#define LED_KINDS (BIT(DISCOVERY_LIGHT) | BIT(DISCOVERY_SWITCH))
#define CONTACT_KINDS BIT(DISCOVERY_CONTACT)
#define BUTTON_KINDS (BIT(DISCOVERY_EVENT) | BIT(DISCOVERY_PRESS) | BIT(DISCOVERY_LONG))

static bool has_button(const struct mirror *mirror, const char *name)
{
	for (unsigned i = 0; i < mirror->button_names->n; i++)
		if (strcmp(mirror->button_names->names[i], name) == 0)
			return true;
	return false;
}

/* Whether it is known which LEDs there are, and what each is for. */
static bool is_sure(const struct mirror *mirror)
{
	return mirror->follow->n > 0 && !mirror->follow->unsure;
}

/* --- things ----------------------------------------------------------------------------- */

static struct thing *find_thing(struct things *things, const char *name)
{
	for (unsigned i = 0; i < things->n; i++)
		if (strcmp(things->items[i].name, name) == 0)
			return &things->items[i];
	return NULL;
}

/* Returns a thing that is new if it has to be, or NULL if there is no room. */
static struct thing *know(struct things *things, const char *name)
{
	struct thing *thing = find_thing(things, name);

	if (thing || things->n == THINGS_MAX)
		return thing;
	thing = &things->items[things->n++];
	*thing = (struct thing){0};
	strcpy(thing->name, name);
	return thing;
}

static void forget_thing(struct things *things, struct thing *thing)
{
	*thing = things->items[--things->n];
}

/* Whatever else is retained on topics of LEDs, those of led-line have their places. */
static struct thing *know_led(struct mirror *mirror, const char *name)
{
	struct things *leds = &mirror->leds;
	unsigned i = 0;

	if (leds->n == THINGS_MAX && !find_thing(leds, name)) {
		while (follow_find(mirror->follow, leds->items[i].name))
			i++;
		forget_thing(leds, &leds->items[i]);
	}
	return know(leds, name);
}

/* --- discovery -------------------------------------------------------------------------- */

/* Publishes a message of discovery. */
static void publish(struct mirror *mirror, struct thing *thing, enum discovery_kind kind)
{
	const struct contact *contact = contacts_find(mirror->known_contacts, thing->name);
	bool has_class = kind == DISCOVERY_CONTACT && contact;
	char topic[DISCOVERY_TOPIC_MAX], *payload;
	struct retained_topic *retained = NULL;

	payload = discovery_write(
		mirror->discovery, kind, thing->name, has_class ? contact->device_class : "");
	discovery_topic(mirror->discovery, kind, thing->name, topic);
	if (payload)
		retained = retained_set(&mirror->retained, topic, payload);
	free(payload);
	if (!retained)
		return;
	/* Home Assistant deletes it when its user removes the device. */
	retained->is_discovery = true;
	thing->published |= BIT(kind);
}

/* Clears a message of discovery, after those that have been published before. */
static void clear(struct mirror *mirror, const struct thing *thing, enum discovery_kind kind)
{
	char topic[DISCOVERY_TOPIC_MAX];
	struct retained_topic *retained;

	discovery_topic(mirror->discovery, kind, thing->name, topic);
	retained_drop(&mirror->retained, topic);
	retained = retained_set(&mirror->retained, topic, "");
	if (retained)
		retained->is_discovery = true;
}

/*
 * Whether a thing's messages may be published and cleared now. As long as a setting of led-line is
 * wrong, nothing that is there is cleared or changed: it may be right again in a moment.
 */
static bool may_discover(const struct mirror *mirror, const struct thing *thing)
{
	return *mirror->discovery->prefix && move_publishes(&mirror->move) &&
	       !(mirror->follow->unsure && (thing->published || thing->found));
}

/* Publishes what a thing is to have, and clears the rest. */
static void update_discovery(struct mirror *mirror, struct thing *thing, unsigned wanted)
{
	unsigned there = thing->published | thing->found;

	if (!may_discover(mirror, thing))
		return;
	for (int kind = 0; kind < DISCOVERY_KINDS; kind++)
		if (wanted & BIT(kind) & ~thing->published)
			publish(mirror, thing, (enum discovery_kind)kind);
	for (int kind = 0; kind < DISCOVERY_KINDS; kind++)
		if (there & BIT(kind) & ~wanted)
			clear(mirror, thing, (enum discovery_kind)kind);
	thing->published &= wanted;
	thing->found = 0;
}

/* --- LEDs, buttons and contacts --------------------------------------------------------- */

/* Sets the topics of an LED. NULL: that one stays as it is. */
static void set_led(
	struct mirror *mirror, const char *name, const char *state, const char *availability)
{
	char topic[TOPIC_MAX];

	if (state)
		retained_set(
			&mirror->retained, topics_write(mirror->topics, name, "", topic), state);
	retained_set(&mirror->retained, topics_write(mirror->topics, name, "availability", topic),
		availability);
}

/* An LED that led-line has not named. */
static void update_missing_led(struct mirror *mirror, struct thing *thing)
{
	if (!is_sure(mirror)) {
		if (mirror->follow->missing || mirror->follow->unsure)
			set_led(mirror, thing->name, NULL, TOPICS_OFFLINE);
		return;
	}
	set_led(mirror, thing->name, "", "");
	update_discovery(mirror, thing, 0);
	/* As long as discovery has to wait, it is to be cleared later. */
	if (!thing->published && !thing->found)
		forget_thing(&mirror->leds, thing);
}

/* What the broker is to know of an LED. */
static void update_led(struct mirror *mirror, struct thing *thing)
{
	static const unsigned KINDS[] = {
		[KIND_LIGHT] = BIT(DISCOVERY_LIGHT),
		[KIND_SWITCH] = BIT(DISCOVERY_SWITCH),
	};
	const struct followed_led *led = follow_find(mirror->follow, thing->name);

	if (!led) {
		update_missing_led(mirror, thing);
		return;
	}
	if (led->state == LED_MISSING)
		set_led(mirror, thing->name, NULL, TOPICS_OFFLINE);
	else if (led->state != LED_UNKNOWN)
		set_led(mirror, thing->name, led->state == LED_ON ? "ON" : "OFF", TOPICS_ONLINE);
	if (led->kind != KIND_UNKNOWN)
		update_discovery(mirror, thing, KINDS[led->kind]);
}

static void update_button(struct mirror *mirror, struct thing *thing)
{
	bool is_there = has_button(mirror, thing->name);

	update_discovery(mirror, thing, is_there ? BUTTON_KINDS : 0);
	if (!is_there && !thing->found)
		forget_thing(&mirror->buttons, thing);
}

/*
 * Discovery of a contact; presses.c publishes what it says. One that is no longer in the settings
 * is found by its discovery, so this is cleared last.
 */
static void update_contact(struct mirror *mirror, struct thing *thing)
{
	bool is_there = contacts_find(mirror->known_contacts, thing->name);
	char topic[TOPIC_MAX];

	if (!is_there && may_discover(mirror, thing)) {
		retained_set(&mirror->retained,
			topics_write_contact(mirror->topics, thing->name, "", topic), "");
		retained_set(&mirror->retained,
			topics_write_contact(mirror->topics, thing->name, "availability", topic),
			"");
	}
	update_discovery(mirror, thing, is_there ? CONTACT_KINDS : 0);
	if (!is_there && !thing->found)
		forget_thing(&mirror->contacts, thing);
}

/* Backwards, because one may be forgotten. */
static void update_all(struct mirror *mirror)
{
	for (unsigned i = mirror->leds.n; i-- > 0;)
		update_led(mirror, &mirror->leds.items[i]);
	for (unsigned i = mirror->buttons.n; i-- > 0;)
		update_button(mirror, &mirror->buttons.items[i]);
	for (unsigned i = mirror->contacts.n; i-- > 0;)
		update_contact(mirror, &mirror->contacts.items[i]);
}

/* --- the move from 0.4 ------------------------------------------------------------------ */

static bool stays(void *userdata, enum discovery_kind kind, const char *name)
{
	const struct mirror *mirror = userdata;
	const struct followed_led *led = follow_find(mirror->follow, name);

	switch (discovery_of(kind)) {
	case DISCOVERY_OF_LED:
		return led && led->kind == (kind == DISCOVERY_LIGHT ? KIND_LIGHT : KIND_SWITCH);
	case DISCOVERY_OF_BUTTON:
		return has_button(mirror, name);
	case DISCOVERY_OF_CONTACT:
		return contacts_find(mirror->known_contacts, name);
	}
	return false;
}

static void set_old_message(struct mirror *mirror, const char *payload)
{
	struct retained_topic *topic;

	/* It is published, even if the last step has published the same. */
	retained_drop(&mirror->retained, mirror->old_topic);
	topic = retained_set(&mirror->retained, mirror->old_topic, payload);
	if (topic)
		topic->is_discovery = true;
}

static void reduce(struct mirror *mirror)
{
	char *reduced = old_message_reduce(mirror->old_message, mirror->old_length, stays, mirror);

	/* What Home Assistant could not read either has nothing to be reduced. */
	set_old_message(mirror, reduced ? reduced : OLD_MESSAGE_MIGRATE);
	free(reduced);
}

static void go_on(struct mirror *mirror)
{
	const struct follow *follow = mirror->follow;
	/* A machine may have buttons alone. */
	bool known =
		is_sure(mirror) || (follow->n == 0 && follow->missing && !mirror->old_has_leds);
	enum move_step step;

	while ((step = move_next(&mirror->move, known)) != MOVE_NOTHING) {
		switch (step) {
		case MOVE_REDUCE:
			reduce(mirror);
			break;
		case MOVE_ANNOUNCE:
			set_old_message(mirror, OLD_MESSAGE_MIGRATE);
			break;
		case MOVE_PUBLISH:
			retained_drop(&mirror->retained, mirror->old_topic);
			retained_repeat_discovery(&mirror->retained);
			update_all(mirror);
			break;
		case MOVE_CLEAR:
			set_old_message(mirror, "");
			break;
		case MOVE_NOTHING:
			break;
		}
		if (mirror->move.state == MOVE_PUBLISHING &&
			retained_has_discovery(&mirror->retained))
			move_take(&mirror->move, MOVE_ACKNOWLEDGED);
	}
}

static void take_old_message(struct mirror *mirror, const void *payload, size_t length)
{
	struct old_message found = old_message_read(mirror->topics, payload, length, NULL, NULL);

	if (!old_message_has_id(mirror->topics)) {
		if (found.is_ours)
			set_old_message(mirror, "");
		return;
	}
	free(mirror->old_message);
	mirror->old_message = malloc(length);
	if (!mirror->old_message)
		return;
	memcpy(mirror->old_message, payload, length);
	mirror->old_length = length;
	mirror->old_has_leds = found.has_leds;
	move_take(&mirror->move, found.is_migrating ? MOVE_FOUND_ANNOUNCED : MOVE_FOUND);
	go_on(mirror);
}

void mirror_acknowledged(
	struct mirror *mirror, const struct retained_topic *topic, bool refused, uint64_t now)
{
	/* It was published after the subscriptions: what is retained comes before this, or soon. */
	if (strcmp(topic->name, mirror->availability) == 0 && !mirror->looked_at)
		mirror->looked_at = now + MIRROR_LOOK_USEC;
	else if (topic->is_discovery && refused)
		move_take(&mirror->move, MOVE_REFUSED);
	else if (topic->is_discovery && retained_has_discovery(&mirror->retained))
		move_take(&mirror->move, MOVE_ACKNOWLEDGED);
	go_on(mirror);
}

struct retained_topic *mirror_next(struct mirror *mirror, uint64_t now)
{
	if (mirror->move.state == MOVE_LOOKING && mirror->looked_at && now >= mirror->looked_at) {
		move_take(&mirror->move, MOVE_LOOKED);
		go_on(mirror);
	}
	return retained_next(&mirror->retained, now);
}

uint64_t mirror_due(const struct mirror *mirror)
{
	uint64_t due = retained_due(&mirror->retained);

	if (mirror->move.state == MOVE_LOOKING && mirror->looked_at && mirror->looked_at < due)
		return mirror->looked_at;
	return due;
}

/* --- for others ------------------------------------------------------------------------- */

void mirror_leds(struct mirror *mirror)
{
	for (unsigned i = 0; i < mirror->follow->n; i++)
		if (topics_is_led(mirror->follow->leds[i].name))
			know_led(mirror, mirror->follow->leds[i].name);
	update_all(mirror);
	go_on(mirror);
}

void mirror_start(struct mirror *mirror, const struct topics *topics, const struct names *groups,
	const struct names *buttons, const struct contacts *contacts,
	const struct discovery *discovery, const struct follow *follow)
{
	*mirror = (struct mirror){.topics = topics,
		.groups = groups,
		.button_names = buttons,
		.known_contacts = contacts,
		.discovery = discovery,
		.follow = follow};
	topics_write(topics, "", "availability", mirror->availability);
	if (*discovery->prefix)
		old_message_topic(discovery, mirror->old_topic);
	retained_set(&mirror->retained, mirror->availability, TOPICS_ONLINE);
	for (unsigned i = 0; i < buttons->n; i++)
		know(&mirror->buttons, buttons->names[i]);
	for (unsigned i = 0; i < contacts->n; i++)
		know(&mirror->contacts, contacts->items[i].name);
	mirror_leds(mirror);
}

void mirror_repeat(struct mirror *mirror)
{
	retained_repeat_discovery(&mirror->retained);
}

void mirror_up(struct mirror *mirror)
{
	mirror->subscribed = 0;
	retained_up(&mirror->retained);
}

static void unpublish(struct things *things)
{
	for (unsigned i = 0; i < things->n; i++)
		things->items[i].published = 0;
}

void mirror_down(struct mirror *mirror)
{
	/* The next connection begins with what is retained then. */
	if (mirror->move.state != MOVE_OVER) {
		retained_drop_discovery(&mirror->retained);
		unpublish(&mirror->leds);
		unpublish(&mirror->buttons);
		unpublish(&mirror->contacts);
	}
	move_take(&mirror->move, MOVE_DOWN);
	mirror->looked_at = 0;
	retained_down(&mirror->retained);
}

void mirror_stop(struct mirror *mirror)
{
	retained_set(&mirror->retained, mirror->availability, TOPICS_OFFLINE);
}

bool mirror_next_filter(
	struct mirror *mirror, char filter[DISCOVERY_TOPIC_MAX], enum broker_delivery *delivery)
{
	enum { OLD, DISCOVERY, BIRTHS, SET, STATES, AVAILABILITIES, CONTACTS };
	const struct topics *topics = mirror->topics;
	const struct contacts *contacts = mirror->known_contacts;
	const unsigned groups = CONTACTS + 2 * contacts->n;
	unsigned i = mirror->subscribed;

	if (i == OLD && !*mirror->discovery->prefix)
		i = SET;
	*delivery = i == BIRTHS || i == SET || i >= groups ? BROKER_COMMANDS : BROKER_RETAINED;
	switch (i) {
	case OLD:
		strcpy(filter, mirror->old_topic);
		break;
	case DISCOVERY:
		discovery_filter(mirror->discovery, filter);
		break;
	case BIRTHS:
		strcpy(filter, BIRTH_TOPIC);
		break;
	case SET:
		topics_write(topics, "+", "set", filter);
		break;
	case STATES:
		topics_write(topics, "+", "", filter);
		break;
	case AVAILABILITIES:
		topics_write(topics, "+", "availability", filter);
		break;
	default:
		if (i < groups) {
			/* By name: an LED may be called contact. */
			topics_write_contact(topics, contacts->items[(i - CONTACTS) / 2].name,
				(i - CONTACTS) % 2 ? "availability" : "", filter);
			break;
		}
		/* A machine without LEDs would take its own messages from those who have some. */
		if (i - groups >= mirror->groups->n || mirror->follow->n == 0)
			return false;
		snprintf(filter, DISCOVERY_TOPIC_MAX, "%s/group/%s/set", topics->base,
			mirror->groups->names[i - groups]);
	}
	mirror->subscribed = i + 1;
	return true;
}

/* Topics of an LED that an earlier process left at the broker, or that led-line has not named yet.
 */
static void take_left(struct mirror *mirror, const char *name)
{
	struct thing *led = know(&mirror->leds, name);

	if (led)
		update_led(mirror, led);
}

/* Discovery that was left. */
static void take_left_discovery(struct mirror *mirror, const char *topic)
{
	static const struct {
		size_t things; /* their place in struct mirror */
		void (*update)(struct mirror *mirror, struct thing *thing);
	} OF[] = {
		[DISCOVERY_OF_LED] = {offsetof(struct mirror, leds), update_led},
		[DISCOVERY_OF_BUTTON] = {offsetof(struct mirror, buttons), update_button},
		[DISCOVERY_OF_CONTACT] = {offsetof(struct mirror, contacts), update_contact},
	};
	char name[COMMAND_NAME_MAX + 1];
	enum discovery_kind kind;
	enum discovery_of of;
	struct thing *thing;

	if (!*mirror->discovery->prefix ||
		!discovery_read_topic(mirror->discovery, topic, &kind, name))
		return;
	of = discovery_of(kind);
	thing = know((struct things *)((char *)mirror + OF[of].things), name);
	if (!thing)
		return;
	thing->found |= BIT(kind);
	OF[of].update(mirror, thing);
}

/* Of a contact that nobody has spoken of since the start, what is retained is true. */
static void take_contact(struct mirror *mirror, const char *topic, const void *payload,
	size_t length, const char *const truths[2])
{
	for (int i = 0; i < 2; i++)
		if (length == strlen(truths[i]) && memcmp(payload, truths[i], length) == 0)
			retained_take(&mirror->retained, topic, truths[i]);
}

/* Something is retained that is not known yet. */
static void take_retained(struct mirror *mirror, const char *topic, enum topic kind,
	const char *name, const void *payload, size_t length)
{
	static const char *const STATES[] = {"ON", "OFF"}, *const AVAILABILITIES[] = {
								   TOPICS_ONLINE, TOPICS_OFFLINE};

	if (kind == TOPIC_CONTACT || kind == TOPIC_CONTACT_AVAILABILITY) {
		if (contacts_find(mirror->known_contacts, name))
			take_contact(mirror, topic, payload, length,
				kind == TOPIC_CONTACT ? STATES : AVAILABILITIES);
		return;
	}
	/* A broker that acknowledges nothing does not fill the memory. */
	if (retained_clears(&mirror->retained) >= MIRROR_CLEARS_MAX)
		return;
	if (kind == TOPIC_LED || kind == TOPIC_LED_AVAILABILITY)
		take_left(mirror, name);
	else
		take_left_discovery(mirror, topic);
}

enum meaning mirror_message(struct mirror *mirror, const char *topic, const void *payload,
	size_t length, bool is_retained, uint64_t now, struct request *request, const char **why)
{
	char name[COMMAND_NAME_MAX + 1];
	enum topic kind = topics_read(mirror->topics, topic, name);
	enum retained_kind seen;

	if (kind == TOPIC_SET || kind == TOPIC_GROUP_SET) {
		/* What was retained is not news: it may be of last year. */
		if (is_retained)
			return MEANING_NONE;
		*why = topics_read_command(payload, length, request);
		if (*why)
			return MEANING_WRONG;
		strcpy(request->name, name);
		return MEANING_COMMAND;
	}
	if (kind == TOPIC_SET_OF_NONE && !is_retained) {
		*why = "no LED can have this name";
		return MEANING_WRONG;
	}
	if (!is_retained && strcmp(topic, BIRTH_TOPIC) == 0 && length == strlen(BIRTH) &&
		memcmp(payload, BIRTH, length) == 0)
		return MEANING_BIRTH;
	seen = retained_seen(&mirror->retained, topic, payload, length, is_retained, now);
	if (seen == RETAINED_CONTESTED)
		return MEANING_CONTESTED;
	if (!is_retained || length == 0)
		return MEANING_NONE;
	if (strcmp(topic, mirror->old_topic) == 0)
		take_old_message(mirror, payload, length);
	else if (seen == RETAINED_OTHER)
		take_retained(mirror, topic, kind, name, payload, length);
	return MEANING_NONE;
}

void mirror_end(struct mirror *mirror)
{
	free(mirror->old_message);
	mirror->old_message = NULL;
	retained_clear(&mirror->retained);
}
