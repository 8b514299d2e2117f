/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioasis test: runs a command on a fake device, records, checks and judges, in one step.
 *
 * CMD runs under `ioasis exec` (a process of its own), inside a tracing session of this one.
 * Reading the trace is left to a child, as in cli/guard.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
#include "analysis/rules/rules.h"
#include "cli/commands.h"
#include "cli/device_options.h"
#include "cli/fail_each.h"
#include "cli/guard.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/remove.h"
#include "cli/tracing_session.h"
#include "cli/verdict_files.h"

#define FAILED 125 /* exit status of our own errors, as of `ioasis exec` */

struct options {
	struct device_options device; /* first member */
	const char *junit, *sarif, *keep;
	uint64_t error_exitcode;
	bool github;
	const char *fail_each; /* name of an errno; NULL: not given */
	uint64_t jobs, timeout_ns; /* of --fail-each */
	struct check_config config;
	struct rules *rules;
	struct rules_error rules_error;
};

static bool set_error_exitcode(void *opaque, const char *value)
{
	struct options *options = opaque;

	return cli_parse_u64(value, &options->error_exitcode) && options->error_exitcode <= 255;
}

static bool set_rules(void *opaque, const char *value)
{
	struct options *options = opaque;

	if (!options->rules_error.text[0])
		rules_add(options->rules, value, &options->rules_error);
	return true; /* a wrong file has an error of its own */
}

static bool set_leaks(void *opaque, const char *value)
{
	static const char *const names[] = {
		[CHECK_LEAKS_EXIT] = "exit",
		[CHECK_LEAKS_CLOSE] = "close",
		[CHECK_LEAKS_STRICT] = "strict",
	};
	struct options *options = opaque;

	for (int i = CHECK_LEAKS_EXIT; i <= CHECK_LEAKS_STRICT; i++) {
		options->config.leaks = (enum check_leaks)i;
		if (!strcmp(value, names[i]))
			return true;
	}
	return false;
}

static bool set_fail_each(void *opaque, const char *value)
{
	((struct options *)opaque)->fail_each = value;
	for (int error = 1; error < 134; error++) {
		const char *name = strerrorname_np(error);

		if (name && !strcmp(name, value))
			return true;
	}
	return false;
}

static bool set_jobs(void *opaque, const char *value)
{
	uint64_t *jobs = &((struct options *)opaque)->jobs;

	return cli_parse_u64(value, jobs) && *jobs && *jobs <= 1024;
}

static bool set_timeout(void *opaque, const char *value)
{
	uint64_t *ns = &((struct options *)opaque)->timeout_ns;

	return cli_parse_ns(value, ns) && *ns;
}

static const struct cli_option option_table[] = {
	{ "error-exitcode", 0, "N", "a number from 0 to 255",
	  "exit with N if a rule was broken (default 0: with CMD's status)",
	  .set = set_error_exitcode },
	{ "junit", 0, "FILE", "the file to write", "write the verdict as JUnit's XML",
	  CLI_TEXT(struct options, junit) },
	{ "sarif", 0, "FILE", "the file to write", "write the findings as SARIF 2.1.0",
	  CLI_TEXT(struct options, sarif) },
	{ "github", 0, NULL, NULL,
	  "print a GitHub annotation for each finding (the default where GITHUB_ACTIONS is set)",
	  CLI_FLAG(struct options, github) },
	{ "keep", 0, "DIR", "the path of a folder", "keep the trace there",
	  CLI_TEXT(struct options, keep) },
	{ "fail-each", 0, "ERRNO", "the name of an errno, such as ENOMEM",
	  "instead: run CMD once for each call, which fails with ERRNO; say which failures end CMD by "
	  "a signal or let it hang", .set = set_fail_each },
	{ "jobs", 'j', "N", "a number from 1 to 1024",
	  "with --fail-each: so many runs at once (default: as many as processors)",
	  .set = set_jobs },
	{ "timeout", 0, "TIME", "a time, as 30s", "with --fail-each: how long a run may take (default "
	  "60s)", .set = set_timeout },
	{ "leaks", 0, "WHEN", "exit, close or strict", "what is a leak, as of 'ioasis check'",
	  .set = set_leaks },
	{ "rules", 0, "FILE", "a file with an automaton",
	  "also check a rule of your own (docs/RULES.md); may be repeated", .set = set_rules },
	{ 0 },
};

static const struct cli_command command = {
	.name = "test",
	.synopsis = "[OPTIONS] -- CMD [ARG...]",
	.summary = "Runs CMD on a fake /dev/iommu, records, checks and judges: one step for CI.",
	.details = "Exit status, as valgrind's: CMD's (128+N signal N, 126 it cannot be run, 127 not\n"
		   "found), or --error-exitcode if a rule was broken; 125 ioasis itself failed. What\n"
		   "events were lost for breaks no rule: a line says so. With --fail-each: 0 if CMD\n"
		   "survives all failures, else --error-exitcode (default 1).\n\n"
		   "Examples:\n"
		   "  ioasis test --error-exitcode 9 --junit ioasis.xml -- ./my-vmm --selftest\n"
		   "  ioasis test --fail map:ENOMEM@3 --keep trace -- ./my-vmm\n"
		   "  ioasis test --fail-each ENOMEM -- ./my-vmm --selftest\n"
		   "  ioasis test --device edu --sarif ioasis.sarif -- ./my-driver-test",
	.options = option_table,
	.more_options = device_option_table,
	.stops_at_argument = true,
	.error_status = FAILED,
};

/* ---- running ------------------------------------------------------------------------- */

/* The words of `ioasis exec` that lead to CMD: argv[first] on. Ends with NULL; for free(). */
static char **exec_words(char *self, char **argv, int first, int argc)
{
	static char exec[] = "exec", leak_check[] = "--leak-check", no[] = "no", end[] = "--";
	char **words = calloc((size_t)argc + 8, sizeof(*words));
	int n = 0, own;

	if (!words)
		return NULL;
	words[n++] = self;
	words[n++] = exec;
	words[n++] = leak_check;
	words[n++] = no;
	/* All words before CMD are options; those of our table are not exec's. */
	for (int i = 1, taken; i < first && strcmp(argv[i], "--"); i += taken) {
		own = cli_option_is_own(&command, argv[i], &taken);
		for (int k = 0; !own && k < taken; k++)
			words[n++] = argv[i + k];
	}
	words[n++] = end;
	for (int i = first; i < argc; i++)
		words[n++] = argv[i];
	return words;
}

static volatile sig_atomic_t got_signal;

static void on_signal(int number)
{
	got_signal = number;
}

static const int watched_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD };
#define WATCHED_SIGNALS (sizeof(watched_signals) / sizeof(watched_signals[0]))

/* Signals that a terminal sends reach CMD too; one sent to us alone is passed on. */
static void watch_signals(sigset_t *watched, sigset_t *old)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigemptyset(watched);
	for (size_t i = 0; i < WATCHED_SIGNALS; i++) {
		sigaddset(watched, watched_signals[i]);
		sigaction(watched_signals[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, watched, old);
	signal(SIGPIPE, SIG_IGN); /* who reads our output may have enough before all is removed */
}

static int wait_for(pid_t pid, const sigset_t *watched)
{
	siginfo_t info;
	int status;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		int number = sigwaitinfo(watched, &info);

		if (number > 0 && number != SIGCHLD && info.si_code <= 0)
			kill(pid, number);
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* --fail-each; the exit status. */
static int run_fail_each(const struct options *options, char *self, char **argv, int first)
{
	char **device_words = calloc((size_t)first + 1, sizeof(*device_words));
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct fail_each each = {
		.command = &command,
		.self = self,
		.device_words = device_words,
		.argv = argv + first,
		.error = options->fail_each,
		.junit = options->junit,
		.jobs = options->jobs	 ? (unsigned int)options->jobs
			: processors > 0 ? (unsigned int)processors
					 : 1,
		.timeout_ns = options->timeout_ns ? options->timeout_ns : 60000000000,
	};
	int n = 0, taken, ret;

	if (!device_words)
		return cli_fail(&command, "out of memory");
	for (int i = 1; i < first && strcmp(argv[i], "--"); i += taken) {
		bool own = cli_option_is_own(&command, argv[i], &taken);

		for (int k = 0; !own && k < taken; k++)
			device_words[n++] = argv[i + k];
	}
	ret = fail_each_run(&each);
	free(device_words);
	if (ret <= 0)
		return ret ? FAILED : 0;
	return options->error_exitcode ? (int)options->error_exitcode : 1;
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- judging -------------------------------------------------------------------------- */

struct judgement {
	const struct options *options;
	struct verdict verdict;
	char *trace;
};

static int write_file(const char *path, void (*writer)(const struct verdict *verdict, FILE *out),
		      const struct verdict *verdict)
{
	struct output output;
	int err;

	if (!path)
		return 0;
	err = output_begin(&output, path);
	if (!err) {
		writer(verdict, output.file);
		err = output_commit(&output);
	}
	if (err)
		cli_fail(&command, "%s: %s", path, strerror(-err));
	return err;
}

/* In a child: reads the trace and writes what was found. 0: ok, 1: violation, 2: unknown, 3: error. */
static int judge(void *opaque)
{
	struct judgement *judgement = opaque;
	const struct options *options = judgement->options;
	struct verdict *verdict = &judgement->verdict;
	struct analysis *analysis = analysis_create();
	struct check *check = analysis ? check_create(analysis, &options->config) : NULL;
	char error[512] = "";
	int status;

	if (!check || rules_observe(options->rules, analysis))
		return 3;
	if (!analysis_read(analysis, &judgement->trace, 1, error, sizeof(error))) {
		/* as it should be */
	} else if (!analysis_quality(analysis)->events_known) {
		/* CMD never used the device: nothing can be wrong, but the reader should know. */
		fprintf(stderr, "ioasis test: CMD made no call of /dev/iommu\n");
		analysis_finish(analysis, false);
	} else {
		cli_fail(&command, "%s", error);
		return 3;
	}
	verdict->check = check;
	verdict->rules = options->rules;
	status = check_exit_status(check);
	switch (rules_verdict_with(options->rules, check)) {
	case VERDICT_OK:
		break;
	case VERDICT_VIOLATION:
		status = 1;
		break;
	default:
		status = 2;
	}
	if (status)
		rules_print_with(options->rules, check, stderr);
	if (write_file(options->junit, verdict_write_junit, verdict) ||
	    write_file(options->sarif, verdict_write_sarif, verdict))
		return 3;
	if (options->github)
		verdict_write_annotations(verdict, stdout);
	if (fflush(stdout))
		return 3;
	return status;
}

/* The exit status, of CMD's own and what was found. */
static int conclude(const struct options *options, int cmd_status, int judged)
{
	static const char *const words[] = { "ok", "a rule was broken", "cannot be decided" };

	if (judged < 0 || judged > 2)
		return cli_fail(&command, "the trace could not be judged");
	fprintf(stderr, "ioasis test: exit status %d; verdict: %s\n", cmd_status, words[judged]);
	return judged == 1 && options->error_exitcode ? (int)options->error_exitcode : cmd_status;
}

/* ---- the command ------------------------------------------------------------------------ */

/* Where the trace goes: 0 or the exit status. */
static int make_folder(const struct options *options, char folder[PATH_MAX])
{
	const char *tmp = getenv("TMPDIR");

	if (options->keep) {
		snprintf(folder, PATH_MAX, "%s", options->keep);
		if (!mkdir(folder, 0777) || (errno == EEXIST && !rmdir(folder) && !mkdir(folder, 0777)))
			return 0;
		return cli_fail(&command, "--keep %s: %s", folder,
				errno == ENOTEMPTY || errno == EEXIST
					? "it is there and not an empty folder" : strerror(errno));
	}
	snprintf(folder, PATH_MAX, "%s/ioasis-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	return mkdtemp(folder) ? 0 : cli_fail(&command, "%s: %s", folder, strerror(errno));
}

static int run(const struct options *options, char **argv, int first, int argc)
{
	struct tracing_config tracing = { .output = NULL };
	char folder[PATH_MAX], self[PATH_MAX];
	struct judgement judgement = { .options = options, .trace = folder };
	struct tracing_session session;
	char **words;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	sigset_t watched, mask;
	int status, judged;
	double begun;
	pid_t pid;

	if (len < 0)
		return cli_fail(&command, "/proc/self/exe: %s", strerror(errno));
	self[len] = 0;
	if (options->fail_each)
		return run_fail_each(options, self, argv, first);
	words = exec_words(self, argv, first, argc);
	if (!words)
		return cli_fail(&command, "out of memory");
	status = make_folder(options, folder);
	if (status)
		goto out_words;
	watch_signals(&watched, &mask);
	tracing.output = folder;
	if (tracing_session_start(&session, &tracing)) {
		status = cli_fail(&command, "%s", session.error);
		goto out_folder;
	}
	begun = now_s();
	pid = fork();
	if (!pid) {
		/* One that came before, and is passed on, ends this process already. */
		for (size_t i = 0; i < WATCHED_SIGNALS; i++)
			signal(watched_signals[i], SIG_DFL);
		sigprocmask(SIG_SETMASK, &mask, NULL);
		signal(SIGPIPE, SIG_DFL);
		execv(self, words);
		fprintf(stderr, "ioasis test: %s: %s\n", self, strerror(errno));
		_exit(FAILED);
	}
	status = pid < 0 ? cli_fail(&command, "fork: %s", strerror(errno)) : wait_for(pid, &watched);
	judgement.verdict.argv = (const char *const *)argv + first;
	judgement.verdict.status = status;
	judgement.verdict.seconds = now_s() - begun;
	if (tracing_session_end(&session)) {
		status = cli_fail(&command, "the trace may not be whole: %s", session.error);
	} else if (status < FAILED || status > 127) { /* CMD ran */
		judged = guard_try(judge, &judgement);
		status = conclude(options, status, judged);
	}
out_folder:
	if (!options->keep)
		cli_remove_tree(folder);
out_words:
	free(words);
	return status;
}

int cmd_run_test(int argc, char **argv)
{
	struct options options = { .rules = rules_create() };
	const char *github = getenv("GITHUB_ACTIONS");
	int first, status = FAILED;

	if (!options.rules)
		return cli_fail(&command, "out of memory");
	first = cli_parse(&command, argc, argv, &options, &status);
	if (first < 0)
		goto out_rules;
	options.github |= github && !strcmp(github, "true");
	if (options.rules_error.text[0])
		status = cli_fail(&command, "%s", options.rules_error.text);
	else if (first == argc)
		status = cli_fail(&command, "no command given; 'ioasis test -- CMD' runs CMD");
	else
		status = run(&options, argv, first, argc);
out_rules:
	rules_destroy(options.rules);
	return status;
}
