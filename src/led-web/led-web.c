/* SPDX-License-Identifier: MIT */

/* led-web: a page on which the LEDs of this machine are switched. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "arrival.h"
#include "confine.h"
#include "descriptors.h"
#include "follower.h"
#include "limit.h"
#include "listen.h"
#include "log.h"
#include "resolver.h"
#include "service.h"
#include "settings.h"
#include "standstill.h"
#include "status.h"
#include "timer.h"
#include "variables.h"
#include "web-settings.h"
#include "web.h"

/* With a wrong setting, who connects gets an answer for so long. */
#define REFUSAL_USEC 5000000ULL

#define ACCURACY_USEC 10000

struct program {
	sd_event *event;
	struct web_settings options;
	struct web_options web_options;
	struct limit *limit;
	struct arrival_clock clock;
	struct web *web;
	struct follower *follower;
	struct status *status;
	struct standstill *standstill;
	sd_event_source *refusal_over;
};

static void write_status(void *userdata, char text[STATUS_MAX])
{
	const struct program *program = userdata;
	const char *trouble = follower_trouble(program->follower);

	snprintf(text, STATUS_MAX, "pages: %u, LEDs: %u, connections: %u, commands: %lu%s%s",
		web_pages(program->web), follower_get(program->follower)->n,
		web_connections(program->web), web_commands(program->web), *trouble ? "; " : "",
		trouble);
}

static void on_changed(void *userdata)
{
	struct program *program = userdata;

	if (program->status)
		status_changed(program->status);
}

static void on_leds(void *userdata)
{
	struct program *program = userdata;

	web_leds_changed(program->web);
	on_changed(program);
}

static void on_stood_still(void *userdata, bool may_be_late)
{
	web_set_late(((struct program *)userdata)->web, may_be_late);
}

/* --- start and stop --------------------------------------------------------------------- */

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	const struct program *program = userdata;

	sd_notify(0, "STOPPING=1");
	web_stop(program->web);
	return 0;
}

/* Takes the sockets that the service manager passes, else opens our own. */
static int add_sockets(struct program *program)
{
	const struct address *address = &program->options.listen;
	char text[ADDRESS_TEXT_MAX];
	const char *why = NULL;
	int n = sd_listen_fds(true), fds[LISTEN_MAX], r = 0, first = SD_LISTEN_FDS_START;

	if (n == 0) {
		n = listen_on(address, fds, &why);
		if (n < 0) {
			syslog(LOG_ERR, "cannot listen on %s: %s", address_text(address, text),
				why);
			return -EADDRNOTAVAIL;
		}
		for (int i = 0; i < n && r >= 0; i++)
			r = web_add_socket(program->web, fds[i]);
		return r;
	}
	for (int i = 0; i < n && r >= 0; i++)
		r = web_add_socket(program->web, first + i);
	return r;
}

/* Creates what the server needs, and the server. */
static int create(struct program *program, const char *cert, const char *key)
{
	const struct web_settings *options = &program->options;
	int r = service_create(&program->event, on_signal, program);

	if (r < 0)
		return r;
	arrival_clock_open(&program->clock);
	program->limit = limit_create(program->event, "messages");
	if (!program->limit)
		return -ENOMEM;
	program->web_options = (struct web_options){.title = options->name,
		.hosts = options->hosts,
		.password = options->password,
		.allow = options->allow,
		.cert = cert,
		.key = key,
		.line = &options->line,
		.clock = &program->clock,
		.ends = sd_listen_fds(false) > 0};
	program->web = web_create(
		program->event, &program->web_options, program->limit, on_changed, program);
	return program->web ? 0 : -errno;
}

/* Begins to serve. The program is confined. */
static int begin(struct program *program)
{
	program->standstill = standstill_create(program->event, on_stood_still, program);
	program->follower =
		follower_create(program->event, &program->options.line, on_leds, program);
	if (!program->standstill || !program->follower)
		return -ENOMEM;
	web_follow(program->web, program->follower);
	program->status = status_create(program->event, write_status, program);
	return program->status ? add_sockets(program) : -ENOMEM;
}

static void end(struct program *program)
{
	web_destroy(program->web);
	status_destroy(program->status);
	follower_destroy(program->follower);
	limit_destroy(program->limit);
	arrival_clock_close(&program->clock);
	standstill_destroy(program->standstill);
	sd_event_source_disable_unref(program->refusal_over);
	sd_event_unref(program->event);
	*program = (struct program){.options = program->options, .clock = {-1}};
}

static int run(struct program *program, int r)
{
	if (r >= 0)
		r = begin(program);
	if (r >= 0) {
		status_ready(program->status);
		r = sd_event_loop(program->event);
	}
	if (r < 0 && r != -EADDRNOTAVAIL)
		syslog(LOG_ERR, "%s", strerror(-r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* --- a wrong setting -------------------------------------------------------------------- */

static bool does_anybody_wait(void)
{
	for (int i = 0; i < sd_listen_fds(false); i++) {
		struct pollfd pollfd = {.fd = SD_LISTEN_FDS_START + i, .events = POLLIN};

		if (poll(&pollfd, 1, 0) > 0)
			return true;
	}
	return false;
}

static int on_refusal_over(sd_event_source *source, uint64_t usec, void *userdata)
{
	web_stop(((const struct program *)userdata)->web);
	return 0;
}

/* Answers all who connect, for some time. Returns 0 or a negative errno. */
static int refuse(struct program *program, const char *why)
{
	int r;

	r = create(program, NULL, NULL);
	if (r < 0)
		return r;
	program->web_options.refusal = why;
	r = timer_add(
		program->event, &program->refusal_over, ACCURACY_USEC, on_refusal_over, program);
	if (r >= 0)
		r = add_sockets(program);
	if (r < 0)
		return r;
	timer_start(program->refusal_over, REFUSAL_USEC);
	return sd_event_loop(program->event);
}

/*
 * A setting is wrong, and the service manager has passed sockets: those who wait there get an
 * answer, or they would start the program again and again. Returns the exit status.
 */
static int answer_wrong(struct program *program, const struct settings *settings)
{
	char error[SETTINGS_ERROR_TEXT_MAX];
	int r = 0;

	settings_error_text(&settings->errors[0], "a setting is wrong", error);
	settings_log(settings);
	sd_notifyf(0, "STATUS=%s", error);
	if (does_anybody_wait())
		r = refuse(
			program, web_settings_hide(&program->options) ? SETTINGS_SEE_LOG : error);
	if (r < 0)
		syslog(LOG_ERR, "%s", strerror(-r));
	return 2;
}

int main(int argc, char *argv[])
{
	struct program program = {.clock = {-1}};
	struct settings settings;
	int status, r = 0;

	descriptors_fill();
	signal(SIGPIPE, SIG_IGN);
	web_settings_read(&program.options, &settings, argv);
	if (settings.n_errors == 0) {
		/* Before the confinement, so that GnuTLS finds its files. */
		r = create(&program, program.options.cert, program.options.key);
		if (r == -EINVAL) {
			web_settings_refuse_cert(&settings);
			end(&program);
		}
	}
	if (sd_listen_fds(false) <= 0)
		settings_exit_if_wrong(&settings);

	log_open("led-web");
	variables_warn(environ);
	resolver_load();
	confine_log(*program.options.line.path ? confine_to_local() : confine_to_program());
	if (settings.n_errors > 0)
		status = answer_wrong(&program, &settings);
	else
		status = run(&program, r);
	end(&program);
	web_settings_free(&program.options);
	settings_free(&settings);
	return status;
}
