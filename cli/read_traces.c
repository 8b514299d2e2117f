/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/read_traces.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "cli/guard.h"
#include "cli/progress.h"
#include "cli/trace_input.h"

#define PROGRESS_EVERY 65536u /* events between two looks at the clock */

struct shown {
	struct progress progress;
	const struct analysis *analysis;
	uint64_t events;
};

/* For the signal handler: which live session is being read. */
static struct analysis *reading;
static volatile sig_atomic_t signal_number;

static void on_signal(int number)
{
	signal_number = number;
	if (reading)
		analysis_stop(reading);
}

static void on_event(void *opaque, const struct event *event)
{
	struct shown *shown = opaque;
	uint64_t done, total;

	(void)event;
	if (++shown->events % PROGRESS_EVERY || !progress_is_due(&shown->progress))
		return;
	analysis_bytes(shown->analysis, &done, &total);
	progress_show(&shown->progress, shown->events, done, total);
}

/* A reader holds a file open for each stream: as many as the system lets us. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/*
 * A live session ends at a signal, and what was seen till then is shown; a stored one is to be
 * read whole, or not at all (guard.h).
 */
static void follow_signals(struct analysis *analysis, char *const *paths, int count)
{
	/* A second signal ends it at once. */
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };

	for (int i = 0; i < count; i++) {
		if (!analysis_is_live(paths[i]))
			continue;
		reading = analysis;
		guard_take_signals();
		sigaction(SIGINT, &action, NULL);
		sigaction(SIGTERM, &action, NULL);
		return;
	}
}

int cli_read_traces(const struct cli_command *command, struct analysis *analysis,
		    char *const *paths, int count)
{
	static const struct analysis_observer observer = { .event = on_event };
	struct shown shown = { .analysis = analysis };
	char error[512] = "", *where;
	struct trace_input input;
	size_t where_size;
	int ret;

	raise_file_limit();
	follow_signals(analysis, paths, count);
	progress_begin(&shown.progress, guard_library_begin(paths[0]), "events");
	if (shown.progress.on)
		analysis_observe(analysis, &observer, &shown);
	where = guard_reading(&where_size);
	analysis_tell_path(analysis, where, where_size);
	ret = trace_input_open(&input, paths, (size_t)count, error, sizeof(error));
	if (!ret) {
		ret = analysis_read(analysis, input.paths, input.count, error, sizeof(error));
		if (ret)
			trace_input_rename(&input, error, sizeof(error));
		trace_input_close(&input);
	}
	progress_end(&shown.progress);
	guard_library_end();
	reading = NULL;
	if (signal_number)
		guard_interrupted(signal_number);
	return ret ? cli_fail(command, "%s", error[0] ? error : strerror(-ret)) : 0;
}
