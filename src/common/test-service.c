/* SPDX-License-Identifier: MIT */
#include "service.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tap.h"

static uint32_t came;

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	CHECK(userdata == &came);
	came = info->ssi_signo;
	return 0;
}

TEST("SIGTERM and SIGINT come as events, one by one")
{
	sd_event *event = NULL;

	CHECK(service_create(&event, on_signal, &came) == 0);
	for (int i = 0; i < 2; i++) {
		kill(getpid(), i ? SIGTERM : SIGINT);
		CHECK(sd_event_run(event, 0) > 0);
		CHECK(came == (i ? SIGTERM : SIGINT));
	}
	CHECK(sd_event_get_watchdog(event) == 0);
	sd_event_unref(event);
}

TEST("the service manager's watchdog is answered")
{
	char pid[20];
	sd_event *event = NULL;

	snprintf(pid, sizeof pid, "%d", getpid());
	setenv("WATCHDOG_PID", pid, 1);
	setenv("WATCHDOG_USEC", "1000000", 1);
	setenv("NOTIFY_SOCKET", "@none", 1);
	CHECK(service_create(&event, on_signal, &came) == 0);
	CHECK(sd_event_get_watchdog(event) == 1);
	sd_event_unref(event);
}

TAP_MAIN
