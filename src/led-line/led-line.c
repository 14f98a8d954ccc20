/* SPDX-License-Identifier: MIT */

/* led-line: holds the lines of LEDs, and carries out the commands that come to its sockets. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "address.h"
#include "arrival.h"
#include "configuration.h"
#include "confine.h"
#include "descriptors.h"
#include "leds.h"
#include "listen.h"
#include "log.h"
#include "resolver.h"
#include "server.h"
#include "service.h"
#include "store.h"
#include "variables.h"
#include "watchers.h"

struct program {
	struct configuration configuration;
	char wrong[LEDS_WRONG_MAX]; /* with the settings */
	char **names;               /* of the passed descriptors */
	int n_passed;               /* of those; or a negative errno */
	sd_event *event;
	struct arrival_clock clock;
	struct leds *leds;
	struct watchers *watchers;
	struct server *server;
	unsigned n_sockets;
	struct made {
		const char *path;
		struct stat st;
	} made[LISTEN_ADDRESSES]; /* sockets with paths, ours to remove */
	unsigned n_made;
	bool let_go; /* a descriptor from the store was not for us, and was removed */
	bool stopping;
	bool explained; /* the reason why the program ends is logged already */
};

static bool is_listening(int fd)
{
	return sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) > 0;
}

static int serve(struct program *program, int fd)
{
	int r = server_add_socket(program->server, fd);

	if (r >= 0)
		program->n_sockets++;
	return r;
}

/* Closes a descriptor from the store that we have no use for. The store may keep its copy. */
static void let_go(struct program *program, int fd, const char *name)
{
	close(fd);
	if (configuration_keeps(&program->configuration, name))
		return;
	if (!store_name_is_ours(name))
		syslog(LOG_NOTICE, "closing the unknown descriptor \"%s\"", name);
	else
		syslog(LOG_DEBUG, "closing \"%s\", which belongs to another LED", name);
	store_remove(name);
	program->let_go = true;
}

/*
 * Takes the descriptors that the service manager passes: listening sockets, and those that an
 * earlier process stored. A descriptor of another LED, or of a newer version, is closed and
 * removed from the store. This comes before a line is requested: it may still hold that line.
 */
static int take_passed(struct program *program)
{
	int r = 0;

	for (int i = 0; i < program->n_passed; i++) {
		int fd = SD_LISTEN_FDS_START + i;
		const char *name = program->names[i];

		if (r >= 0 && is_listening(fd)) {
			r = serve(program, fd);
		} else if (!leds_inherit(program->leds, fd, name)) {
			let_go(program, fd, name);
		}
	}
	if (program->let_go)
		store_flush();
	return r;
}

/* Opens a socket of our own. Returns 0, or a negative errno and has said why. */
static int listen_ourselves(struct program *program, const struct address *address)
{
	char text[ADDRESS_TEXT_MAX];
	int fds[LISTEN_MAX], n, r = 0;
	const char *why = "no address";

	n = listen_on(address, fds, &why);
	if (n < 0) {
		syslog(LOG_ERR, "cannot listen on %s: %s", address_text(address, text), why);
		program->explained = true;
		return -EADDRNOTAVAIL;
	}
	if (*address->path) {
		struct made *made = &program->made[program->n_made++];

		made->path = address->path;
		lstat(made->path, &made->st);
	}
	for (int i = 0; i < n && r >= 0; i++)
		r = serve(program, fds[i]);
	return r;
}

/* Whether sockets were passed: among the service manager's n descriptors, or by inetd. */
static bool has_sockets(int n)
{
	for (int i = 0; i < n; i++)
		if (is_listening(SD_LISTEN_FDS_START + i))
			return true;
	return is_listening(STDIN_FILENO);
}

/*
 * Confines the process. With passed sockets it connects to nothing but the log, so connecting is
 * forbidden: a passed socket belongs to the network of its maker, and could reach hosts that the
 * unit must not (PrivateNetwork=).
 */
static void confine(bool has_its_sockets)
{
	if (!has_its_sockets)
		resolver_load();
	confine_log(has_its_sockets && log_connect() ? confine_to_server() : confine_to_program());
}

/*
 * A stop: first the disk gets the newest states, while clients are served as ever; then those that
 * are connected are answered; then the disk gets what they have changed, and what they change
 * meanwhile.
 */
static void on_saved_again(void *userdata)
{
	struct program *program = userdata;

	if (leds_are_saved(program->leds))
		sd_event_exit(program->event, EXIT_SUCCESS);
	else
		leds_flush(program->leds, on_saved_again, program);
}

static void on_stopped(void *userdata)
{
	leds_flush(((struct program *)userdata)->leds, on_saved_again, userdata);
}

static void on_saved(void *userdata)
{
	server_stop(((struct program *)userdata)->server, on_stopped, userdata);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct program *program = userdata;

	if (program->stopping)
		return 0;
	program->stopping = true;
	sd_notify(0, "STOPPING=1");
	leds_flush(program->leds, on_saved, program);
	return 0;
}

/* Creates the LEDs. Returns 0 or a negative errno. */
static int add_leds(struct program *program)
{
	const struct definitions *definitions = &program->configuration.leds;
	int r = 0;

	program->leds = leds_create(program->event, &program->clock, program->wrong);
	if (!program->leds)
		return -ENOMEM;
	for (unsigned i = 0; i < definitions->n && r >= 0; i++)
		r = leds_add(program->leds, &definitions->list[i], definitions->leds[i]);
	if (definitions->left_out)
		leds_leave_out(program->leds);
	return r;
}

static int set_up(struct program *program)
{
	const struct configuration *configuration = &program->configuration;
	int r;

	if (program->n_passed < 0)
		return program->n_passed;
	confine(configuration->has_sockets);

	r = service_create(&program->event, on_signal, program);
	arrival_clock_open(&program->clock);
	if (r >= 0)
		r = add_leds(program);
	if (r < 0)
		return r;
	program->watchers = watchers_create(program->event, program->leds);
	if (!program->watchers)
		return -ENOMEM;
	program->server = server_create(program->event, &program->clock, configuration->allow,
		program->leds, program->watchers);
	if (!program->server)
		return -ENOMEM;

	r = take_passed(program);
	if (r >= 0 && program->n_sockets == 0 && is_listening(STDIN_FILENO))
		r = serve(program, STDIN_FILENO);
	if (r >= 0 && program->n_sockets == 0)
		for (unsigned i = 0; i < configuration->n_listen && r >= 0; i++)
			r = listen_ourselves(program, &configuration->listen[i]);
	if (r < 0)
		return r;
	return leds_start(program->leds, program->let_go);
}

/* Removes a socket's path if it is still ours. */
static void remove_made(const struct made *made)
{
	struct stat st;

	if (lstat(made->path, &st) == 0 && st.st_dev == made->st.st_dev &&
		st.st_ino == made->st.st_ino)
		unlink(made->path);
}

/* Each wrong setting is a line in the log, and is in the status. */
static void log_wrong(struct program *program)
{
	settings_log(&program->configuration.settings);
	configuration_wrong(&program->configuration, program->wrong, sizeof program->wrong);
}

int main(int argc, char *argv[])
{
	struct program program = {.clock.fd = -1};
	int r;

	descriptors_fill();
	/* First of all: later, a descriptor of ours could be taken for a passed one. */
	program.n_passed = sd_listen_fds_with_names(true, &program.names);
	configuration_read(&program.configuration, argv, has_sockets(program.n_passed));

	log_open("led-line");
	log_wrong(&program);
	variables_warn(environ);
	r = set_up(&program);
	if (r >= 0) {
		leds_ready(program.leds);
		r = sd_event_loop(program.event);
	}
	if (r < 0 && !program.explained)
		syslog(LOG_ERR, "%s", strerror(-r));

	server_destroy(program.server);
	for (unsigned i = 0; i < program.n_made; i++)
		remove_made(&program.made[i]);
	watchers_destroy(program.watchers);
	leds_destroy(program.leds);
	arrival_clock_close(&program.clock);
	sd_event_unref(program.event);
	configuration_free(&program.configuration);
	for (int i = 0; i < program.n_passed; i++)
		free(program.names[i]);
	free(program.names);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
