/* SPDX-License-Identifier: MIT */

/* What a TOGGLE becomes that goes to a group: the states and the commands on their way decide. */

#include "group.h"

#include <string.h>

/* --- LEDs ------------------------------------------------------------------------------- */

enum lamps { LAMPS_NONE, LAMPS_OFF, LAMPS_ON /* one at least */ };

/* What this machine's LEDs show, as far as commands to a group reach them. */
static enum lamps look(const struct group *group, const struct follow *follow)
{
	enum lamps lamps = LAMPS_NONE;

	for (unsigned i = 0; i < follow->n && group->is_member; i++) {
		const struct followed_led *led = &follow->leds[i];

		if (followed_is_momentary(led))
			continue;
		if (led->state == LED_ON)
			return LAMPS_ON;
		if (led->state == LED_OFF)
			lamps = LAMPS_OFF;
	}
	return lamps;
}

/* --- keys ------------------------------------------------------------------------------- */

static struct group_key *find_key(struct group *group, const char *key)
{
	for (unsigned i = 0; i < group->n_keys && *key; i++)
		if (strcmp(group->keys[i].key, key) == 0)
			return &group->keys[i];
	return NULL;
}

static void remember_key(struct group *group, const char *key, enum verb verb)
{
	struct group_key *known = find_key(group, key);

	if (!*key || known)
		return;
	known = &group->keys[group->next_key];
	*known = (struct group_key){.verb = verb};
	strcpy(known->key, key);
	group->next_key = (group->next_key + 1) % GROUP_KEYS;
	if (group->n_keys < GROUP_KEYS)
		group->n_keys++;
}

/* --- what is on its way ------------------------------------------------------------------ */

static void remove_sent(struct group *group, unsigned i)
{
	group->n_sent--;
	memmove(&group->sent[i], &group->sent[i + 1], (group->n_sent - i) * sizeof *group->sent);
}

/* The broker has taken it, or may have. */
static void count(struct group *group, const struct group_sent *sent)
{
	if (sent->number < group->last_number)
		return;
	group->last_number = sent->number;
	group->last = sent->verb;
}

/* Removes what has been acknowledged and has come back, or does not come back. */
static void remove_done(struct group *group)
{
	for (unsigned i = group->n_sent; i-- > 0;)
		if (!group->sent[i].id && !group->sent[i].away)
			remove_sent(group, i);
}

void group_sent(struct group *group, int id, enum verb verb, const char *key)
{
	struct group_sent *sent;

	if (group->n_sent == GROUP_SENT_MAX)
		remove_sent(group, 0);
	sent = &group->sent[group->n_sent++];
	*sent = (struct group_sent){
		.id = id, .number = ++group->numbers, .verb = verb, .away = group->is_member};
	strcpy(sent->key, key);
	remember_key(group, key, verb);
	group->settles_until = 0;
}

void group_acknowledged(struct group *group, int id, bool refused)
{
	struct group_key *key;
	unsigned i = 0;

	while (i < group->n_sent && group->sent[i].id != id)
		i++;
	if (i == group->n_sent || id == 0)
		return;
	group->sent[i].id = 0;
	key = find_key(group, group->sent[i].key);
	if (!refused) {
		if (key)
			key->stays = true;
		count(group, &group->sent[i]);
		remove_done(group);
		return;
	}
	if (key && !key->stays)
		*key = (struct group_key){0};
	remove_sent(group, i);
}

void group_came(struct group *group, enum verb verb, uint64_t now)
{
	unsigned i = 0;

	while (i < group->n_sent && (!group->sent[i].away || group->sent[i].verb != verb))
		i++;
	if (i < group->n_sent)
		group->sent[i].away = false;
	group->settles_until = now + GROUP_SETTLE_USEC;
	group->settles_to = verb;
	remove_done(group);
}

void group_down(struct group *group)
{
	for (unsigned i = 0; i < group->n_sent; i++) {
		const struct group_sent *sent = &group->sent[i];
		struct group_key *key = find_key(group, sent->key);

		if (key && sent->id)
			key->stays = true;
		if (sent->id)
			count(group, sent);
	}
	group->n_sent = 0;
	group->settles_until = 0;
}

/* --- the decision ----------------------------------------------------------------------- */

static enum verb other(enum verb verb)
{
	return verb == VERB_ON ? VERB_OFF : VERB_ON;
}

static enum verb decide(const struct group *group, const struct follow *follow, uint64_t now)
{
	const struct group_sent *sent = group->n_sent ? &group->sent[group->n_sent - 1] : NULL;
	enum lamps lamps = look(group, follow);

	if (sent && (sent->away || (lamps == LAMPS_NONE && sent->number > group->last_number)))
		return other(sent->verb);
	if (lamps == LAMPS_NONE)
		return group->last_number ? other(group->last) : VERB_ON;
	if (now < group->settles_until)
		return other(group->settles_to);
	return lamps == LAMPS_ON ? VERB_OFF : VERB_ON;
}

void group_resolve(
	struct group *group, const struct follow *follow, struct request *request, uint64_t now)
{
	const struct group_key *key = find_key(group, request->key);

	request->verb = key ? key->verb : decide(group, follow, now);
	*request->key = '\0';
}
