/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/read_traces.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PROGRESS_EVERY 65536u /* events between two looks at the clock */
#define PROGRESS_NS 200000000

struct progress {
	uint64_t events;
	int64_t shown_ns; /* when it was last shown */
	bool shown;
};

/* For the signal handler: which analysis is being read. */
static struct analysis *reading;

static void on_signal(int number)
{
	(void)number;
	if (reading)
		analysis_stop(reading);
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static void on_event(void *opaque, const struct event *event)
{
	struct progress *progress = opaque;

	(void)event;
	if (++progress->events % PROGRESS_EVERY || now_ns() - progress->shown_ns < PROGRESS_NS)
		return;
	progress->shown_ns = now_ns();
	progress->shown = true;
	fprintf(stderr, "\r%" PRIu64 ".%" PRIu64 " million events read",
		progress->events / 1000000, progress->events / 100000 % 10);
}

int cli_read_traces(const struct cli_command *command, struct analysis *analysis,
		    char *const *paths, int count)
{
	static const struct analysis_observer observer = { .event = on_event };
	/* A second signal ends it at once: babeltrace2 may be stuck in a damaged trace. */
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };
	struct sigaction old_int, old_term;
	struct progress progress = { .shown_ns = now_ns() };
	char error[512] = "";
	int ret;

	if (isatty(STDERR_FILENO))
		analysis_observe(analysis, &observer, &progress);
	reading = analysis;
	sigaction(SIGINT, &action, &old_int);
	sigaction(SIGTERM, &action, &old_term);
	ret = analysis_read(analysis, paths, (size_t)count, error, sizeof(error));
	sigaction(SIGINT, &old_int, NULL);
	sigaction(SIGTERM, &old_term, NULL);
	reading = NULL;
	if (progress.shown)
		fputs("\r\033[K", stderr);
	return ret ? cli_fail(command, "%s", error[0] ? error : strerror(-ret)) : 0;
}
