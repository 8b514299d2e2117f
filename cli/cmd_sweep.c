/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioasis sweep: a scenario with many settings and seeds.
 *
 * Prints one command a line, for GNU parallel or a Slurm array, or runs them with
 * -j at once. A result that is there already is not computed again.
 */
#include "cli/commands.h"

#include <errno.h>
#include <fcntl.h>
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
#include "cli/shipped_scenarios.h"
#include "sim/scenario/load.h"

#define VARIES_MAX 8
#define VALUES_MAX 256
#define JOBS_MAX   1024
#define WORDS_MAX  (2 * VARIES_MAX + 12)

struct vary {
	const char *text; /* KEY=VALUE,VALUE... */
	size_t values_count;
};

struct options {
	struct vary varies[VARIES_MAX];
	size_t varies_count;
	uint64_t first_seed;
	uint64_t last_seed;
	uint64_t jobs;
	const char *dir;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

static bool set_vary(void *opaque, const char *value)
{
	struct options *options = opaque;
	const char *equals = strchr(value, '=');
	struct vary *vary;

	if (!equals || equals == value || !equals[1] || options->varies_count == VARIES_MAX)
		return false;
	vary = &options->varies[options->varies_count++];
	vary->text = value;
	vary->values_count = 1;
	for (const char *c = equals; *c; c++)
		vary->values_count += *c == ',';
	return vary->values_count <= VALUES_MAX;
}

/* N or FIRST..LAST */
static bool set_seeds(void *opaque, const char *value)
{
	struct options *options = opaque;
	const char *dots = strstr(value, "..");
	char first[24];

	if (!dots) {
		options->last_seed = 0;
		if (!cli_parse_u64(value, &options->first_seed))
			return false;
		options->last_seed = options->first_seed;
		return true;
	}
	if (dots - value >= (ptrdiff_t)sizeof(first))
		return false;
	memcpy(first, value, (size_t)(dots - value));
	first[dots - value] = 0;
	return cli_parse_u64(first, &options->first_seed) &&
	       cli_parse_u64(dots + 2, &options->last_seed) &&
	       options->first_seed <= options->last_seed &&
	       options->last_seed - options->first_seed < 1000000;
}

static bool set_jobs(void *opaque, const char *value)
{
	struct options *options = opaque;

	return cli_parse_u64(value, &options->jobs) && options->jobs && options->jobs <= JOBS_MAX;
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
	{ 0 },
};

static const struct cli_command command = {
	.name = "sweep",
	.synopsis = "SCENARIO --vary KEY=A,B,... [OPTIONS]",
	.summary = "Runs a scenario for many settings and seeds.",
	.details =
		"SCENARIO is a file, or a name that 'ioasis simulate --list' shows.\n"
		"Without -j it prints the commands, one a line: pipe them into parallel, or let\n"
		"each task of a Slurm array run its line. 'ioasis merge DIR' joins the results.",
	.options = option_table,
	.error_status = 3,
};

/* ---- one run ------------------------------------------------------------------- */

struct run {
	char settings[VARIES_MAX][256];
	char seed[24];
	char output[PATH_MAX];
	const char *words[WORDS_MAX]; /* the command, ended by NULL */
};

/* Value number `index` of vary as KEY=VALUE. */
static bool print_setting(const struct vary *vary, size_t index, char *buf, size_t size)
{
	const char *value = strchr(vary->text, '=') + 1;

	for (; index; index--)
		value = strchr(value, ',') + 1;
	return snprintf(buf, size, "%.*s%.*s", (int)(strchr(vary->text, '=') + 1 - vary->text),
			vary->text, (int)strcspn(value, ","), value) < (int)size;
}

static size_t combinations_count(const struct options *options)
{
	size_t count = 1;

	for (size_t i = 0; i < options->varies_count; i++)
		count *= options->varies[i].values_count;
	return count;
}

/* Run `number`, counted over seeds first, then over the values of the last --vary. */
static bool make_run(const struct options *options, const char *scenario, uint64_t number,
		     struct run *run)
{
	uint64_t seeds_count = options->last_seed - options->first_seed + 1;
	size_t left = number / seeds_count, words = 0;

	run->words[words++] = "ioasis";
	run->words[words++] = "simulate";
	run->words[words++] = scenario;
	for (size_t i = options->varies_count; i-- > 0;) {
		const struct vary *vary = &options->varies[i];

		if (!print_setting(vary, left % vary->values_count, run->settings[i],
				   sizeof(run->settings[i])))
			return false;
		left /= vary->values_count;
	}
	for (size_t i = 0; i < options->varies_count; i++) {
		run->words[words++] = "--set";
		run->words[words++] = run->settings[i];
	}
	snprintf(run->seed, sizeof(run->seed), "%" PRIu64,
		 options->first_seed + number % seeds_count);
	run->words[words++] = "--seed";
	run->words[words++] = run->seed;
	run->words[words++] = "--json";
	run->words[words++] = "--output";
	if (snprintf(run->output, sizeof(run->output), "%s/run-%06" PRIu64 ".json", options->dir,
		     number) >= (int)sizeof(run->output))
		return false;
	run->words[words++] = run->output;
	run->words[words] = NULL;
	return true;
}

/* A mistake is told at once, not by each of many runs. */
static bool settings_hold(const struct options *options, const char *path, uint64_t count)
{
	char error[SCENARIO_ERROR_BYTES];
	const char *settings[VARIES_MAX];
	struct scenario scenario;
	struct run run;

	for (uint64_t i = 0; i < count; i += options->last_seed - options->first_seed + 1) {
		make_run(options, path, i, &run);
		for (size_t k = 0; k < options->varies_count; k++)
			settings[k] = run.settings[k];
		if (scenario_load(path, settings, options->varies_count, &scenario, error)) {
			fprintf(stderr, "%s\n", error);
			return false;
		}
		scenario_fini(&scenario);
	}
	return true;
}

/* A word as a shell takes it. */
static void print_word(const char *word)
{
	if (!word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			       "-_./=%:,+")]) {
		fputs(word, stdout);
		return;
	}
	putchar('\'');
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*word);
	}
	putchar('\'');
}

static void print_run(const struct run *run)
{
	for (size_t i = 0; run->words[i]; i++) {
		if (i)
			putchar(' ');
		print_word(run->words[i]);
	}
	putchar('\n');
}

/* ---- many runs ------------------------------------------------------------------- */

static pid_t start_run(const struct run *run)
{
	pid_t pid = fork();

	if (pid)
		return pid;
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

static int run_all(const struct options *options, const char *scenario, uint64_t count)
{
	bool on_terminal = isatty(STDERR_FILENO);
	unsigned int running = 0;
	uint64_t failed = 0, there = 0;
	struct run run;

	for (uint64_t i = 0; i < count && !interrupted && !failed; i++) {
		make_run(options, scenario, i, &run);
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
		if (on_terminal)
			fprintf(stderr, "\r%" PRIu64 " of %" PRIu64, i + 1, count);
	}
	while (running)
		failed += !await_run(&running);
	if (on_terminal)
		fputs("\r                    \r", stderr);
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

int cmd_sweep(int argc, char **argv)
{
	struct options options = { .first_seed = 1, .last_seed = 1, .dir = "ioasis-sweep" };
	struct sigaction action = { .sa_handler = on_signal };
	char path[PATH_MAX];
	const char *file;
	struct run run;
	uint64_t count;
	int status, first = cli_parse(&command, argc, argv, &options, &status);

	if (first < 0)
		return status;
	if (first == argc)
		return cli_fail(&command, "no scenario given; name a file, or one of "
					  "'ioasis simulate --list'");
	if (first != argc - 1)
		return cli_fail(&command, "more than one scenario: %s and %s; name one",
				argv[first], argv[first + 1]);
	file = shipped_scenario_file(&command, argv[first], path, &status);
	if (!file)
		return status;
	count = combinations_count(&options) * (options.last_seed - options.first_seed + 1);
	if (!make_run(&options, argv[first], 0, &run))
		return cli_fail(&command, "a value or the name of the directory is too long");
	if (!settings_hold(&options, file, count))
		return 3;
	if (mkdir(options.dir, 0777) && (errno != EEXIST || !is_folder(options.dir)))
		return cli_fail(&command, "--output %s: %s", options.dir, strerror(errno));
	if (options.jobs) {
		sigaction(SIGINT, &action, NULL);
		sigaction(SIGTERM, &action, NULL);
		return run_all(&options, argv[first], count);
	}
	for (uint64_t i = 0; i < count; i++) {
		make_run(&options, argv[first], i, &run);
		print_run(&run);
	}
	return 0;
}
