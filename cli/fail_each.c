/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/fail_each.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/output.h"
#include "text/xml_out.h"

#define WORDS_MAX 256
#define CALLS_MAX 100000u /* runs; more would take days */

/* One call that fails. */
struct run {
	char call[32]; /* "map", and which one it is */
	uint64_t number;
	pid_t pid; /* 0: not begun, or ended */
	uint64_t deadline_ns;
	bool hung;
	int status; /* as of waitpid() */
};

struct runs {
	const struct fail_each *each;
	struct run *list; /* owned */
	size_t count, begun, ended;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Starts `ioasis exec` with one more option, quiet unless it is loud, in a process group of its own. */
static pid_t start(const struct fail_each *each, const char *option, const char *value, bool loud)
{
	const char *words[WORDS_MAX] = { each->self, "exec", "--leak-check", "no", option, value };
	pid_t parent = getpid(), pid;
	sigset_t none;
	int n = 6, null;

	for (char *const *word = each->device_words; *word && n < WORDS_MAX - 2; word++)
		words[n++] = *word;
	words[n++] = "--";
	for (char *const *word = each->argv; *word && n < WORDS_MAX - 1; word++)
		words[n++] = *word;
	pid = fork();
	if (pid)
		return pid;
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	null = open("/dev/null", O_RDWR);
	dup2(null, STDIN_FILENO);
	if (!loud) {
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
	}
	execv(each->self, (char *const *)words);
	_exit(125);
}

/* ---- what there is to fail -------------------------------------------------------------- */

static int add_call(struct runs *runs, const char *name, uint64_t number)
{
	struct run *list;

	if (runs->count % 256 == 0) {
		list = realloc(runs->list, (runs->count + 256) * sizeof(*list));
		if (!list)
			return -ENOMEM;
		runs->list = list;
	}
	runs->list[runs->count] = (struct run){ .number = number };
	snprintf(runs->list[runs->count++].call, sizeof(runs->list->call), "%s", name);
	return 0;
}

/* Reads "NAME COUNT" lines. 0 or -errno. */
static int read_counts(struct runs *runs, const char *path)
{
	FILE *file = fopen(path, "re");
	uint64_t count;
	char name[32];
	int ret = 0;

	if (!file)
		return -errno;
	while (!ret && fscanf(file, "%31s %" SCNu64, name, &count) == 2) {
		for (uint64_t number = 1; !ret && number <= count; number++)
			ret = runs->count == CALLS_MAX ? -E2BIG : add_call(runs, name, number);
	}
	fclose(file);
	return ret;
}

/* CMD as it is: it must do well, and tells its calls. 0 or -1 after a line. */
static int run_plain(struct runs *runs)
{
	const struct fail_each *each = runs->each;
	const char *tmp = getenv("TMPDIR");
	char path[PATH_MAX];
	int fd, status, ret;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/ioasis-calls-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	fd = mkstemp(path);
	if (fd < 0) {
		cli_fail(each->command, "%s: %s", path, strerror(errno));
		return -1;
	}
	close(fd);
	pid = start(each, "--count-calls", path, true);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	ret = pid < 0 ? -errno : read_counts(runs, path);
	unlink(path);
	if (ret)
		cli_fail(each->command, "%s", ret == -E2BIG ? "CMD makes too many calls for --fail-each"
							     : strerror(-ret));
	else if (!WIFEXITED(status) || WEXITSTATUS(status))
		cli_fail(each->command, "CMD does not end well by itself (exit status %d)",
			 WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	else
		return 0;
	return -1;
}

/* ---- all the runs ------------------------------------------------------------------------- */

static int begin_next(struct runs *runs)
{
	struct run *run = &runs->list[runs->begun];
	char spec[96];

	snprintf(spec, sizeof(spec), "%s:%s@%" PRIu64, run->call, runs->each->error, run->number);
	run->pid = start(runs->each, "--fail", spec, false);
	if (run->pid < 0)
		return -errno;
	run->deadline_ns = now_ns() + runs->each->timeout_ns;
	runs->begun++;
	return 0;
}

/* Takes those that have ended, and ends those that take too long. True: something ended. */
static bool reap(struct runs *runs)
{
	bool any = false;
	int status;

	for (size_t i = 0; i < runs->begun; i++) {
		struct run *run = &runs->list[i];

		if (!run->pid)
			continue;
		if (waitpid(run->pid, &status, WNOHANG) == run->pid) {
			run->status = status;
			run->pid = 0;
			runs->ended++;
			any = true;
		} else if (!run->hung && now_ns() > run->deadline_ns) {
			run->hung = true; /* exec ends all that it started */
			kill(run->pid, SIGTERM);
			run->deadline_ns += 5000000000u;
		} else if (run->hung && now_ns() > run->deadline_ns) {
			kill(-run->pid, SIGKILL);
		}
	}
	return any;
}

/* 0, or -errno; -EINTR: a signal came. */
static int run_all(struct runs *runs)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	sigset_t watched, old;
	int ret = 0, number;

	sigemptyset(&watched);
	sigaddset(&watched, SIGCHLD);
	sigaddset(&watched, SIGINT);
	sigaddset(&watched, SIGTERM);
	sigprocmask(SIG_BLOCK, &watched, &old);
	while (runs->ended < runs->begun || (!ret && runs->begun < runs->count)) {
		while (!ret && runs->begun < runs->count &&
		       runs->begun - runs->ended < runs->each->jobs)
			ret = begin_next(runs);
		if (reap(runs))
			continue;
		number = sigtimedwait(&watched, NULL, &pause);
		if (number != SIGINT && number != SIGTERM)
			continue;
		ret = -EINTR;
		for (size_t i = 0; i < runs->begun; i++) {
			if (runs->list[i].pid)
				kill(runs->list[i].pid, SIGTERM);
		}
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return ret;
}

/* ---- what came out ------------------------------------------------------------------------ */

/* What the run did that it must not; NULL: it survived. */
static const char *verdict_of(const struct run *run, char text[96])
{
	int status = WIFEXITED(run->status) ? WEXITSTATUS(run->status) : 128 + WTERMSIG(run->status);

	if (run->hung)
		return "hangs";
	if (status <= 128 || status > 128 + SIGRTMAX || !sigabbrev_np(status - 128))
		return NULL;
	snprintf(text, 96, "ends by signal %d (%s)", status - 128, strsignal(status - 128));
	return text;
}

static void write_junit(const struct runs *runs, size_t bad, FILE *out)
{
	char text[96], name[64];

	fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
		"  <testsuite name=\"ioasis --fail-each\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" "
		"skipped=\"0\">\n", runs->count, bad);
	for (size_t i = 0; i < runs->count; i++) {
		const char *verdict = verdict_of(&runs->list[i], text);

		snprintf(name, sizeof(name), "%s:%s@%" PRIu64, runs->list[i].call,
			 runs->each->error, runs->list[i].number);
		fputs("    <testcase classname=\"ioasis\"", out);
		xml_out_attribute(out, "name", name);
		if (verdict) {
			fputs("><failure", out);
			xml_out_attribute(out, "message", verdict);
			fputs("/></testcase>\n", out);
		} else {
			fputs("/>\n", out);
		}
	}
	fputs("  </testsuite>\n</testsuites>\n", out);
}

static int report(const struct runs *runs)
{
	const struct fail_each *each = runs->each;
	struct output output;
	char text[96];
	size_t bad = 0;
	int err = 0;

	for (size_t i = 0; i < runs->count; i++) {
		const char *verdict = verdict_of(&runs->list[i], text);

		if (!verdict)
			continue;
		bad++;
		fprintf(stderr, "ioasis test: --fail %s:%s@%" PRIu64 ": CMD %s\n",
			runs->list[i].call, each->error, runs->list[i].number, verdict);
	}
	fprintf(stderr, "ioasis test: survives %zu of %zu failures\n", runs->count - bad,
		runs->count);
	if (each->junit) {
		err = output_begin(&output, each->junit);
		if (!err) {
			write_junit(runs, bad, output.file);
			err = output_commit(&output);
		}
	}
	if (!err)
		return bad ? 1 : 0;
	cli_fail(each->command, "%s: %s", each->junit, strerror(-err));
	return -1;
}

int fail_each_run(const struct fail_each *each)
{
	struct runs runs = { .each = each };
	int ret = run_plain(&runs), err;

	if (!ret) {
		err = run_all(&runs);
		if (err) {
			cli_fail(each->command, "%s", err == -EINTR ? "interrupted" : strerror(-err));
			ret = -1;
		}
	}
	if (!ret)
		ret = report(&runs);
	free(runs.list);
	return ret;
}
