/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long `ioasis exec -- true` takes, beside true alone and in bubblewrap. */
#include "tests/bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench_command.h"

#define RUNS 20
#define BAR_MS 10.0

extern char **environ;

/* Runs argv to its end. Its time, or -errno when it fails. */
static int run_timed(char *const argv[], uint64_t *ns)
{
	uint64_t start = bench_now_ns();
	pid_t pid;
	int status, err;

	err = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
	if (err)
		return -err;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	*ns = bench_now_ns() - start;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

static int run_median(char *const argv[], uint64_t *ns)
{
	uint64_t runs[RUNS];
	int i, err;

	err = run_timed(argv, &runs[0]); /* not counted: nothing is in memory yet */
	for (i = 0; !err && i < RUNS; i++)
		err = run_timed(argv, &runs[i]);
	*ns = err ? 0 : bench_median(runs, RUNS);
	return err;
}

int bench_exec(struct bench *bench)
{
	char program[PATH_MAX];
	char *const alone[] = { "true", NULL };
	char *const bubble[] = { "bwrap", "--dev-bind", "/", "/", "--dev", "/dev", "--proc", "/proc",
				 "--unshare-pid", "true", NULL };
	char *const inside[] = { program, "exec", "--leak-check", "no", "--", "true", NULL };
	uint64_t alone_ns, bubble_ns, inside_ns;
	int err;

	bench_sibling("ioasis", program, sizeof(program));
	err = run_median(alone, &alone_ns);
	if (err)
		return err;
	bench_figure(bench, "true", (double)alone_ns / 1e6, "ms");
	if (run_median(bubble, &bubble_ns))
		bench_skip(bench, "bubblewrap is not installed, or may not run here");
	else
		bench_figure(bench, "bwrap true", (double)bubble_ns / 1e6, "ms");
	if (access("/dev/fuse", R_OK | W_OK)) {
		bench_skip(bench, "/dev/fuse cannot be used here: %s", strerror(errno));
		return 0;
	}
	err = run_median(inside, &inside_ns);
	if (!err)
		bench_at_most(bench, "ioasis exec -- true", (double)inside_ns / 1e6, BAR_MS, "ms");
	return err;
}
