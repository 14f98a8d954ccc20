/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "clock.h"
#include "holder.h"
#include "record-file.h"
#include "tap.h"

/*
 * A GPIO line that fails by plan, in place of hal/led.c. As the kernel's, it is busy while somebody
 * has a descriptor of its request: we, or the service manager, which is the test.
 */
struct led {
	bool open;
	int fd;

	bool lit;           /* the hardware */
	bool gone;          /* its chip is */
	bool stuck;         /* it stays as it is, whatever it is set to */
	unsigned fail_gets; /* so many transfers fail */
	unsigned fail_sets;
	bool fails_afterwards; /* it is set before that */
	unsigned n_opens, n_sets;
	char file[8192]; /* of the record, just before it was set */
};

static struct led led;
static struct definition definition;
static struct arrival_clock ticks;
static sd_event *event;
static struct holder *holder;
static unsigned n_changes;

/* The service manager. */
static int manager = -1;
static int stored_line = -1, stored_record = -1;

static int transfer(unsigned *fail, char why[LED_WHY_MAX])
{
	if (led.gone) {
		strcpy(why, "gone");
		return -ENODEV;
	}
	if (*fail == 0)
		return 0;
	--*fail;
	strcpy(why, "failed");
	return -EREMOTEIO;
}

/* Takes what the service manager has been sent. */
static void serve_manager(void)
{
	char text[512], control[CMSG_SPACE(sizeof(int))];
	struct iovec part = {text, sizeof text - 1};

	for (;;) {
		struct msghdr message = {.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof control};
		ssize_t n = recvmsg(manager, &message, MSG_DONTWAIT);
		struct cmsghdr *header;
		int *slot;

		if (n < 0)
			return;
		text[n] = '\0';
		slot = strstr(text, "FDNAME=line-") ? &stored_line : &stored_record;
		if (strstr(text, "FDSTOREREMOVE=1") && *slot >= 0) {
			close(*slot);
			*slot = -1;
		}
		header = CMSG_FIRSTHDR(&message);
		if (strstr(text, "FDSTORE=1") && header)
			memcpy(slot, CMSG_DATA(header), sizeof *slot);
	}
}

int led_open(struct led *self, bool lit, char why[LED_WHY_MAX])
{
	unsigned none = 0;
	int r = transfer(&none, why);

	serve_manager();
	if (r >= 0 && stored_line >= 0) {
		strcpy(why, "held by \"led-socket\"");
		r = -EBUSY;
	}
	if (r < 0)
		return r;
	self->n_opens++;
	self->open = true;
	self->lit = lit;
	self->fd = dup(STDIN_FILENO);
	return 0;
}

int led_adopt(struct led *self, int fd)
{
	self->open = true;
	self->fd = fd;
	return 0;
}

int led_resume(struct led *self, char why[LED_WHY_MAX])
{
	return -EOPNOTSUPP;
}

bool led_is_open(const struct led *self)
{
	return self->open;
}

int led_set(struct led *self, bool lit, char why[LED_WHY_MAX])
{
	int r = transfer(&self->fail_sets, why);

	if (stored_record >= 0)
		CHECK(pread(stored_record, self->file, sizeof self->file, 0) > 0);
	self->n_sets++;
	if ((r >= 0 || self->fails_afterwards) && !self->stuck)
		self->lit = lit;
	return r;
}

int led_get(struct led *self, char why[LED_WHY_MAX])
{
	int r = transfer(&self->fail_gets, why);

	return r < 0 ? r : self->lit;
}

int led_fd(const struct led *self)
{
	return self->open ? self->fd : -1;
}

void led_close(struct led *self)
{
	if (self->open)
		close(self->fd);
	self->open = false;
}

static void on_changed(void *userdata)
{
	n_changes++;
}

/* Starts a holder with what the service manager has. */
static void start(bool lit)
{
	int line = stored_line, record = stored_record;

	holder = holder_create(event, &ticks, &definition, &led, on_changed, NULL);
	CHECK(holder);
	if (record >= 0)
		CHECK(holder_inherit(holder, dup(record), "state-gpio_X"));
	if (line >= 0)
		CHECK(holder_inherit(holder, dup(line), "line-gpio_X"));
	holder_start(holder, lit, 0);
	serve_manager();
}

/* led-line is killed: the line stays as it is while the service manager has it. */
static void kill_it(void)
{
	serve_manager();
	holder_destroy(holder);
	holder = NULL;
	led_close(&led);
}

static void end(void)
{
	kill_it();
	if (stored_line >= 0)
		close(stored_line);
	if (stored_record >= 0)
		close(stored_record);
	stored_line = stored_record = -1;
	led = (struct led){0};
	n_changes = 0;
}

static int answer(enum verb verb, unsigned ms, const char *key, bool *carried_out)
{
	struct request request = {.verb = verb, .pulse_ms = ms, .at = arrival_now_ms(&ticks)};
	char why[LED_WHY_MAX];
	int r;

	strcpy(request.key, key);
	r = holder_carry_out(holder, &request, carried_out, why);
	serve_manager();
	return r;
}

static int ask(enum verb verb)
{
	bool carried_out;

	return answer(verb, 0, "", &carried_out);
}

/* Runs the event loop until a condition is true, for 5 s at most. */
#define WAIT_UNTIL(condition)                                                                      \
	do {                                                                                       \
		uint64_t until_ = clock_usec() + 5000000;                                          \
                                                                                                   \
		while (!(condition) && clock_usec() < until_) {                                    \
			sd_event_run(event, 100000);                                               \
			serve_manager();                                                           \
		}                                                                                  \
		CHECK(condition);                                                                  \
	} while (0)

static struct record stored(void)
{
	struct record record = {0};

	CHECK(record_file_read(stored_record, &record) == 0);
	return record;
}

TEST("a transfer that fails once is tried again, and nobody hears of it")
{
	start(false);
	n_changes = 0;
	led.fail_sets = 1;
	CHECK(ask(VERB_ON) == 1 && led.lit && n_changes > 0);
	led.fail_gets = 1;
	n_changes = 0;
	CHECK(ask(VERB_STATUS) == 1 && n_changes == 0 && holder_shown(holder) == SHOWN_ON);
	end();
}

TEST("a transfer that fails is ERR, and the line stays ours")
{
	start(false);
	led.fail_sets = 2;
	CHECK(ask(VERB_ON) == -EREMOTEIO && !led.lit);
	CHECK(holder_shown(holder) == SHOWN_TROUBLE);
	CHECK_TEXT(holder_trouble(holder), "failed");
	CHECK(led.open && stored_line >= 0 && led.n_opens == 1);
	CHECK(ask(VERB_ON) == 1 && led.lit && led.n_opens == 1);
	CHECK(holder_shown(holder) == SHOWN_ON);
	end();
}

TEST("after failed transfers the LED is tried again by itself")
{
	start(true);
	led.fail_gets = 5;
	CHECK(ask(VERB_STATUS) == -EREMOTEIO && holder_shown(holder) == SHOWN_TROUBLE);
	WAIT_UNTIL(holder_shown(holder) == SHOWN_ON);
	CHECK(led.n_opens == 1 && led.n_sets == 0);
	end();
}

TEST("a command that failed is not carried out later, even if its transfer was")
{
	bool carried_out;

	start(false);
	led.fails_afterwards = true;
	led.fail_sets = 2;
	CHECK(answer(VERB_TOGGLE, 0, "key", &carried_out) == -EREMOTEIO && !carried_out && led.lit);
	CHECK(!stored().lit);
	/* Its sender tries again. */
	CHECK(answer(VERB_TOGGLE, 0, "key", &carried_out) == 1 && carried_out && led.lit);
	led.fail_sets = 2;
	CHECK(ask(VERB_OFF) == -EREMOTEIO && !led.lit);
	WAIT_UNTIL(led.lit && holder_shown(holder) == SHOWN_ON);
	end();
}

TEST("a line that is gone is removed from the store and requested anew")
{
	start(true);
	led.gone = true;
	CHECK(ask(VERB_STATUS) == -ENODEV && holder_shown(holder) == SHOWN_TROUBLE);
	CHECK(!led.open && stored_line < 0);
	led.lit = false;
	led.gone = false;
	WAIT_UNTIL(led.lit);
	CHECK(led.open && led.n_opens == 2 && stored_line >= 0);
	CHECK(holder_shown(holder) == SHOWN_ON);
	end();
}

TEST("a line that came back while nobody looked has the state of the next command")
{
	start(true);
	led.gone = true;
	holder_check(holder);
	led.gone = false;
	CHECK(ask(VERB_OFF) == 0 && !led.lit && led.n_opens == 2);
	end();
}

TEST("a pulse whose end fails is not over until the LED is off")
{
	bool carried_out;

	start(false);
	CHECK(answer(VERB_PULSE, 20, "", &carried_out) == 1);
	led.fail_sets = 5;
	WAIT_UNTIL(led.fail_sets < 5);
	CHECK(led.lit && stored().lit && stored().off_at > 0);
	WAIT_UNTIL(!led.lit && !stored().lit);
	CHECK(led.n_opens == 1 && holder_shown(holder) == SHOWN_OFF);
	end();
}

TEST("a pulse is over when the LED is read as off, and not when it is set")
{
	bool carried_out;
	unsigned before;

	start(false);
	CHECK(answer(VERB_PULSE, 20, "", &carried_out) == 1);
	led.stuck = true;
	before = led.n_sets;
	WAIT_UNTIL(led.n_sets == before + 3);
	CHECK(stored().lit && stored().off_at > 0 && holder_shown(holder) == SHOWN_ON);
	led.stuck = false;
	WAIT_UNTIL(!led.lit && !stored().lit && holder_shown(holder) == SHOWN_OFF);
	end();
}

TEST("killed while a pulse could not end, the next process ends it")
{
	bool carried_out;

	start(false);
	CHECK(answer(VERB_PULSE, 20, "", &carried_out) == 1);
	led.fail_sets = 2;
	WAIT_UNTIL(led.fail_sets == 0);
	kill_it();
	CHECK(led.lit);
	start(false);
	WAIT_UNTIL(!led.lit && !stored().lit);
	CHECK(led.n_opens == 1);
	end();
}

TEST("killed after the end of a pulse, before that was written: it is over, and nothing is set")
{
	struct record record = {.lit = true, .off_at = 1};
	struct record_file file;

	start(false);
	kill_it();
	CHECK(record_file_open(&file, dup(stored_record)) == 0);
	record_file_write(&file, &record);
	record_file_close(&file);
	start(true);
	CHECK(led.n_sets == 0 && !led.lit && !stored().lit && stored().off_at == 0);
	end();
}

TEST("killed between a record and its LED: the times of the commands before count again")
{
	struct request request = {.verb = VERB_ON, .at = 20000};
	char why[LED_WHY_MAX];
	bool carried_out;

	start(false);
	CHECK(holder_carry_out(holder, &request, &carried_out, why) == 1 && carried_out);
	request = (struct request){.verb = VERB_TOGGLE, .at = 20100, .key = "key"};
	CHECK(holder_carry_out(holder, &request, &carried_out, why) == 0 && carried_out);
	CHECK(stored().reorder.toggled_at == 20100 && !stored().pending);
	kill_it();
	led.lit = true;
	CHECK(pwrite(stored_record, led.file, sizeof led.file, 0) == sizeof led.file);
	CHECK(stored().pending && stored().key_pending && !stored().lit);
	/* It cannot be read at first. */
	led.fail_gets = 4;
	start(false);
	CHECK(holder_shown(holder) == SHOWN_TROUBLE && stored().pending);
	request.at = 19900;
	request.verb = VERB_OFF;
	*request.key = '\0';
	WAIT_UNTIL(holder_shown(holder) == SHOWN_ON);
	CHECK(stored().reorder.set_at == 20000 && stored().reorder.toggled_at == 0);
	CHECK(holder_carry_out(holder, &request, &carried_out, why) == 1 && led.lit);
	CHECK(!stored().pending && stored().lit);
	end();
}

TEST("a line that cannot be read at the start is not let go")
{
	start(true);
	kill_it();
	led.fail_gets = 3;
	start(false);
	CHECK(led.open && led.lit && led.n_sets == 0 && stored_line >= 0);
	CHECK(holder_shown(holder) == SHOWN_TROUBLE);
	WAIT_UNTIL(holder_shown(holder) == SHOWN_ON);
	CHECK(led.n_opens == 1 && led.n_sets == 0 && stored().lit);
	end();
}

TEST("a command that was pending counts when the LED can be read, not before")
{
	bool carried_out;

	for (int was_set = 0; was_set < 2; was_set++) {
		struct record record = {.lit = true};
		struct record_file file;

		start(false);
		kill_it();
		record_add_key(&record, "key\0\0\0\0\0\0\0\0\0\0\0\0\0");
		CHECK(record_file_open(&file, dup(stored_record)) == 0);
		record_file_write(&file, &record);
		record_file_close(&file);
		led.lit = was_set;
		led.fail_gets = 4;
		start(false);
		CHECK(answer(VERB_TOGGLE, 0, "key", &carried_out) == -EREMOTEIO && carried_out);
		CHECK(answer(VERB_TOGGLE, 0, "key", &carried_out) == 1 && carried_out && led.lit);
		end();
	}
}

TEST("what another program has changed is shown as soon as it is read")
{
	start(false);
	n_changes = 0;
	led.lit = true;
	CHECK(holder_shown(holder) == SHOWN_OFF);
	CHECK(ask(VERB_STATUS) == 1 && n_changes == 1 && holder_shown(holder) == SHOWN_ON);
	CHECK(!holder_stays_lit(holder));
	CHECK(ask(VERB_ON) == 1 && holder_stays_lit(holder));
	end();
}

TEST("each change of what is wrong is one")
{
	start(false);
	led.fail_gets = 2;
	ask(VERB_STATUS);
	CHECK(holder_reasons(holder) == 1);
	n_changes = 0;
	led.fail_gets = 2;
	ask(VERB_STATUS);
	CHECK(n_changes == 0 && holder_reasons(holder) == 1);
	/* It has worked meanwhile. */
	ask(VERB_STATUS);
	led.fail_gets = 2;
	ask(VERB_STATUS);
	CHECK(holder_reasons(holder) == 1);
	n_changes = 0;
	led.gone = true;
	ask(VERB_STATUS);
	CHECK(n_changes > 0 && holder_reasons(holder) == 2);
	CHECK_TEXT(holder_trouble(holder), "gone");
	end();
}

/* Listens as the service manager does, in a folder. */
static void listen_as_manager(char *folder)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (!mkdtemp(folder))
		abort();
	snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", folder);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(manager, (struct sockaddr *)&address, sizeof address) < 0)
		abort();
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
}

int main(void)
{
	char folder[] = "/tmp/test-holder.XXXXXX", path[sizeof folder + sizeof "/notify"];
	int status;

	listen_as_manager(folder);
	definition_parse("gpio:X", &definition);
	arrival_clock_open(&ticks);
	if (sd_event_new(&event) < 0)
		abort();
	status = tap_run();
	sd_event_unref(event);
	arrival_clock_close(&ticks);
	close(manager);
	snprintf(path, sizeof path, "%s/notify", folder);
	unlink(path);
	rmdir(folder);
	return status;
}
