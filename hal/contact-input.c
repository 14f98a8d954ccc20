/* SPDX-License-Identifier: MIT */

/* input:DEVICE, a key of a device of the kernel's input layer, through libevdev. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libevdev/libevdev.h>
#include <limits.h>
#include <linux/input.h>
#include <linux/major.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "contact.h"

#define INPUTS "/dev/input"
#define EVENT_PREFIX "event"
#define ANY_KEY (-1)

struct contact_input {
	char name[PATH_MAX]; /* of the device: as it calls itself, or a path */
	int key;             /* its code, or ANY_KEY */
	bool grab;
	struct libevdev *device;
	enum libevdev_read_flag flag; /* SYNC after events were lost, until the state is right */
};

/* Reads a key's name or number. Returns its code, or -1. */
static int read_key(const char *text)
{
	int key = libevdev_event_code_from_name(EV_KEY, text);
	unsigned long number;
	char *end;

	if (key >= 0)
		return key;
	if (*text < '0' || *text > '9')
		return -1;
	number = strtoul(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
	return *end || number == KEY_RESERVED || number > KEY_MAX ? -1 : (int)number;
}

/* Reads what follows the device's name: KEY, grab, or both, in this order. */
static const char *read_rest(struct contact_input *contact, char *rest)
{
	const char *word = strsep(&rest, ",");

	if (word && strcmp(word, "grab") != 0) {
		contact->key = read_key(word);
		if (contact->key < 0)
			return "there is no such key; a key is KEY_ENTER, BTN_0 or a number";
		word = strsep(&rest, ",");
	}
	contact->grab = word;
	if ((word && strcmp(word, "grab") != 0) || rest)
		return "after an input device there may be ,KEY and then ,grab";
	return NULL;
}

static const char *contact_input_parse(const char *argument, void **state)
{
	struct contact_input *contact;
	const char *why;
	char *rest;

	if (!argument || !*argument || *argument == ',')
		return "input: wants a device, as in input:/dev/input/event0 or input:gpio-keys";
	if (strlen(argument) >= sizeof contact->name)
		return "input: the device's name is too long";
	contact = calloc(1, sizeof *contact);
	if (!contact)
		return "out of memory";
	strcpy(contact->name, argument);
	contact->key = ANY_KEY;
	rest = contact->name;
	strsep(&rest, ",");
	why = read_rest(contact, rest);
	if (why)
		free(contact);
	else
		*state = contact;
	return why;
}

static void close_device(struct libevdev *device)
{
	int fd = libevdev_get_fd(device);

	libevdev_free(device);
	close(fd);
}

/* Opens an input device. Returns -ENOTTY for a file of another kind. */
static int open_device(const char *path, struct libevdev **device)
{
	struct stat st;
	int fd, r;

	if (stat(path, &st) < 0)
		return -errno;
	/* Only input devices are opened: to open another file can have effects. */
	if (!S_ISCHR(st.st_mode) || major(st.st_rdev) != INPUT_MAJOR)
		return -ENOTTY;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = libevdev_new_from_fd(fd, device);
	if (r < 0)
		close(fd);
	/* What a mouse and a joystick's older device say to questions about events. */
	return r == -EINVAL ? -ENOTTY : r;
}

static bool has_key(const struct contact_input *contact, const struct libevdev *device)
{
	if (contact->key == ANY_KEY)
		return libevdev_has_event_type(device, EV_KEY);
	return libevdev_has_event_code(device, EV_KEY, (unsigned)contact->key);
}

/* Says why there is no device: error is a negative errno, about path. Returns error. */
static int explain(
	const struct contact_input *contact, const char *path, int error, char why[CONTACT_WHY_MAX])
{
	switch (error) {
	case -EACCES:
	case -EPERM:
		snprintf(why, CONTACT_WHY_MAX, "%.100s: %s; it takes group input", path,
			strerror(-error));
		break;
	case -ENOTTY:
		snprintf(why, CONTACT_WHY_MAX, "%.100s is no input device", path);
		break;
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		if (strchr(contact->name, '/'))
			snprintf(why, CONTACT_WHY_MAX, "there is no %.100s", contact->name);
		else
			snprintf(why, CONTACT_WHY_MAX,
				"no input device is called %.60s; they are in "
				"/proc/bus/input/devices",
				contact->name);
		break;
	default:
		snprintf(why, CONTACT_WHY_MAX, "%.100s: %s", path, strerror(-error));
	}
	return error;
}

static int explain_no_key(const struct contact_input *contact, char why[CONTACT_WHY_MAX])
{
	const char *name = NULL;

	if (contact->key != ANY_KEY)
		name = libevdev_event_code_get_name(EV_KEY, (unsigned)contact->key);
	if (contact->key == ANY_KEY)
		snprintf(why, CONTACT_WHY_MAX, "%.100s has no keys", contact->name);
	else if (name)
		snprintf(why, CONTACT_WHY_MAX, "%.100s has no %s; evtest shows its keys",
			contact->name, name);
	else
		snprintf(why, CONTACT_WHY_MAX, "%.100s has no key %d; evtest shows its keys",
			contact->name, contact->key);
	return -ENODEV;
}

static int find_by_path(struct contact_input *contact, char why[CONTACT_WHY_MAX])
{
	int r = open_device(contact->name, &contact->device);

	if (r < 0)
		return explain(contact, contact->name, r, why);
	if (has_key(contact, contact->device))
		return 0;
	close_device(contact->device);
	return explain_no_key(contact, why);
}

static int is_event_device(const struct dirent *entry)
{
	return strncmp(entry->d_name, EVENT_PREFIX, strlen(EVENT_PREFIX)) == 0;
}

/* The first device of that name that has the key: a keyboard is often several devices. */
static int find_by_name(struct contact_input *contact, char why[CONTACT_WHY_MAX])
{
	struct dirent **entries = NULL;
	int n = scandir(INPUTS, &entries, is_event_device, versionsort);
	bool found = false, is_ours = false;
	char path[300], failed[sizeof path] = "";
	int error = -ENODEV;

	for (int i = 0; i < n && !found; i++) {
		struct libevdev *device = NULL;
		int r;

		snprintf(path, sizeof path, INPUTS "/%s", entries[i]->d_name);
		r = open_device(path, &device);
		if (r < 0) {
			/* Others say that it was removed while we searched. */
			if (r == -EACCES || r == -EPERM) {
				error = r;
				strcpy(failed, path);
			}
			continue;
		}
		if (strcmp(libevdev_get_name(device), contact->name) == 0) {
			is_ours = true;
			found = has_key(contact, device);
		}
		if (found)
			contact->device = device;
		else
			close_device(device);
	}
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	if (found)
		return 0;
	return is_ours ? explain_no_key(contact, why) : explain(contact, failed, error, why);
}

/* Events get times of our clock, and with ",grab" they come to nobody else. */
static int set_up(struct contact_input *contact, char why[CONTACT_WHY_MAX])
{
	int r = libevdev_set_clock_id(contact->device, CLOCK_MONOTONIC);

	if (r == 0 && contact->grab)
		r = libevdev_grab(contact->device, LIBEVDEV_GRAB);
	if (r == -EBUSY)
		snprintf(why, CONTACT_WHY_MAX, "another program has grabbed %.100s", contact->name);
	else if (r < 0)
		explain(contact, contact->name, r, why);
	return r;
}

static int contact_input_open(void *state, char why[CONTACT_WHY_MAX])
{
	struct contact_input *contact = state;
	int r = strchr(contact->name, '/') ? find_by_path(contact, why)
					   : find_by_name(contact, why);

	if (r < 0)
		return r;
	contact->flag = LIBEVDEV_READ_FLAG_NORMAL;
	r = set_up(contact, why);
	if (r < 0)
		close_device(contact->device);
	return r;
}

static int contact_input_fd(const void *state)
{
	const struct contact_input *contact = state;

	return libevdev_get_fd(contact->device);
}

static bool contact_input_is_closed(const void *state)
{
	const struct contact_input *contact = state;

	if (contact->key != ANY_KEY)
		return libevdev_get_event_value(contact->device, EV_KEY, (unsigned)contact->key);
	for (unsigned key = 0; key <= KEY_MAX; key++)
		if (libevdev_get_event_value(contact->device, EV_KEY, key))
			return true;
	return false;
}

/* Whether a key that is ours went down (1) or up (0). 2 is autorepeat. */
static bool is_movement(const struct contact_input *contact, const struct input_event *input)
{
	return input->type == EV_KEY && (contact->key == ANY_KEY || input->code == contact->key) &&
	       (input->value == 0 || input->value == 1);
}

static int contact_input_next(void *state, struct contact_event *event, char why[CONTACT_WHY_MAX])
{
	struct contact_input *contact = state;
	struct input_event input;
	int r;

	for (;;) {
		r = libevdev_next_event(contact->device, contact->flag, &input);
		if (r == -EAGAIN && contact->flag == LIBEVDEV_READ_FLAG_SYNC) {
			contact->flag = LIBEVDEV_READ_FLAG_NORMAL;
			continue;
		}
		if (r == -EAGAIN || r == -EINTR)
			return 0;
		if (r < 0)
			return explain(contact, contact->name, r, why);
		/* The kernel's queue was full: libevdev has the keys that are different now. */
		if (r == LIBEVDEV_READ_STATUS_SYNC)
			contact->flag = LIBEVDEV_READ_FLAG_SYNC;
		if (!is_movement(contact, &input))
			continue;
		event->at = (uint64_t)input.input_event_sec * 1000000 +
			    (uint64_t)input.input_event_usec;
		event->closed = input.value;
		return 1;
	}
}

static void contact_input_close(void *state)
{
	struct contact_input *contact = state;

	close_device(contact->device);
}

const struct contact_backend CONTACT_INPUT = {
	.name = "input",
	.bounces = false,
	.parse = contact_input_parse,
	.open = contact_input_open,
	.fd = contact_input_fd,
	.is_closed = contact_input_is_closed,
	.next = contact_input_next,
	.close = contact_input_close,
};
