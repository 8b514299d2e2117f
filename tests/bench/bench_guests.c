/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench guests: the shipped scenario of a thousand guests (52 million calls); a part of it that makes
 * 104 million events, without a trace and with one; and `check` of that trace. The run alone is
 * measured by processor time, since it uses one processor all the time whatever else the machine
 * does; what reads and writes files by the wall clock. The trace takes 5 GB of $TMPDIR.
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "tests/bench/bench_trace.h"

#define TRACE_BYTES (6ull << 30)
#define PART "duration=460ms"

/* duration: NULL: as it is shipped; trace: NULL: none. */
static int simulate(const char *duration, const char *trace, const char *output,
		    struct bench_cost *cost)
{
	char ioasis[PATH_MAX];
	char *argv[8] = { ioasis, "simulate", "thousand-guests" };
	size_t count = 3;

	bench_sibling("ioasis", ioasis, sizeof(ioasis));
	if (duration) {
		argv[count++] = "--set";
		argv[count++] = (char *)duration;
	}
	if (trace) {
		argv[count++] = "--trace";
		argv[count++] = (char *)trace;
	}
	return bench_command(argv, output, cost) ? -EIO : 0;
}

static int measure_trace(struct bench *bench, struct bench_trace *trace)
{
	char ioasis[PATH_MAX];
	char *check[] = { ioasis, "check", trace->path, NULL };
	struct bench_cost without, with, cost;
	double events;

	if (simulate(PART, NULL, trace->output, &without) ||
	    simulate(PART, trace->path, trace->output, &with))
		return -EIO;
	bench_sibling("ioasis", ioasis, sizeof(ioasis));
	if (bench_command(check, trace->output, &cost))
		return -EIO;
	events = bench_number_behind(trace->output, "data: ");
	bench_figure(bench, "events in the trace", events, "events");
	bench_at_most(bench, "104 million events written, more than the run",
		      ((double)with.wall_ns - (double)without.wall_ns) / 1e9 * 104e6 / events, 60,
		      "s");
	bench_at_most(bench, "check of 100 million events",
		      (double)cost.wall_ns / 1e9 * 100e6 / events, 40, "s");
	bench_at_most(bench, "memory of that check, peak", (double)cost.peak_bytes / (1 << 20),
		      200, "MiB");
	return 0;
}

int bench_guests(struct bench *bench)
{
	struct bench_trace trace;
	struct bench_cost cost;
	struct statvfs space;
	int ret = bench_scratch(trace.scratch, sizeof(trace.scratch));

	if (ret)
		return ret;
	snprintf(trace.path, sizeof(trace.path), "%s/trace", trace.scratch);
	snprintf(trace.output, sizeof(trace.output), "%s/output", trace.scratch);
	ret = simulate(NULL, NULL, trace.output, &cost);
	if (!ret) {
		bench_figure(bench, "a thousand guests, by the wall clock",
			     (double)cost.wall_ns / 1e9, "s");
		bench_at_most(bench, "a thousand guests, 52 million calls",
			      (double)cost.cpu_ns / 1e9, 20, "s");
	}
	if (!ret && !statvfs(trace.scratch, &space) &&
	    space.f_bavail * space.f_frsize < TRACE_BYTES)
		bench_skip(bench, "its trace: less than 6 GiB are free in %s", trace.scratch);
	else if (!ret)
		ret = measure_trace(bench, &trace);
	bench_trace_remove(&trace);
	return ret;
}
