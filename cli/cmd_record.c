/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioasis record: runs a command with tracing on.
 *
 * Flight recorder (--snapshot): the buffers keep the last events only. A snapshot
 * is written when SIGUSR1 comes, when CMD fails, and when a rule is broken: every
 * now and then one is taken, checked, and thrown away if nothing is wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "analysis/analysis.h"
#include "analysis/check/check.h"
#include "cli/commands.h"
#include "cli/guard.h"
#include "cli/options.h"
#include "cli/remove.h"
#include "cli/tracing_session.h"
#include "sim/where/where.h"

struct options {
	struct tracing_config tracing;
	uint64_t every_ns; /* how often a snapshot is checked; 0: not given */
	bool where;
};

static bool set_every(void *opaque, const char *value)
{
	uint64_t *ns = &((struct options *)opaque)->every_ns;

	return cli_parse_ns(value, ns) && *ns >= 100000000;
}

/* A part of a URL: what would end it is refused. */
static bool set_to(void *opaque, const char *value)
{
	((struct options *)opaque)->tracing.host = value;
	return *value && strlen(value) < 256 && !strpbrk(value, "/ @?#");
}

static const struct cli_option option_table[] = {
	{ "output", 'o', "DIR", "the path of a folder",
	  "where the trace goes (default ioasis-trace-N)",
	  CLI_TEXT(struct options, tracing.output) },
	{ "to", 0, "HOST", "the name or address of a host, or HOST:CONTROL-PORT:DATA-PORT",
	  "send the trace to the relay daemon there (lttng-relayd)", .set = set_to },
	{ "snapshot", 0, NULL, NULL,
	  "keep the last events only; write them when SIGUSR1 comes, CMD fails or a rule breaks",
	  CLI_FLAG(struct options, tracing.snapshot) },
	{ "every", 0, "TIME", "a time of at least 100ms, as 2s",
	  "how often --snapshot looks whether a rule broke (default 2s)", .set = set_every },
	{ "lossless", 0, NULL, NULL,
	  "lose no event: programs wait for room (changes timing: not for latency)",
	  CLI_FLAG(struct options, tracing.lossless) },
	{ "addresses", 0, NULL, NULL, "record the programs' own addresses too",
	  CLI_FLAG(struct options, tracing.addresses) },
	{ "where", 0, NULL, NULL,
	  "record the call stack of each call that ioasis exec or serve in CMD answers",
	  CLI_FLAG(struct options, where) },
	{ .name = NULL },
};

static const struct cli_command command = {
	.name = "record",
	.synopsis = "[OPTIONS] -- CMD [ARG...]",
	.summary = "Runs CMD with tracing on and writes the trace.",
	.details = "The exit status is CMD's (126 it cannot be run, 127 not found, 128+N signal N).\n"
		   "A session daemon of its own is started when none runs, and ended.\n\n"
		   "Examples:\n"
		   "  ioasis record -o trace -- ./my-vmm\n"
		   "  ioasis record -- ioasis exec -- ./my-vmm      on a fake device\n"
		   "  ioasis record --where -- ioasis exec -- ./my-vmm   findings with call stacks\n"
		   "  ioasis record --snapshot --every 1s -- ./my-vmm\n"
		   "  ioasis record --to collector.example -- ./my-vmm",
	.options = option_table,
	.stops_at_argument = true,
	.error_status = 3,
};

/* ---- the output folder ---------------------------------------------------------- */

/* Makes *output, or the first ioasis-trace-N that is free. 0 or the exit status. */
static int make_output(const char **output, char name[64])
{
	if (*output) {
		if (!mkdir(*output, 0777))
			return 0;
		if (errno != EEXIST)
			return cli_fail(&command, "%s: %s", *output, strerror(errno));
		/* An empty folder will do. */
		if (!rmdir(*output) && !mkdir(*output, 0777))
			return 0;
		return cli_fail(&command, "%s is there and not an empty folder; give another -o",
				*output);
	}
	for (int n = 1; n < 100000; n++) {
		snprintf(name, 64, "ioasis-trace-%d", n);
		if (!mkdir(name, 0777)) {
			*output = name;
			return 0;
		}
		if (errno != EEXIST)
			break;
	}
	return cli_fail(&command, "%s: %s", name, strerror(errno));
}

/* ---- CMD ------------------------------------------------------------------------ */

static volatile sig_atomic_t wants_snapshot, wants_end;

static void on_signal(int number)
{
	if (number == SIGUSR1)
		wants_snapshot = 1;
	else if (number != SIGCHLD)
		wants_end = number;
}

static const int watched_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGCHLD };
#define WATCHED_SIGNALS (sizeof(watched_signals) / sizeof(watched_signals[0]))

static void block_signals(sigset_t *old)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < WATCHED_SIGNALS; i++) {
		sigaddset(&set, watched_signals[i]);
		sigaction(watched_signals[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &set, old);
}

/* *failure: becomes readable when argv cannot be run, and ends otherwise. */
static pid_t start_command(char **argv, const sigset_t *mask, int *failure)
{
	int fds[2], err;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -1;
	pid = fork();
	if (pid) {
		err = errno;
		close(fds[1]);
		if (pid < 0)
			close(fds[0]);
		*failure = fds[0];
		errno = err;
		return pid;
	}
	/* One that came while the session started, and is passed on, ends this process already. */
	for (size_t i = 0; i < WATCHED_SIGNALS; i++)
		signal(watched_signals[i], SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	err = errno;
	fprintf(stderr, "ioasis record: cannot run %s: %s\n", argv[0], strerror(err));
	if (write(fds[1], &err, sizeof(err)) != sizeof(err))
		abort();
	_exit(err == ENOENT ? 127 : 126);
}

/* After the end of the command: whether it could not be run at all. */
static bool could_not_run(int failure)
{
	int err;
	bool failed = read(failure, &err, sizeof(err)) == sizeof(err);

	close(failure);
	return failed;
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- snapshots ------------------------------------------------------------------ */

struct recorder {
	struct tracing_session session;
	const struct options *options;
	unsigned int snapshots;
	pid_t pid;
};

/* Whether a snapshot shows a broken rule; says which. */
static bool shows_violation(char *path)
{
	struct analysis *analysis = analysis_create();
	struct check *check = analysis ? check_create(analysis, NULL) : NULL;
	const struct check_finding *findings;
	char error[512];
	bool broken = false;
	size_t count;

	if (check) {
		analysis_set_still_running(analysis);
		broken = !analysis_read(analysis, &path, 1, error, sizeof(error)) &&
			 check_verdict(check) == VERDICT_VIOLATION;
		findings = check_findings(check, &count);
		for (size_t i = 0; broken && i < count; i++) {
			if (findings[i].verdict != VERDICT_VIOLATION)
				continue;
			fprintf(stderr, "ioasis record: %s: %s\n",
				check_rule_name(findings[i].rule), findings[i].cause);
			break;
		}
	}
	check_destroy(check);
	analysis_destroy(analysis);
	return broken;
}

/* A reader that ends its program must not end the recording. */
static int shows_violation_in_child(void *path)
{
	return shows_violation(path);
}

/* Takes a snapshot; kept when why says so, or (why NULL) when it shows a broken rule. */
static void take_snapshot(struct recorder *recorder, const char *why)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/snapshot-%u", recorder->session.output,
		 recorder->snapshots + 1);
	if (tracing_session_snapshot(&recorder->session, path)) {
		if (why)
			fprintf(stderr, "ioasis record: %s\n", recorder->session.error);
		cli_remove_tree(path);
		return;
	}
	if (!why && guard_try(shows_violation_in_child, path) != 1) {
		cli_remove_tree(path);
		return;
	}
	recorder->snapshots++;
	fprintf(stderr, "ioasis record: snapshot (%s): %s\n", why ? why : "a rule is broken", path);
}

/* ---- waiting -------------------------------------------------------------------- */

/* Waits for CMD; meanwhile answers signals and takes snapshots. Returns its wait status. */
static int wait_for_command(struct recorder *recorder, const sigset_t *mask)
{
	bool snapshot = recorder->options->tracing.snapshot;
	uint64_t every_ns = recorder->options->every_ns;
	struct timespec every = { (time_t)(every_ns / 1000000000), (long)(every_ns % 1000000000) };
	bool broken = false;
	sigset_t watched;
	int status;

	sigemptyset(&watched);
	sigaddset(&watched, SIGINT);
	sigaddset(&watched, SIGTERM);
	sigaddset(&watched, SIGHUP);
	sigaddset(&watched, SIGQUIT);
	sigaddset(&watched, SIGUSR1);
	sigaddset(&watched, SIGCHLD);
	(void)mask;
	while (waitpid(recorder->pid, &status, WNOHANG) != recorder->pid) {
		unsigned int before = recorder->snapshots;
		siginfo_t info;
		int number = snapshot && !broken ? sigtimedwait(&watched, &info, &every)
						 : sigwaitinfo(&watched, &info);

		if (number == SIGUSR1 && snapshot)
			take_snapshot(recorder, "SIGUSR1");
		else if (number == SIGTERM || number == SIGHUP)
			kill(recorder->pid, number); /* a terminal's signals reach CMD alone */
		else if (number == SIGINT && info.si_code <= 0)
			kill(recorder->pid, number);
		else if (number < 0 && errno == EAGAIN && snapshot) {
			take_snapshot(recorder, NULL);
			broken = recorder->snapshots > before; /* one is enough of what goes on */
		}
	}
	return status;
}

int cmd_record(int argc, char **argv)
{
	struct options options = { .every_ns = 0 };
	struct recorder recorder = { .options = &options };
	int first, failure, status = 3;
	const char *why;
	char name[64];
	sigset_t mask;

	first = cli_parse(&command, argc, argv, &options, &status);
	if (first < 0)
		return status;
	if (first == argc)
		return cli_fail(&command,
				"no command given; ioasis record [OPTIONS] -- CMD [ARG...]");
	if (options.every_ns && !options.tracing.snapshot)
		return cli_fail(&command, "--every says how often --snapshot looks; give both");
	if (options.tracing.lossless && options.tracing.snapshot)
		return cli_fail(&command, "--snapshot keeps the last events only, --lossless all; "
					  "give one of them");
	if (options.tracing.host && (options.tracing.output || options.tracing.snapshot))
		return cli_fail(&command, "--to sends the trace away; -o and --snapshot keep it here: "
					  "give one of them");
	if (options.where && !where_is_supported(&why))
		return cli_fail(&command, "--where: %s", why);
	if (options.where)
		setenv("IOASIS_WHERE", "1", 1);
	if (!options.every_ns)
		options.every_ns = 2000000000;
	status = options.tracing.host ? 0 : make_output(&options.tracing.output, name);
	if (status)
		return status;
	block_signals(&mask);
	if (tracing_session_start(&recorder.session, &options.tracing)) {
		if (options.tracing.output)
			rmdir(options.tracing.output);
		return cli_fail(&command, "%s", recorder.session.error);
	}
	recorder.pid = start_command(argv + first, &mask, &failure);
	if (recorder.pid < 0) {
		int err = errno;

		tracing_session_end(&recorder.session);
		if (options.tracing.output)
			cli_remove_tree(options.tracing.output);
		return cli_fail(&command, "fork: %s", strerror(err));
	}
	status = exit_status(wait_for_command(&recorder, &mask));
	if (could_not_run(failure)) {
		tracing_session_end(&recorder.session);
		if (options.tracing.output)
			cli_remove_tree(options.tracing.output);
		return status;
	}
	if (options.tracing.snapshot && status)
		take_snapshot(&recorder, "the command failed");
	else if (options.tracing.snapshot)
		take_snapshot(&recorder, NULL);
	if (tracing_session_end(&recorder.session))
		return cli_fail(&command, "the trace may not be whole: %s", recorder.session.error);
	if (options.tracing.host)
		fprintf(stderr, "ioasis record: trace at %s, session %s\n", options.tracing.host,
			recorder.session.name);
	else if (!options.tracing.snapshot)
		fprintf(stderr, "ioasis record: trace in %s\n", options.tracing.output);
	return status;
}
