/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench analysis: `ioasis check` on one trace, next to babeltrace2 that only
 * decodes it, and to a Python script that checks one rule.
 *
 * The trace is recorded from ioasis-vmm. All three run on one core and nothing
 * else of theirs waits, so the processor time is what is compared, not the time that
 * other load takes. That load still takes their caches away: each is run in turn, and
 * the best of five counts.
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench_command.h"

#define EVENTS 5000000u
#define EVENTS_PER_CALL 5u
#define THREADS 2u
#define ROUNDS 5

/* The rule `overlap`, as a student would write it; one linear pass over the same trace. */
static const char overlap_py[] =
	"import bisect, sys\n"
	"import bt2\n"
	"maps = {}\n"
	"events = broken = 0\n"
	"for message in bt2.TraceCollectionMessageIterator(sys.argv[1]):\n"
	"    if type(message) is not bt2._EventMessageConst:\n"
	"        continue\n"
	"    events += 1\n"
	"    event = message.event\n"
	"    name = event.name\n"
	"    if name == 'iommufd_backend:map_dma' and event['ret'] == 0:\n"
	"        starts, ends = maps.setdefault(int(event['ioas']), ([], {}))\n"
	"        iova = int(event['iova'])\n"
	"        end = iova + int(event['size'])\n"
	"        at = bisect.bisect_right(starts, iova)\n"
	"        if at and ends[starts[at - 1]] > iova or at < len(starts) and starts[at] < end:\n"
	"            broken += 1\n"
	"        starts.insert(at, iova)\n"
	"        ends[iova] = end\n"
	"    elif name == 'iommufd_backend:unmap_dma' and event['ret'] == 0:\n"
	"        starts, ends = maps.setdefault(int(event['ioas']), ([], {}))\n"
	"        iova = int(event['iova'])\n"
	"        low = bisect.bisect_left(starts, iova)\n"
	"        high = bisect.bisect_left(starts, iova + int(event['size']))\n"
	"        for start in starts[low:high]:\n"
	"            del ends[start]\n"
	"        del starts[low:high]\n"
	"print(events, 'events,', broken, 'overlaps')\n";

struct trace {
	char scratch[PATH_MAX];
	char path[PATH_MAX + 16];
	char output[PATH_MAX + 16];
	double events;
};

/* The first number in the file; 0: none. */
static double first_number(const char *path, const char *behind)
{
	FILE *file = fopen(path, "re");
	char line[512];
	double number = 0;

	while (file && !number && fgets(line, sizeof(line), file)) {
		const char *at = strstr(line, behind);

		if (at)
			number = strtod(at + strlen(behind), NULL);
	}
	if (file)
		fclose(file);
	return number;
}

static int record(struct bench *bench, struct trace *trace)
{
	char ioasis[PATH_MAX], vmm[PATH_MAX], ops[32], threads[16];
	char *argv[] = { ioasis, "record", "--lossless", "-o", trace->path, "--", vmm, "--inproc",
			 "--threads", threads, "--ops", ops, NULL };
	struct bench_cost cost;
	int status;

	bench_sibling("ioasis", ioasis, sizeof(ioasis));
	bench_sibling("ioasis-vmm", vmm, sizeof(vmm));
	snprintf(threads, sizeof(threads), "%u", THREADS);
	snprintf(ops, sizeof(ops), "%u", EVENTS / EVENTS_PER_CALL / THREADS);
	status = bench_command(argv, trace->output, &cost);
	if (status)
		bench_skip(bench, "no trace could be recorded (ioasis record: status %d)", status);
	return status ? -EIO : 0;
}

/* Runs argv and keeps the cheapest cost in *best. 0 or -EIO when it is not there or fails. */
static int run(struct bench *bench, char *const argv[], const char *output,
	       struct bench_cost *best)
{
	struct bench_cost cost;
	int status = bench_command(argv, output, &cost);

	if (status) {
		bench_skip(bench, "%s ended with status %d", argv[0], status);
		return -EIO;
	}
	if (!best->cpu_ns || cost.cpu_ns < best->cpu_ns)
		*best = cost;
	return 0;
}

static double rate(const struct trace *trace, const struct bench_cost *cost)
{
	return trace->events * 1e9 / (double)cost->cpu_ns;
}

static int compare(struct bench *bench, struct trace *trace)
{
	char ioasis[PATH_MAX];
	char *dummy[] = { "babeltrace2", "-o", "dummy", trace->path, NULL };
	char *check[] = { ioasis, "check", trace->path, NULL };
	/* Debian's Python has python3-bt2, another on the path may not. */
	char *python[] = { access("/usr/bin/python3", X_OK) ? "python3" : "/usr/bin/python3",
			   "-c", (char *)overlap_py, trace->path, NULL };
	struct bench_cost dummy_cost = { 0 }, check_cost = { 0 }, python_cost = { 0 };

	bench_sibling("ioasis", ioasis, sizeof(ioasis));
	for (int i = 0; i < ROUNDS; i++) {
		if (run(bench, dummy, NULL, &dummy_cost) ||
		    run(bench, check, trace->output, &check_cost))
			return 0;
	}
	trace->events = first_number(trace->output, "data: ");
	bench_figure(bench, "events in the trace", trace->events, "events");
	bench_figure(bench, "babeltrace2 -o dummy", rate(trace, &dummy_cost), "events/s");
	bench_figure(bench, "ioasis check", rate(trace, &check_cost), "events/s");
	bench_at_least(bench, "ioasis check to dummy",
		       (double)dummy_cost.cpu_ns / (double)check_cost.cpu_ns, 0.8, "");
	bench_at_most(bench, "memory of ioasis check, peak",
		      (double)check_cost.peak_bytes / (1 << 20), 64, "MiB");
	if (run(bench, python, trace->output, &python_cost))
		return 0;
	bench_figure(bench, "Python bt2, overlap alone", rate(trace, &python_cost), "events/s");
	bench_at_least(bench, "ioasis check to Python",
		       (double)python_cost.cpu_ns / (double)check_cost.cpu_ns, 10, "");
	return 0;
}

int bench_analysis(struct bench *bench)
{
	struct trace trace = { .events = 0 };
	int ret = bench_scratch(trace.scratch, sizeof(trace.scratch));

	if (ret)
		return ret;
	snprintf(trace.path, sizeof(trace.path), "%s/trace", trace.scratch);
	snprintf(trace.output, sizeof(trace.output), "%s/output", trace.scratch);
	if (!record(bench, &trace))
		ret = compare(bench, &trace);
	bench_scratch_remove(trace.scratch);
	return ret;
}
