/* SPDX-License-Identifier: MIT */

/* A GPIO line as a person writes it, and how it is found among the chips. */

#include "line.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "text.h"

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

/* What the words after a line decide. */
enum aspect { LEVEL, DRIVE, BIAS, ASPECTS };

enum { ACTIVE_LOW = 1, ACTIVE_HIGH };

static const struct word {
	const char *text;
	enum aspect aspect;
	int value;
	bool output, input; /* what it may stand after */
} WORDS[] = {
	{"active-low", LEVEL, ACTIVE_LOW, true, true},
	{"active-high", LEVEL, ACTIVE_HIGH, true, true},
	{"open-drain", DRIVE, LINE_OPEN_DRAIN, true, false},
	{"open-source", DRIVE, LINE_OPEN_SOURCE, true, false},
	{"pull-up", BIAS, LINE_PULL_UP, true, true},
	{"pull-down", BIAS, LINE_PULL_DOWN, true, true},
	{"pull-off", BIAS, LINE_PULL_OFF, false, true},
};

static const struct word *find_word(const char *text, size_t length, enum line_use use)
{
	for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
		const struct word *word = &WORDS[i];

		if (strlen(word->text) == length && memcmp(word->text, text, length) == 0 &&
			(use == LINE_OUTPUT ? word->output : word->input))
			return word;
	}
	return NULL;
}

/* Reads the words, each with a comma before it. Returns NULL, or a constant reason. */
static const char *parse_words(const char *text, enum line_use use, struct line_spec *spec)
{
	int values[ASPECTS] = {0};

	while (*text) {
		size_t length = strcspn(++text, ",");
		const struct word *word = find_word(text, length, use);
		int *value;

		if (!word && use == LINE_OUTPUT)
			return "after an LED's GPIO line there may be active-low or active-high, "
			       "open-drain or open-source, pull-up or pull-down, initial=, "
			       "pulse= and kind=";
		if (!word)
			return "after a button's GPIO line there may be active-low or "
			       "active-high, pull-up, pull-down or pull-off";
		value = &values[word->aspect];
		if (*value && *value != word->value)
			return "two of the words after the GPIO line contradict each other";
		*value = word->value;
		text += length;
	}
	spec->active_low = values[LEVEL] ? values[LEVEL] == ACTIVE_LOW : use == LINE_EDGES;
	spec->drive = (enum line_drive)values[DRIVE];
	spec->bias = (enum line_bias)values[BIAS];
	if (use == LINE_EDGES && !values[BIAS])
		spec->bias = spec->active_low ? LINE_PULL_UP : LINE_PULL_DOWN;
	return NULL;
}

const char *line_spec_parse(const char *text, enum line_use use, struct line_spec *spec)
{
	char place[sizeof spec->chip + sizeof spec->name];
	const char *why;
	char *slash;
	size_t length;

	memset(spec, 0, sizeof *spec);
	length = text ? strcspn(text, ",") : 0;
	if (length == 0 || length >= sizeof place)
		return "gpio: wants a line, as in gpio:GPIO17 or gpio:gpiochip0/17";
	why = parse_words(text + length, use, spec);
	if (why)
		return why;
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
	char consumer[64], quoted[64];
	const char *holder = NULL;

	if (chip && error == EBUSY)
		holder = line_chip_consumer(chip, place->offset, consumer);
	if (holder)
		snprintf(why, LINE_WHY_MAX, "GPIO line %s (%.60s %u) is held by \"%s\"", spec->name,
			place->path, place->offset, text_printable(holder, quoted, sizeof quoted));
	else
		snprintf(why, LINE_WHY_MAX, "GPIO line %s (%.60s %u): %s", spec->name, place->path,
			place->offset, strerror(error));
	if (chip)
		line_chip_close(chip);
	return error ? -error : -EIO;
}
