/* SPDX-License-Identifier: MIT */

/* GPIO lines as people write them, on chips that the test makes up: line.h's line_chip_*(). */

#include "line.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "mounts.h"
#include "tap.h"

static struct line_spec spec;

struct line_chip {
	const char *path, *label;
	unsigned size;
	const char *line; /* the name of its line 3, or NULL */
	int error;        /* that it cannot be opened, or 0 */
	int n_open;
};

static struct line_chip *chips;
static const char *holder;

struct line_chip *line_chip_open(const char *path)
{
	struct line_chip *chip = chips;

	while (chip && chip->path && strcmp(chip->path, path) != 0)
		chip++;
	if (!chip || !chip->path || chip->error) {
		errno = chip && chip->path ? chip->error : ENOTTY;
		return NULL;
	}
	chip->n_open++;
	return chip;
}

const char *line_chip_label(struct line_chip *chip)
{
	return chip->label;
}

unsigned line_chip_size(struct line_chip *chip)
{
	return chip->size;
}

int line_chip_find(struct line_chip *chip, const char *name)
{
	return chip->line && strcmp(chip->line, name) == 0 ? 3 : -1;
}

const char *line_chip_consumer(struct line_chip *chip, unsigned offset, char consumer[static 64])
{
	return holder;
}

void line_chip_close(struct line_chip *chip)
{
	chip->n_open--;
}

TEST("GPIO lines by name")
{
	CHECK(!line_spec_parse("GPIO17", LINE_OUTPUT, &spec));
	CHECK_TEXT(spec.name, "GPIO17");
	CHECK_TEXT(spec.chip, "");
}

TEST("GPIO lines by number")
{
	CHECK(!line_spec_parse("gpiochip0/17", LINE_OUTPUT, &spec));
	CHECK_TEXT(spec.chip, "gpiochip0");
	CHECK(spec.offset == 17);
	CHECK(!line_spec_parse("/dev/gpiochip1/0", LINE_OUTPUT, &spec));
	CHECK_TEXT(spec.chip, "/dev/gpiochip1");
	CHECK(!line_spec_parse("0/53,active-low", LINE_OUTPUT, &spec));
	CHECK_TEXT(spec.chip, "0");
	CHECK(spec.offset == 53 && spec.active_low);
	CHECK(!line_spec_parse("/dev/relays/2,open-drain,active-low", LINE_OUTPUT, &spec));
	CHECK_TEXT(spec.chip, "/dev/relays");
	CHECK(spec.offset == 2 && spec.active_low);
}

/* Whether a line is requested as wanted with these words after it. */
static bool is_requested(enum line_use use, const char *words, bool active_low,
	enum line_drive drive, enum line_bias bias)
{
	char text[100];

	snprintf(text, sizeof text, "GPIO17%s", words);
	return !line_spec_parse(text, use, &spec) && strcmp(spec.name, "GPIO17") == 0 &&
	       spec.active_low == active_low && spec.drive == drive && spec.bias == bias;
}

TEST("words after an LED's GPIO line")
{
	static const enum line_use LED = LINE_OUTPUT;

	CHECK(is_requested(LED, "", false, LINE_PUSH_PULL, LINE_BIAS_AS_IS));
	CHECK(is_requested(LED, ",active-low", true, LINE_PUSH_PULL, LINE_BIAS_AS_IS));
	CHECK(is_requested(LED, ",active-high", false, LINE_PUSH_PULL, LINE_BIAS_AS_IS));
	CHECK(is_requested(LED, ",open-drain", false, LINE_OPEN_DRAIN, LINE_BIAS_AS_IS));
	CHECK(is_requested(LED, ",open-source", false, LINE_OPEN_SOURCE, LINE_BIAS_AS_IS));
	CHECK(is_requested(LED, ",pull-down", false, LINE_PUSH_PULL, LINE_PULL_DOWN));
	CHECK(is_requested(
		LED, ",pull-up,open-drain,active-low", true, LINE_OPEN_DRAIN, LINE_PULL_UP));
	CHECK(is_requested(LED, ",active-low,active-low", true, LINE_PUSH_PULL, LINE_BIAS_AS_IS));
}

TEST("words after a button's GPIO line")
{
	static const enum line_use BUTTON = LINE_EDGES;

	CHECK(is_requested(BUTTON, "", true, LINE_PUSH_PULL, LINE_PULL_UP));
	CHECK(is_requested(BUTTON, ",active-low", true, LINE_PUSH_PULL, LINE_PULL_UP));
	CHECK(is_requested(BUTTON, ",active-high", false, LINE_PUSH_PULL, LINE_PULL_DOWN));
	CHECK(is_requested(BUTTON, ",pull-off", true, LINE_PUSH_PULL, LINE_PULL_OFF));
	CHECK(is_requested(BUTTON, ",pull-down", true, LINE_PUSH_PULL, LINE_PULL_DOWN));
	CHECK(is_requested(BUTTON, ",active-high,pull-up", false, LINE_PUSH_PULL, LINE_PULL_UP));
}

TEST("words that do not go there are refused")
{
	static const char *const CONTRADICTIONS[] = {"x,active-low,active-high",
		"x,open-drain,active-low,open-source", "x,pull-up,pull-down"};
	static const char *const UNKNOWN[] = {"x,", "x,,active-low", "x,active-low,", "x,low",
		"x,active-lo", "x,active-low ", "x,pull-off", "x,pull-up,initial=on"};

	for (size_t i = 0; i < sizeof CONTRADICTIONS / sizeof *CONTRADICTIONS; i++)
		CHECK_TEXT(line_spec_parse(CONTRADICTIONS[i], LINE_OUTPUT, &spec),
			"two of the words after the GPIO line contradict each other");
	for (size_t i = 0; i < sizeof UNKNOWN / sizeof *UNKNOWN; i++)
		CHECK_TEXT(line_spec_parse(UNKNOWN[i], LINE_OUTPUT, &spec),
			"after an LED's GPIO line there may be active-low or active-high, "
			"open-drain or open-source, pull-up or pull-down, initial=, "
			"pulse= and kind=");
	CHECK_TEXT(line_spec_parse("x,open-drain", LINE_EDGES, &spec),
		"after a button's GPIO line there may be active-low or active-high, "
		"pull-up, pull-down or pull-off");
	CHECK(line_spec_parse("x,pull-off,pull-up", LINE_EDGES, &spec));
}

TEST("what is no GPIO line is refused")
{
	char name[sizeof spec.name + 1];
	static const char *const BAD[] = {"", ",active-low", "/17", "gpiochip0/", "gpiochip0/x",
		"gpiochip0/-1", "gpiochip0/99999999999"};

	CHECK(line_spec_parse(NULL, LINE_OUTPUT, &spec));
	memset(name, 'x', sizeof spec.name);
	name[sizeof spec.name] = '\0';
	CHECK_TEXT(line_spec_parse(name, LINE_OUTPUT, &spec), "the line's name is too long");
	CHECK(!line_spec_parse(name + 1, LINE_OUTPUT, &spec));
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
		CHECK(line_spec_parse(BAD[i], LINE_OUTPUT, &spec));
}

/* What line_find() says of line 1 of a chip by path. */
static const char *found(const char *path)
{
	static char why[LINE_WHY_MAX];
	struct line_place place = {0};
	char text[128];

	snprintf(text, sizeof text, "%s/1", path);
	CHECK(!line_spec_parse(text, LINE_OUTPUT, &spec));
	*why = '\0';
	CHECK(line_find(&spec, &place, why) < 0);
	return why;
}

TEST("a path that leads to no GPIO chip is called by what it is")
{
	char folder[] = "/tmp/led-test-line.XXXXXX", link[40];

	CHECK(mkdtemp(folder));
	snprintf(link, sizeof link, "%s/a", folder);
	CHECK(strstr(found(link), "there is no /tmp/"));
	CHECK(strstr(found("/dev/null/x"), "there is no /dev/null/x;"));
	CHECK_TEXT(found("/dev/null"), "/dev/null is no GPIO chip, and leads to none; "
				       "gpiodetect shows them");
	CHECK(symlink("nowhere", link) == 0);
	CHECK(strstr(found(link), "is a link that leads nowhere: its GPIO chip is not there"));
	CHECK(unlink(link) == 0 && symlink("/dev/null", link) == 0);
	CHECK(strstr(found(link), "/a is no GPIO chip, and leads to none"));
	CHECK(unlink(link) == 0 && symlink(folder, link) == 0);
	CHECK(strstr(found(link), "/a is no GPIO chip, and leads to none"));
	CHECK(unlink(link) == 0 && mkfifo(link, 0600) == 0);
	CHECK(strstr(found(link), "/a is no GPIO chip, and leads to none"));
	CHECK(unlink(link) == 0 && symlink(link, link) == 0);
	CHECK(strstr(found(link), "Too many levels of symbolic links"));
	CHECK(unlink(link) == 0 && rmdir(folder) == 0);
}

TEST("a path that leads to a chip is that chip, if it has the line")
{
	struct line_chip null[] = {{.path = "/dev/null", .label = "x", .size = 2}, {0}};
	char link[] = "/tmp/led-test-line.XXXXXX", text[64], why[LINE_WHY_MAX];
	struct line_place place = {0};

	CHECK(mkdtemp(link) && rmdir(link) == 0 && symlink("/dev/null", link) == 0);
	chips = null;
	snprintf(text, sizeof text, "%s/1", link);
	CHECK(!line_spec_parse(text, LINE_OUTPUT, &spec) && line_find(&spec, &place, why) == 0);
	CHECK_TEXT(place.path, "/dev/null");
	CHECK(place.offset == 1);
	CHECK(!line_spec_parse("/dev/null/2", LINE_OUTPUT, &spec));
	CHECK(line_find(&spec, &place, why) == -ENODEV);
	CHECK_TEXT(why, "GPIO chip /dev/null has no line 2");
	null->error = EACCES;
	CHECK(line_find(&spec, &place, why) == -EACCES);
	CHECK_TEXT(why, "/dev/null: Permission denied; it takes group gpio and the udev rule");
	null->error = EMFILE;
	CHECK(line_find(&spec, &place, why) == -EMFILE);
	CHECK_TEXT(why, "GPIO chip /dev/null: Too many open files");
	null->error = ENOENT;
	CHECK(line_find(&spec, &place, why) == -ENOTTY);
	CHECK_TEXT(why, "/dev/null is no GPIO chip, and leads to none; gpiodetect shows them");
	CHECK(null->n_open == 0);
	chips = NULL;
	unlink(link);
}

TEST("a file of another kind is not even opened")
{
	char path[] = "/tmp/led-test-line.XXXXXX", why[LINE_WHY_MAX];
	struct line_chip file[] = {{.path = path, .label = "x", .size = 2}, {0}};
	struct line_place place = {0};
	int fd = mkstemp(path);

	chips = file;
	snprintf(spec.chip, sizeof spec.chip, "%s", path);
	spec.offset = 1;
	CHECK(line_find(&spec, &place, why) == -ENOTTY);
	chips = NULL;
	close(fd);
	unlink(path);
}

TEST("a line that is held is said to be so, by whom")
{
	struct line_chip null[] = {{.path = "/dev/null", .label = "x", .size = 2}, {0}};
	const struct line_place place = {.path = "/dev/null", .offset = 1};
	char why[LINE_WHY_MAX];

	chips = null;
	CHECK(!line_spec_parse("GPIO17", LINE_OUTPUT, &spec));
	holder = "hog";
	CHECK(line_complain(&spec, &place, EBUSY, why) == -EBUSY);
	CHECK_TEXT(why, "GPIO line GPIO17 (/dev/null 1) is held by \"hog\"");
	holder = "a\nb";
	CHECK(line_complain(&spec, &place, EBUSY, why) == -EBUSY);
	CHECK_TEXT(why, "GPIO line GPIO17 (/dev/null 1) is held by \"a?b\"");
	CHECK(line_complain(&spec, &place, EINVAL, why) == -EINVAL);
	CHECK_TEXT(why, "GPIO line GPIO17 (/dev/null 1): Invalid argument");
	holder = NULL;
	CHECK(line_complain(&spec, &place, EBUSY, why) == -EBUSY);
	CHECK_TEXT(why, "GPIO line GPIO17 (/dev/null 1): Device or resource busy");
	null->error = ENODEV;
	CHECK(line_complain(&spec, &place, EBUSY, why) == -EBUSY);
	CHECK_TEXT(why, "GPIO line GPIO17 (/dev/null 1): Device or resource busy");
	CHECK(line_complain(&spec, &place, 0, why) == -EIO);
	CHECK(null->n_open == 0);
	chips = NULL;
}

/* /dev of the tests below. */
static struct line_chip machine[] = {
	{.path = "/dev/gpiochip0", .label = "expander", .size = 8, .line = "FAN"},
	{.path = "/dev/gpiochip2", .label = "pinctrl-bcm2711", .size = 58, .line = "GPIO_GCLK"},
	{.path = "/dev/gpiochip9", .label = "expander", .size = 12},
	{.path = "/dev/gpiochip10", .label = "expander", .size = 16, .line = "FAN"},
	{.path = "/dev/gpiochip11", .label = "late", .size = 16, .line = "GPIO4"},
	{0},
};

/* "CHIP OFFSET" of a line, or why there is none. */
static const char *found_in_machine(const char *text)
{
	static char result[LINE_WHY_MAX];
	struct line_place place = {0};

	CHECK(!line_spec_parse(text, LINE_OUTPUT, &spec));
	if (line_find(&spec, &place, result) == 0)
		snprintf(result, sizeof result, "%.100s %u", place.path, place.offset);
	for (struct line_chip *chip = machine; chip->path; chip++)
		CHECK(chip->n_open == 0);
	return result;
}

static const char *make_machine(void)
{
	static const char *why_not = "";

	if (!why_not || *why_not)
		return why_not;
	why_not = mounts_hide("/dev");
	if (why_not)
		return why_not;
	CHECK_TEXT(found_in_machine("GPIO17"), "this machine has no GPIO chip (/dev/gpiochip*)");
	for (const struct line_chip *chip = machine; chip->path; chip++)
		CHECK(mounts_write(chip->path, ""));
	CHECK(mounts_write("/dev/gpiochip", "") && mounts_write("/dev/gpiochipx", ""));
	CHECK(mounts_write("/dev/gpio0", ""));
	chips = machine;
	return NULL;
}

TEST("a chip by its name, number or label, the first of several")
{
	const char *why_not = make_machine();

	if (why_not)
		SKIP(why_not);
	CHECK_TEXT(found_in_machine("gpiochip2/57"), "/dev/gpiochip2 57");
	CHECK_TEXT(found_in_machine("10/15"), "/dev/gpiochip10 15");
	CHECK_TEXT(found_in_machine("0/7"), "/dev/gpiochip0 7");
	CHECK_TEXT(found_in_machine("expander/7"), "/dev/gpiochip0 7");
	CHECK_TEXT(found_in_machine("late/0"), "/dev/gpiochip11 0");
	CHECK_TEXT(found_in_machine("expander/11"), "/dev/gpiochip9 11");
	CHECK_TEXT(found_in_machine("expander/15"), "/dev/gpiochip10 15");
	CHECK_TEXT(found_in_machine("expander/16"), "GPIO chip expander has no line 16");
	CHECK_TEXT(found_in_machine("1/0"), "no GPIO chip is called 1; gpiodetect shows them");
	CHECK_TEXT(found_in_machine("gpiochip/0"),
		"no GPIO chip is called gpiochip; gpiodetect shows them");
}

TEST("a line by its name, on the first chip that has it")
{
	const char *why_not = make_machine();

	if (why_not)
		SKIP(why_not);
	CHECK_TEXT(found_in_machine("FAN"), "/dev/gpiochip0 3");
	CHECK_TEXT(found_in_machine("GPIO_GCLK"), "/dev/gpiochip2 3");
	CHECK_TEXT(found_in_machine("PUMP"), "no GPIO line is called PUMP; gpioinfo shows them");
}

TEST("GPIOn that no chip knows is a Raspberry Pi's")
{
	const char *why_not = make_machine();

	if (why_not)
		SKIP(why_not);
	CHECK_TEXT(found_in_machine("GPIO17"), "/dev/gpiochip2 17");
	/* One knows it, after the Pi's. */
	CHECK_TEXT(found_in_machine("GPIO4"), "/dev/gpiochip11 3");
	CHECK_TEXT(
		found_in_machine("GPIO58"), "no GPIO line is called GPIO58; gpioinfo shows them");
	CHECK_TEXT(
		found_in_machine("GPIO1x"), "no GPIO line is called GPIO1x; gpioinfo shows them");
	machine[1].label = "another";
	CHECK_TEXT(
		found_in_machine("GPIO17"), "no GPIO line is called GPIO17; gpioinfo shows them");
	machine[1].label = "pinctrl-bcm2711";
}

TEST("a chip that cannot be opened is the reason only if no other one has the line")
{
	const char *why_not = make_machine();

	if (why_not)
		SKIP(why_not);
	machine[1].error = EACCES;
	CHECK_TEXT(found_in_machine("FAN"), "/dev/gpiochip0 3");
	CHECK_TEXT(found_in_machine("GPIO17"), "/dev/gpiochip2: Permission denied; "
					       "it takes group gpio and the udev rule");
	machine[1].error = EMFILE;
	CHECK_TEXT(found_in_machine("GPIO17"), "/dev/gpiochip2: Too many open files");
	/* It was removed meanwhile. */
	machine[1].error = ENODEV;
	CHECK_TEXT(
		found_in_machine("GPIO17"), "no GPIO line is called GPIO17; gpioinfo shows them");
	machine[1].error = 0;
}

TAP_MAIN
