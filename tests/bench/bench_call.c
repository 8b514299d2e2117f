/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench call: a MAP with its UNMAP under `ioasis exec`, from a dynamic and from a static program,
 * threads placed freely; with --against beside the other build's, in turns.
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench_command.h"

#define ROUNDS 9
#define PAIRS "4000"

struct build {
	char ioasis[PATH_MAX];
	uint64_t dynamic_ns[ROUNDS], static_ns[ROUNDS];
};

static bool run_client(const struct build *build, const char *client, uint64_t *ns)
{
	char path[PATH_MAX];
	char *argv[] = { (char *)build->ioasis, "exec", "--leak-check", "no", "--", path,
			 "/dev/iommu", PAIRS, NULL };

	bench_sibling(client, path, sizeof(path));
	return bench_numbers(argv, ns, 1);
}

static bool run_round(struct build *build, size_t round)
{
	return run_client(build, "tests/bench_call_client", &build->dynamic_ns[round]) &&
	       run_client(build, "tests/bench_call_client_static", &build->static_ns[round]);
}

int bench_call(struct bench *bench)
{
	struct build ours, other;
	bool has_other = bench_other(bench, "ioasis", other.ioasis, sizeof(other.ioasis));

	if (access("/dev/fuse", R_OK | W_OK)) {
		bench_skip(bench, "no /dev/fuse: %s", strerror(errno));
		return 0;
	}
	bench_sibling("ioasis", ours.ioasis, sizeof(ours.ioasis));
	for (size_t i = 0; i < ROUNDS; i++) {
		if (!run_round(&ours, i) || (has_other && !run_round(&other, i)))
			return -EIO;
	}
	bench_figure(bench, "a pair, dynamic program",
		     (double)bench_median(ours.dynamic_ns, ROUNDS), "ns");
	bench_figure(bench, "a pair, static program",
		     (double)bench_median(ours.static_ns, ROUNDS), "ns");
	if (!has_other) {
		bench_skip(bench, "the other build's pair: --against DIR is not given");
		return 0;
	}
	bench_figure(bench, "the other build's pair, dynamic program",
		     (double)bench_median(other.dynamic_ns, ROUNDS), "ns");
	bench_figure(bench, "the other build's pair, static program",
		     (double)bench_median(other.static_ns, ROUNDS), "ns");
	bench_ratio_at_most(bench, "dynamic program / the other build", ours.dynamic_ns,
			    other.dynamic_ns, ROUNDS, 0.1);
	bench_ratio_at_most(bench, "static program / the other build", ours.static_ns,
			    other.static_ns, ROUNDS, 0.4);
	return 0;
}
