/* SPDX-License-Identifier: MIT */
#include "line.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEV "/dev/"
#define CHIP_PREFIX "gpiochip"
#define GET_PERMISSION "it takes group gpio and the udev rule"

/* The chips that drive the header of a Raspberry Pi, by label. */
static const char *const PI_CHIPS[] = {"pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"};

/* Reads all of text as a decimal number. */
static bool is_number(const char *text, unsigned *number)
{
	unsigned value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text) || __builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (unsigned)(*text - '0'), &value))
			return false;
	}
	*number = value;
	return true;
}

const char *line_spec_parse(const char *text, bool active_low, struct line_spec *spec)
{
	const char *comma, *slash;
	char place[sizeof spec->chip + sizeof spec->name];
	size_t length;

	memset(spec, 0, sizeof *spec);
	spec->active_low = active_low;
	if (!text || !*text)
		return "gpio: wants a line, as in gpio:GPIO17 or gpio:gpiochip0/17";

	comma = strchrnul(text, ',');
	if (strcmp(comma, ",active-low") == 0)
		spec->active_low = true;
	else if (strcmp(comma, ",active-high") == 0)
		spec->active_low = false;
	else if (*comma)
		return "behind a GPIO line there may be ,active-low or ,active-high";
	length = (size_t)(comma - text);
	if (length == 0 || length >= sizeof place)
		return "gpio: wants a line, as in gpio:GPIO17 or gpio:gpiochip0/17";
	memcpy(place, text, length);
	place[length] = '\0';

	slash = strrchr(place, '/');
	if (!slash) {
		if (length >= sizeof spec->name)
			return "the line's name is too long";
		memcpy(spec->name, place, length + 1);
		return NULL;
	}
	length = (size_t)(slash - place);
	if (length == 0 || length >= sizeof spec->chip || !is_number(slash + 1, &spec->offset))
		return "a GPIO line by number is CHIP/OFFSET, as in gpio:gpiochip0/17";
	memcpy(spec->chip, place, length);
	snprintf(spec->name, sizeof spec->name, "%u of %.50s", spec->offset, spec->chip);
	return NULL;
}

static int is_chip_device(const struct dirent *entry)
{
	unsigned number;

	return strncmp(entry->d_name, CHIP_PREFIX, strlen(CHIP_PREFIX)) == 0 &&
	       is_number(entry->d_name + strlen(CHIP_PREFIX), &number);
}

static bool is_pi_chip(const char *label)
{
	for (size_t i = 0; i < sizeof PI_CHIPS / sizeof *PI_CHIPS; i++)
		if (strcmp(label, PI_CHIPS[i]) == 0)
			return true;
	return false;
}

/* Whether a person's CHIP is the chip of that device name ("gpiochip0") and label. */
static bool is_called(const char *chip, const char *device, const char *label)
{
	unsigned number;

	if (is_number(chip, &number))
		return strtoul(device + strlen(CHIP_PREFIX), NULL, 10) == number;
	return strcmp(chip, device) == 0 || strcmp(chip, label) == 0;
}

/* How well a chip matches a spec. */
enum match {
	NO_MATCH,
	NO_OFFSET, /* the right chip, but it has fewer lines */
	PI_MATCH,  /* GPIOn as offset n of a Raspberry Pi's chip */
	MATCH,
};

static enum match match_chip(
	const struct line_spec *spec, const char *device, struct line_chip *chip, unsigned *offset)
{
	const char *label = line_chip_label(chip);
	int found;

	if (*spec->chip) {
		if (!is_called(spec->chip, device, label))
			return NO_MATCH;
		*offset = spec->offset;
		return *offset < line_chip_size(chip) ? MATCH : NO_OFFSET;
	}
	found = line_chip_find(chip, spec->name);
	if (found >= 0) {
		*offset = (unsigned)found;
		return MATCH;
	}
	if (is_pi_chip(label) && strncmp(spec->name, "GPIO", 4) == 0 &&
		is_number(spec->name + 4, offset) && *offset < line_chip_size(chip))
		return PI_MATCH;
	return NO_MATCH;
}

static int explain_no_offset(const struct line_spec *spec, char why[LINE_WHY_MAX])
{
	snprintf(why, LINE_WHY_MAX, "GPIO chip %s has no line %u", spec->chip, spec->offset);
	return -ENODEV;
}

static int explain_not_found(const struct line_spec *spec, int n_chips, enum match best, int error,
	const char *refused, char why[LINE_WHY_MAX])
{
	if (best == NO_OFFSET)
		return explain_no_offset(spec, why);
	if (n_chips == 0)
		snprintf(why, LINE_WHY_MAX, "this machine has no GPIO chip (" DEV CHIP_PREFIX "*)");
	else if (error == EACCES || error == EPERM)
		snprintf(
			why, LINE_WHY_MAX, DEV "%s: %s; " GET_PERMISSION, refused, strerror(error));
	else if (error)
		snprintf(why, LINE_WHY_MAX, DEV "%s: %s", refused, strerror(error));
	else if (*spec->chip)
		snprintf(why, LINE_WHY_MAX, "no GPIO chip is called %s; gpiodetect shows them",
			spec->chip);
	else
		snprintf(why, LINE_WHY_MAX, "no GPIO line is called %s; gpioinfo shows them",
			spec->name);
	return error ? -error : -ENODEV;
}

/* Says why the path of a chip cannot be used: errno is error. Returns -error. */
static int explain_path(const char *path, int error, char why[LINE_WHY_MAX])
{
	struct stat st;

	switch (error) {
	case ENOENT:
	case ENOTDIR:
		if (lstat(path, &st) == 0)
			snprintf(why, LINE_WHY_MAX,
				"%s is a link that leads nowhere: its GPIO chip is not there",
				path);
		else
			snprintf(why, LINE_WHY_MAX,
				"there is no %s; gpiodetect shows the GPIO chips", path);
		break;
	case ENOTTY:
	case ENODEV:
	case ENXIO:
		snprintf(why, LINE_WHY_MAX,
			"%s is no GPIO chip, and leads to none; gpiodetect shows them", path);
		break;
	case EACCES:
	case EPERM:
		snprintf(why, LINE_WHY_MAX, "%s: %s; " GET_PERMISSION, path, strerror(error));
		break;
	default:
		snprintf(why, LINE_WHY_MAX, "GPIO chip %s: %s", path, strerror(error));
	}
	return -error;
}

/* A line of the chip to which a path leads, through symbolic links too. */
static int find_by_path(
	const struct line_spec *spec, struct line_place *place, char why[LINE_WHY_MAX])
{
	struct line_chip *chip;
	struct stat st;
	unsigned size;

	if (!realpath(spec->chip, place->path) || stat(place->path, &st) < 0)
		return explain_path(spec->chip, errno, why);
	/* Only character devices are opened: to open another file can have effects. */
	if (!S_ISCHR(st.st_mode))
		return explain_path(spec->chip, ENOTTY, why);
	chip = line_chip_open(place->path);
	/* ENOENT is what libgpiod 2 says of a device about which /sys has nothing. */
	if (!chip)
		return explain_path(spec->chip, errno == ENOENT ? ENOTTY : errno, why);
	size = line_chip_size(chip);
	line_chip_close(chip);
	if (spec->offset >= size)
		return explain_no_offset(spec, why);
	place->offset = spec->offset;
	return 0;
}

int line_find(const struct line_spec *spec, struct line_place *place, char why[LINE_WHY_MAX])
{
	enum match best = NO_MATCH;
	struct dirent **devices;
	char refused[32] = "";
	int n, error = 0;

	if (*spec->chip == '/')
		return find_by_path(spec, place, why);
	n = scandir(DEV, &devices, is_chip_device, versionsort);
	if (n < 0) {
		snprintf(why, LINE_WHY_MAX, DEV ": %s", strerror(errno));
		return -errno;
	}
	for (int i = 0; i < n; i++) {
		const char *device = devices[i]->d_name;
		char path[sizeof place->path];
		struct line_chip *chip;
		enum match match;
		unsigned offset;

		snprintf(path, sizeof path, DEV "%.50s", device);
		chip = line_chip_open(path);
		if (!chip) {
			/* The chip was removed while we searched. */
			if (errno != ENOENT && errno != ENODEV && errno != ENXIO) {
				error = errno;
				snprintf(refused, sizeof refused, "%.30s", device);
			}
			continue;
		}
		match = match_chip(spec, device, chip, &offset);
		line_chip_close(chip);
		if (match <= best)
			continue;
		best = match;
		strcpy(place->path, path);
		place->offset = offset;
	}
	for (int i = 0; i < n; i++)
		free(devices[i]);
	free(devices);
	return best >= PI_MATCH ? 0 : explain_not_found(spec, n, best, error, refused, why);
}

int line_complain(const struct line_spec *spec, const struct line_place *place, int error,
	char why[LINE_WHY_MAX])
{
	struct line_chip *chip = line_chip_open(place->path);
	char consumer[64];
	const char *holder = NULL;

	if (chip && error == EBUSY)
		holder = line_chip_consumer(chip, place->offset, consumer);
	if (holder)
		snprintf(why, LINE_WHY_MAX, "GPIO line %s (%.60s %u) is held by \"%s\"", spec->name,
			place->path, place->offset, holder);
	else
		snprintf(why, LINE_WHY_MAX, "GPIO line %s (%.60s %u): %s", spec->name, place->path,
			place->offset, strerror(error));
	if (chip)
		line_chip_close(chip);
	return error ? -error : -EIO;
}
