/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench guests: the shipped scenario of a thousand guests (52 million calls) without a trace and
 * with one (104 million events), and `check` of that trace. By the wall clock: that is what a
 * person waits for. The trace takes some gigabytes of $TMPDIR.
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "tests/bench/bench_trace.h"

#define TRACE_BYTES (10ull << 30)

static int simulate(const char *trace, const char *output, struct bench_cost *cost)
{
	char ioasis[PATH_MAX];
	char *argv[] = { ioasis, "simulate", "thousand-guests", NULL, NULL, NULL };

	bench_sibling("ioasis", ioasis, sizeof(ioasis));
	if (trace) {
		argv[3] = "--trace";
		argv[4] = (char *)trace;
	}
	return bench_command(argv, output, cost) ? -EIO : 0;
}

static int measure_trace(struct bench *bench, struct bench_trace *trace,
			 const struct bench_cost *without)
{
	char ioasis[PATH_MAX];
	char *check[] = { ioasis, "check", trace->path, NULL };
	struct bench_cost with, cost;
	double events;

	if (simulate(trace->path, trace->output, &with))
		return -EIO;
	bench_sibling("ioasis", ioasis, sizeof(ioasis));
	if (bench_command(check, trace->output, &cost))
		return -EIO;
	events = bench_number_behind(trace->output, "data: ");
	bench_figure(bench, "events in the trace", events, "events");
	bench_at_most(bench, "its trace written, more than the run",
		      ((double)with.wall_ns - (double)without->wall_ns) / 1e9, 60, "s");
	bench_at_most(bench, "check of 100 million events",
		      (double)cost.wall_ns / 1e9 * 100e6 / events, 40, "s");
	bench_at_most(bench, "memory of that check, peak", (double)cost.peak_bytes / (1 << 20),
		      200, "MiB");
	return 0;
}

int bench_guests(struct bench *bench)
{
	struct bench_trace trace;
	struct bench_cost without;
	struct statvfs space;
	int ret = bench_scratch(trace.scratch, sizeof(trace.scratch));

	if (ret)
		return ret;
	snprintf(trace.path, sizeof(trace.path), "%s/trace", trace.scratch);
	snprintf(trace.output, sizeof(trace.output), "%s/output", trace.scratch);
	ret = simulate(NULL, trace.output, &without);
	if (!ret)
		bench_at_most(bench, "a thousand guests, 52 million calls",
			      (double)without.wall_ns / 1e9, 20, "s");
	if (!ret && !statvfs(trace.scratch, &space) &&
	    space.f_bavail * space.f_frsize < TRACE_BYTES)
		bench_skip(bench, "its trace: less than 10 GiB are free in %s", trace.scratch);
	else if (!ret)
		ret = measure_trace(bench, &trace, &without);
	bench_trace_remove(&trace);
	return ret;
}
