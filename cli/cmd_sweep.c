/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioasis sweep: a scenario with many settings and seeds.
 *
 * Prints one command a line or a script for a cluster, or runs them with -j at once. A result
 * that is there already is not computed again.
 */
#include "cli/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/progress.h"
#include "cli/shipped_scenarios.h"
#include "cli/sweep.h"
#include "cli/sweep_plan.h"
#include "sim/scenario/load.h"

#define JOBS_MAX 1024
/* What Slurm takes in an array unless its administrator says more (MaxArraySize). */
#define TASKS_DEFAULT_MAX 1000

struct options {
	struct sweep sweep;
	uint64_t jobs;
	uint64_t share, shares; /* which of how many tasks; shares 0: all of it */
	uint64_t tasks;
	const char *dir;
	bool slurm, parallel;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

static bool set_vary(void *opaque, const char *value)
{
	return sweep_vary(&((struct options *)opaque)->sweep, value);
}

/* Splits "A SEPARATOR B" into two numbers. */
static bool parse_pair(const char *value, const char *separator, uint64_t *a, uint64_t *b)
{
	const char *at = strstr(value, separator);
	char first[24];

	if (!at || at - value >= (ptrdiff_t)sizeof(first))
		return false;
	memcpy(first, value, (size_t)(at - value));
	first[at - value] = 0;
	return cli_parse_u64(first, a) && cli_parse_u64(at + strlen(separator), b);
}

/* N or FIRST..LAST */
static bool set_seeds(void *opaque, const char *value)
{
	struct sweep *sweep = &((struct options *)opaque)->sweep;

	if (!strstr(value, "..")) {
		if (!cli_parse_u64(value, &sweep->first_seed))
			return false;
		sweep->last_seed = sweep->first_seed;
		return true;
	}
	return parse_pair(value, "..", &sweep->first_seed, &sweep->last_seed) &&
	       sweep->first_seed <= sweep->last_seed &&
	       sweep->last_seed - sweep->first_seed < 1000000;
}

static bool set_jobs(void *opaque, const char *value)
{
	struct options *options = opaque;

	return cli_parse_u64(value, &options->jobs) && options->jobs && options->jobs <= JOBS_MAX;
}

static bool set_share(void *opaque, const char *value)
{
	struct options *options = opaque;

	return parse_pair(value, "/", &options->share, &options->shares) &&
	       options->share < options->shares;
}

static bool set_tasks(void *opaque, const char *value)
{
	struct options *options = opaque;

	return cli_parse_u64(value, &options->tasks) && options->tasks &&
	       options->tasks <= 1000000;
}

static const struct cli_option option_table[] = {
	{ "vary", 0, "KEY=A,B,...", "SECTION.KEY=VALUE,VALUE...; up to 8 times",
	  "one run for each value (and each combination)", .set = set_vary },
	{ "seeds", 0, "FIRST..LAST", "a number or FIRST..LAST", "one run for each (default 1)",
	  .set = set_seeds },
	{ "output", 'o', "DIR", "a directory", "where results go (default ioasis-sweep)",
	  CLI_TEXT(struct options, dir) },
	{ "jobs", 'j', "N", "a number from 1 to 1024",
	  "run them, so many at once, instead of printing them", .set = set_jobs },
	{ "slurm", 0, NULL, NULL, "print a script for sbatch: an array of tasks",
	  CLI_FLAG(struct options, slurm) },
	{ "parallel", 0, NULL, NULL, "print a script that runs the tasks with GNU parallel",
	  CLI_FLAG(struct options, parallel) },
	{ "tasks", 0, "N", "a number from 1 to 1000000",
	  "of the script, which share the runs (default one a run, 1000 at most)",
	  .set = set_tasks },
	{ "share", 0, "I/N", "I/N, with I from 0 to N-1",
	  "run only every Nth run, from the Ith on: a task's", .set = set_share },
	{ 0 },
};

static const struct cli_command command = {
	.name = "sweep",
	.synopsis = "SCENARIO --vary KEY=A,B,... [OPTIONS]",
	.summary = "Runs a scenario for many settings and seeds.",
	.details =
		"SCENARIO is a file, or a name that 'ioasis simulate --list' shows.\n"
		"Without -j it prints the commands, one a line; they need no PATH and no current\n"
		"folder. 'ioasis merge DIR' joins the results, and says which are missing.\n\n"
		"Examples:\n"
		"  ioasis sweep nic --vary nic.rate=10G,25G --seeds 1..20 -j 4\n"
		"  ioasis sweep nic --seeds 1..500 --slurm >job; sbatch job\n"
		"  ioasis sweep nic --seeds 1..500 --parallel >job; sh job --jobs 8",
	.options = option_table,
	.error_status = 3,
};

/* A mistake is told at once, not by each of many runs. */
static bool settings_hold(const struct sweep *sweep)
{
	char error[SCENARIO_ERROR_BYTES];
	const char *settings[SWEEP_VARIES_MAX];
	struct scenario scenario;
	struct sweep_run run;

	for (uint64_t i = 0; i < sweep_combinations(sweep); i++) {
		sweep_run(sweep, i, &run);
		for (size_t k = 0; k < sweep->varies_count; k++)
			settings[k] = run.settings[k];
		if (scenario_load(sweep->scenario, settings, sweep->varies_count, &scenario,
				  error)) {
			fprintf(stderr, "%s\n", error);
			return false;
		}
		scenario_fini(&scenario);
	}
	return true;
}

/* ---- many runs ------------------------------------------------------------------- */

static pid_t start_run(const struct sweep_run *run)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	setenv(PROGRESS_OFF, "1", 1);
	execv("/proc/self/exe", (char *const *)run->words);
	_exit(127);
}

/* Waits for one; false: it failed. */
static bool await_run(unsigned int *running)
{
	int status;

	while (wait(&status) < 0) {
		if (errno != EINTR)
			return false;
	}
	(*running)--;
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static int run_all(const struct options *options)
{
	const struct sweep *sweep = &options->sweep;
	struct progress progress;
	uint64_t step = options->shares ? options->shares : 1;
	uint64_t count = 0, failed = 0, there = 0;
	unsigned int running = 0;
	uint64_t total = (sweep_runs(sweep) + step - 1 - options->share) / step;
	struct sweep_run run;

	progress_begin(&progress, stderr, "runs");
	for (uint64_t i = options->share; i < sweep_runs(sweep) && !interrupted && !failed;
	     i += step) {
		sweep_run(sweep, i, &run);
		count++;
		if (!access(run.output, F_OK)) {
			there++;
			continue;
		}
		if (running == options->jobs)
			failed += !await_run(&running);
		if (start_run(&run) < 0) {
			failed++;
			break;
		}
		running++;
		if (progress_is_due(&progress))
			progress_show(&progress, count - there - running, count - running, total);
	}
	while (running)
		failed += !await_run(&running);
	progress_end(&progress);
	if (interrupted) {
		fprintf(stderr, "ioasis sweep: interrupted (%s); results so far are in %s, the same "
			"command goes on from there\n", strsignal(interrupted), options->dir);
		return 128 + interrupted;
	}
	if (failed)
		return cli_fail(&command, "a run failed; see above");
	printf("%" PRIu64 " results in %s (%" PRIu64 " were there already); "
	       "'ioasis merge %s' joins them\n",
	       count, options->dir, there, options->dir);
	return 0;
}

static bool is_folder(const char *path)
{
	struct stat st;
	int err = errno;
	bool is = !stat(path, &st) && S_ISDIR(st.st_mode);

	errno = err;
	return is;
}

static int find_program(char path[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);

	path[length < 0 ? 0 : length] = 0;
	return length < 0 ? cli_fail(&command, "/proc/self/exe: %s", strerror(errno)) : 0;
}

/* The sweep's paths, all absolute, and its folder. */
static int prepare(struct options *options, const char *scenario)
{
	struct sweep *sweep = &options->sweep;
	char error[SWEEP_PLAN_ERROR_BYTES], path[PATH_MAX];
	struct sweep_run run;
	const char *file;
	int status;

	file = shipped_scenario_file(&command, scenario, path, &status);
	if (!file)
		return status;
	if (!realpath(file, sweep->scenario)) /* the loader says what is wrong */
		snprintf(sweep->scenario, sizeof(sweep->scenario), "%s", file);
	status = find_program(sweep->program);
	if (status)
		return status;
	if (!sweep_run(sweep, 0, &run))
		return cli_fail(&command, "a value or the name of the directory is too long");
	if (!settings_hold(sweep))
		return 3;
	if (mkdir(options->dir, 0777) && (errno != EEXIST || !is_folder(options->dir)))
		return cli_fail(&command, "--output %s: %s", options->dir, strerror(errno));
	if (!realpath(options->dir, sweep->dir))
		return cli_fail(&command, "--output %s: %s", options->dir, strerror(errno));
	if (!sweep_run(sweep, sweep_runs(sweep) - 1, &run))
		return cli_fail(&command, "--output %s: the path is too long", options->dir);
	return sweep_plan_write(sweep, error) ? cli_fail(&command, "%s", error) : 0;
}

static int print_script(const struct options *options)
{
	uint64_t runs = sweep_runs(&options->sweep), tasks = options->tasks;

	if (!tasks)
		tasks = runs < TASKS_DEFAULT_MAX ? runs : TASKS_DEFAULT_MAX;
	if (tasks > runs)
		tasks = runs;
	if (options->slurm)
		sweep_print_slurm(&options->sweep, tasks, stdout);
	else
		sweep_print_parallel(&options->sweep, tasks, stdout);
	return 0;
}

int cmd_sweep(int argc, char **argv)
{
	struct options options = {
		.sweep = { .first_seed = 1, .last_seed = 1 },
		.dir = "ioasis-sweep",
	};
	struct sigaction action = { .sa_handler = on_signal };
	struct sweep_run run;
	int status, first = cli_parse(&command, argc, argv, &options, &status);

	if (first < 0)
		return status;
	if (first == argc)
		return cli_fail(&command, "no scenario given; name a file, or one of "
					  "'ioasis simulate --list'");
	if (first != argc - 1)
		return cli_fail(&command, "more than one scenario: %s and %s; name one",
				argv[first], argv[first + 1]);
	if (options.slurm + options.parallel + (options.jobs || options.shares) > 1)
		return cli_fail(&command,
				"--slurm, --parallel and -j or --share exclude each other");
	if (options.tasks && !options.slurm && !options.parallel)
		return cli_fail(&command, "--tasks needs --slurm or --parallel");
	status = prepare(&options, argv[first]);
	if (status)
		return status;
	if (options.slurm || options.parallel)
		return print_script(&options);
	if (options.jobs || options.shares) {
		options.jobs = options.jobs ? options.jobs : 1;
		sigaction(SIGINT, &action, NULL);
		sigaction(SIGTERM, &action, NULL);
		return run_all(&options);
	}
	for (uint64_t i = 0; i < sweep_runs(&options.sweep); i++) {
		sweep_run(&options.sweep, i, &run);
		sweep_print_words(run.words, stdout);
		putchar('\n');
	}
	return 0;
}
