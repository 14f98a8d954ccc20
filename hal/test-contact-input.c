/* SPDX-License-Identifier: MIT */

/* Keys of an input device, whose events come as the test says: these are libevdev's functions. */

#include "contact.h"

#include <errno.h>
#include <libevdev/libevdev.h>
#include <stdlib.h>

#include "tap.h"

static bool is_button(const char *text)
{
	const char *why;
	struct contact *button = contact_create(text, &why);

	contact_destroy(button);
	return button;
}

TEST("keys of input devices")
{
	CHECK(is_button("input:/dev/input/event0"));
	CHECK(is_button("input:gpio-keys"));
	CHECK(is_button("input:Logitech USB Receiver: 2,grab"));
	CHECK(is_button("input:gpio-keys,KEY_ENTER"));
	CHECK(is_button("input:gpio-keys,BTN_0"));
	CHECK(is_button("input:gpio-keys,1"));
	CHECK(is_button("input:gpio-keys,767"));
	CHECK(is_button("input:gpio-keys,0x100"));
	CHECK(is_button("input:gpio-keys,KEY_ENTER,grab"));
	CHECK(!is_button("input"));
	CHECK(!is_button("input:"));
	CHECK(!is_button("input:,KEY_ENTER"));
	CHECK(!is_button("input:gpio-keys,"));
	CHECK(!is_button("input:gpio-keys,ENTER"));
	CHECK(!is_button("input:gpio-keys,key_enter"));
	CHECK(!is_button("input:gpio-keys,0"));
	CHECK(!is_button("input:gpio-keys,768"));
	CHECK(!is_button("input:gpio-keys,-1"));
	CHECK(!is_button("input:gpio-keys,99999999999999999999"));
	CHECK(!is_button("input:gpio-keys,28x"));
	CHECK(!is_button("input:gpio-keys,grab,KEY_ENTER"));
	CHECK(!is_button("input:gpio-keys,grab,grab"));
	CHECK(!is_button("input:gpio-keys,KEY_ENTER,"));
	CHECK(!is_button("input:gpio-keys,KEY_ENTER,KEY_A"));
	CHECK(!is_button("input:gpio-keys,KEY_ENTER,grab,x"));
}

/* What libevdev has next: events, and what it returns. */
struct step {
	enum libevdev_read_flag flag; /* it is asked with this; 0 as the device is not open */
	int result;
	unsigned short type, code;
	int value;
};

static const struct step *steps;
static unsigned n_steps;

static int down = -1; /* the key that is down, or -1 */

int libevdev_next_event(struct libevdev *device, unsigned flags, struct input_event *event)
{
	const struct step *step = steps;

	if (n_steps == 0)
		return -EAGAIN;
	steps++;
	n_steps--;
	CHECK(flags == step->flag);
	*event = (struct input_event){.type = step->type, .code = step->code, .value = step->value};
	event->input_event_sec = 7;
	event->input_event_usec = 5;
	return step->result;
}

int libevdev_get_event_value(const struct libevdev *device, unsigned type, unsigned code)
{
	return type == EV_KEY && (int)code == down;
}

/* What these events are for a SPEC, a letter each: c for closed, o for open. */
static const char *events_of(const char *argument, const struct step *these, unsigned n)
{
	static char letters[32];
	char why[CONTACT_WHY_MAX];
	struct contact_event event;
	size_t length = 0;
	void *state;

	steps = these;
	n_steps = n;
	CHECK(!CONTACT_INPUT.parse(argument, &state));
	while (length < sizeof letters - 1 && CONTACT_INPUT.next(state, &event, why) > 0) {
		letters[length++] = event.closed ? 'c' : 'o';
		CHECK(event.at == 7000005);
	}
	letters[length] = '\0';
	free(state);
	return letters;
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

TEST("a key closes and opens; repeats, other keys and other events do not count")
{
	static const struct step STEPS[] = {
		{.type = EV_KEY, .code = KEY_ENTER, .value = 1},
		{.type = EV_SYN},
		{.type = EV_KEY, .code = KEY_ENTER, .value = 2},
		{.type = EV_KEY, .code = KEY_A, .value = 1},
		{.type = EV_REL, .code = KEY_ENTER, .value = 1},
		{.type = EV_KEY, .code = KEY_ENTER, .value = 0},
	};

	CHECK_TEXT(events_of("x,KEY_ENTER", STEPS, COUNT(STEPS)), "co");
	CHECK_TEXT(events_of("x,KEY_A", STEPS, COUNT(STEPS)), "c");
	CHECK_TEXT(events_of("x", STEPS, COUNT(STEPS)), "cco");
}

TEST("after events were lost, those that made a difference are made up")
{
	static const struct step STEPS[] = {
		{.type = EV_KEY, .code = KEY_A, .value = 1},
		{.result = LIBEVDEV_READ_STATUS_SYNC, .type = EV_SYN, .code = SYN_DROPPED},
		{LIBEVDEV_READ_FLAG_SYNC, LIBEVDEV_READ_STATUS_SYNC, EV_KEY, KEY_A, 0},
		{LIBEVDEV_READ_FLAG_SYNC, -EAGAIN, 0, 0, 0},
		{LIBEVDEV_READ_FLAG_NORMAL, 0, EV_KEY, KEY_A, 1},
	};

	CHECK_TEXT(events_of("x,KEY_A", STEPS, COUNT(STEPS)), "coc");
}

TEST("its position is that of the key, or of any")
{
	void *any = NULL, *key = NULL;

	CHECK(!CONTACT_INPUT.parse("x", &any) && !CONTACT_INPUT.parse("x,KEY_A", &key));
	down = -1;
	CHECK(!CONTACT_INPUT.is_closed(any) && !CONTACT_INPUT.is_closed(key));
	down = KEY_A;
	CHECK(CONTACT_INPUT.is_closed(any) && CONTACT_INPUT.is_closed(key));
	down = KEY_MAX;
	CHECK(CONTACT_INPUT.is_closed(any) && !CONTACT_INPUT.is_closed(key));
	free(any);
	free(key);
}

TEST("a device that goes is named")
{
	static const struct step STEPS[] = {{.result = -ENODEV}}, OTHER[] = {{.result = -EIO}};
	char why[CONTACT_WHY_MAX];
	struct contact_event event;
	void *state;

	CHECK(!CONTACT_INPUT.parse("gpio-keys", &state));
	steps = STEPS;
	n_steps = 1;
	CHECK(CONTACT_INPUT.next(state, &event, why) == -ENODEV);
	CHECK_TEXT(why, "no input device is called gpio-keys; they are in /proc/bus/input/devices");
	steps = OTHER;
	n_steps = 1;
	CHECK(CONTACT_INPUT.next(state, &event, why) == -EIO);
	CHECK_TEXT(why, "gpio-keys: Input/output error");
	free(state);
}

/* Why a path cannot be opened. */
static const char *refused(const char *path)
{
	static char why[CONTACT_WHY_MAX];
	void *state;

	*why = '\0';
	CHECK(!CONTACT_INPUT.parse(path, &state));
	CHECK(CONTACT_INPUT.open(state, why) < 0);
	free(state);
	return why;
}

TEST("what is no input device is not opened")
{
	CHECK_TEXT(refused("/dev/null"), "/dev/null is no input device");
	CHECK_TEXT(refused("/dev/there-is-none"), "there is no /dev/there-is-none");
	CHECK_TEXT(refused("/dev/null/x"), "/dev/null/x: Not a directory");
	CHECK_TEXT(refused("a name that no device has"),
		"no input device is called a name that no device has; "
		"they are in /proc/bus/input/devices");
}

TAP_MAIN
