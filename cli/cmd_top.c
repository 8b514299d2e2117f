/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioasis top: follows a running session, and shows who maps how much.
 *
 * One thread reads, the other shows every interval. The reading ends with the
 * session or with Ctrl-C; then the last interval is shown.
 *
 * With a command, the session is one of its own, live on a relay daemon of its own,
 * and ends with the command.
 */
#include <errno.h>
#include <json-c/json.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "analysis/analysis.h"
#include "analysis/stats/top.h"
#include "cli/commands.h"
#include "cli/guard.h"
#include "cli/lttng_programs.h"
#include "cli/options.h"
#include "cli/relay_daemon.h"
#include "cli/tracing_session.h"

struct top_options {
	uint64_t interval_ns;
	uint64_t count; /* intervals; 0: until the session ends */
	bool json;
};

static bool set_interval(void *opaque, const char *value)
{
	struct top_options *options = opaque;

	return cli_parse_ns(value, &options->interval_ns) && options->interval_ns >= 100000000;
}

static bool set_count(void *opaque, const char *value)
{
	struct top_options *options = opaque;

	return cli_parse_u64(value, &options->count) && options->count;
}

static const struct cli_option options_table[] = {
	{ "interval", 'i', "TIME", "a time of 100ms or more, as 1s", "how often (default 1s)",
	  .set = set_interval },
	{ "count", 'n', "N", "a number above 0", "end after N times (default: with the session)",
	  .set = set_count },
	{ "json", 0, NULL, NULL, "print a JSON object a line", CLI_FLAG(struct top_options, json) },
	{ 0 },
};

static const struct cli_command command = {
	.name = "top",
	.synopsis = "[OPTIONS] TRACE...\n       ioasis top [OPTIONS] -- CMD [ARG...]",
	.summary = "Shows who maps how much, while it happens.",
	.details = "TRACE is net://HOST/host/NAME/SESSION of a session made with `lttng create\n"
		   "--live`; `babeltrace2 -i lttng-live net://HOST` lists those of a relay daemon.\n"
		   "A folder with a trace is shown as a whole, once.\n\n"
		   "CMD is run with tracing on and followed to its end; the exit status is CMD's.\n"
		   "Its standard output goes to standard error. The daemons that this takes are\n"
		   "started, and ended with it.\n\n"
		   "Examples:\n"
		   "  ioasis top -- ioasis exec -- ./my-vmm\n"
		   "  ioasis top --json -i 200ms -- ./my-vmm\n"
		   "  ioasis top net://collector.example/host/vmhost/vm",
	.options = options_table,
	.error_status = 3,
};

/* The command that is followed, and what it takes. */
struct running {
	struct relay_daemon relay;
	struct tracing_session session;
	char **argv; /* NULL: none, a session of others is followed */
	pid_t pid;   /* 0: it has ended */
	int status;  /* its wait status then */
};

struct reader {
	struct analysis *analysis;
	char **traces;
	int traces_count;
	int ret;
	char error[512];
	bool done;
	pthread_mutex_t lock;
	pthread_cond_t wake;
};

static struct analysis *following;

static void on_signal(int number)
{
	(void)number;
	analysis_stop(following);
}

static void *reader_run(void *opaque)
{
	struct reader *reader = opaque;
	int ret = analysis_read(reader->analysis, reader->traces, (size_t)reader->traces_count,
				reader->error, sizeof(reader->error));

	pthread_mutex_lock(&reader->lock);
	reader->ret = ret;
	reader->done = true;
	pthread_cond_signal(&reader->wake);
	pthread_mutex_unlock(&reader->lock);
	return NULL;
}

/* Waits for the end of the interval; true when the reading has ended. */
static bool reader_wait(struct reader *reader, uint64_t interval_ns)
{
	struct timespec until;
	int ret = 0;
	bool done;

	clock_gettime(CLOCK_MONOTONIC, &until);
	interval_ns += (uint64_t)until.tv_nsec;
	until.tv_sec += (time_t)(interval_ns / 1000000000);
	until.tv_nsec = (long)(interval_ns % 1000000000);
	pthread_mutex_lock(&reader->lock);
	while (!reader->done && ret != ETIMEDOUT)
		ret = pthread_cond_timedwait(&reader->wake, &reader->lock, &until);
	done = reader->done;
	pthread_mutex_unlock(&reader->lock);
	return done;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void show(struct top *top, const struct top_options *options, uint64_t interval_ns)
{
	struct winsize size = { 0 };
	bool terminal = isatty(STDOUT_FILENO) && !options->json;
	unsigned int rows = 0;

	if (options->json) {
		struct json_object *json = top_to_json(top, interval_ns);

		puts(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN));
		json_object_put(json);
	} else {
		if (terminal && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row > 4)
			rows = size.ws_row - 4u;
		if (terminal)
			fputs("\033[H\033[J", stdout);
		top_print(top, interval_ns, rows, stdout);
		if (!terminal)
			putchar('\n');
	}
	fflush(stdout);
}

/* ---- the command ------------------------------------------------------------------- */

static pid_t command_start(char **argv)
{
	pid_t pid = fork();
	int err;

	if (pid)
		return pid;
	dup2(STDERR_FILENO, STDOUT_FILENO);
	execvp(argv[0], argv);
	err = errno;
	fprintf(stderr, "ioasis top: cannot run %s: %s\n", argv[0], strerror(err));
	_exit(err == ENOENT ? 127 : 126);
}

/* Starts all of it. 0 or the exit status. */
static int running_start(struct running *running, const struct top_options *options, char *url,
			 size_t url_size)
{
	struct tracing_config config = { .host = running->relay.host };

	/* What is shown is half an interval old at most, or 100 ms. */
	config.live_us = (unsigned int)(options->interval_ns / 2000);
	if (config.live_us < 100000)
		config.live_us = 100000;
	if (relay_daemon_start(&running->relay))
		return cli_fail(&command, "%s", running->relay.error);
	if (tracing_session_start(&running->session, &config)) {
		relay_daemon_stop(&running->relay);
		return cli_fail(&command, "%s", running->session.error);
	}
	relay_daemon_url(&running->relay, running->session.name, url, url_size);
	running->pid = command_start(running->argv);
	if (running->pid < 0) {
		int err = errno;

		tracing_session_end(&running->session);
		relay_daemon_stop(&running->relay);
		return cli_fail(&command, "fork: %s", strerror(err));
	}
	return 0;
}

/* Ends the session when the command has ended, so that the reading ends, too. */
static void running_look(struct running *running)
{
	if (!running->pid || waitpid(running->pid, &running->status, WNOHANG) != running->pid)
		return;
	running->pid = 0;
	tracing_session_end(&running->session);
}

/* Ends what still runs. The exit status of the command. */
static int running_end(struct running *running)
{
	if (running->pid) {
		kill(running->pid, SIGTERM);
		if (!lttng_wait(running->pid, 5000, &running->status)) {
			kill(running->pid, SIGKILL);
			waitpid(running->pid, &running->status, 0);
		}
		running->pid = 0;
		tracing_session_end(&running->session);
	}
	relay_daemon_stop(&running->relay);
	return WIFSIGNALED(running->status) ? 128 + WTERMSIG(running->status) :
					      WEXITSTATUS(running->status);
}

/* ---- following ------------------------------------------------------------------------ */

/* Waits for the end of the interval; true when the reading has ended. */
static bool interval_wait(struct reader *reader, struct running *running, uint64_t interval_ns)
{
	const uint64_t slice_ns = 50000000;
	uint64_t until_ns = now_ns() + interval_ns;
	bool done = false;

	if (!running->argv)
		return reader_wait(reader, interval_ns);
	for (uint64_t at = now_ns(); !done && at < until_ns; at = now_ns()) {
		done = reader_wait(reader, until_ns - at < slice_ns ? until_ns - at : slice_ns);
		running_look(running);
	}
	return done;
}

static int follow(struct reader *reader, struct top *top, const struct top_options *options,
		  struct running *running)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };
	uint64_t shown_ns = now_ns(), shown = 0;
	size_t where_size;
	pthread_t thread;
	bool done = false;
	char *where;

	guard_library_begin(reader->traces[0]);
	where = guard_reading(&where_size);
	analysis_tell_path(reader->analysis, where, where_size);
	following = reader->analysis;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (pthread_create(&thread, NULL, reader_run, reader)) {
		guard_library_end();
		return cli_fail(&command, "cannot start a thread");
	}
	while (!done && (!options->count || shown < options->count)) {
		done = interval_wait(reader, running, options->interval_ns);
		if (done && reader->ret)
			break;
		show(top, options, now_ns() - shown_ns);
		shown_ns = now_ns();
		shown++;
	}
	analysis_stop(reader->analysis);
	pthread_join(thread, NULL);
	guard_library_end();
	if (reader->ret == -ENODATA && running->argv) {
		fprintf(stderr, "ioasis top: %s: nothing of it was traced\n", running->argv[0]);
		return 0;
	}
	if (reader->ret && done)
		return cli_fail(&command, "%s", reader->error);
	return 0;
}

int cmd_top(int argc, char **argv)
{
	struct top_options options = { .interval_ns = 1000000000 };
	struct reader reader = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct running running = { .pid = 0 };
	char url[512], *urls[] = { url };
	pthread_condattr_t attr;
	struct top *top;
	int status, first = cli_parse(&command, argc, argv, &options, &status);

	if (first < 0)
		return status;
	if (first == argc)
		return cli_fail(&command, "no trace given; say net://HOST/host/NAME/SESSION, or a "
					  "command: -- CMD [ARG...]");
	reader.traces = argv + first;
	reader.traces_count = argc - first;
	if (!strcmp(argv[first - 1], "--")) {
		running.argv = argv + first;
		status = running_start(&running, &options, url, sizeof(url));
		if (status)
			return status;
		reader.traces = urls;
		reader.traces_count = 1;
	}
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&reader.wake, &attr);
	reader.analysis = analysis_create();
	top = reader.analysis ? top_create(reader.analysis) : NULL;
	if (top)
		status = follow(&reader, top, &options, &running);
	else
		status = cli_fail(&command, "out of memory");
	if (running.argv) {
		int of_command = running_end(&running);

		status = status ? status : of_command;
	}
	top_destroy(top);
	analysis_destroy(reader.analysis);
	pthread_cond_destroy(&reader.wake);
	pthread_condattr_destroy(&attr);
	return status;
}
