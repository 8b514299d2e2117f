/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench analysis: `ioasis check` on one trace, next to babeltrace2 that only
 * decodes it, and to a Python script that checks one rule.
 *
 * The trace is recorded from ioasis-vmm. All three run on one core and nothing
 * else of theirs waits, so the processor time is what is compared, not the time that
 * other load takes. That load still takes their caches away: each is run in turn, and
 * the medians of nine count.
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "tests/bench/bench_trace.h"

#define EVENTS 5000000u
#define ROUNDS 9

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

static double rate(double events, const struct bench_cost *cost)
{
	return events * 1e9 / (double)cost->cpu_ns;
}

static int compare(struct bench *bench, struct bench_trace *trace)
{
	char ioasis[PATH_MAX];
	char *dummy[] = { "babeltrace2", "-o", "dummy", trace->path, NULL };
	char *check[] = { ioasis, "check", trace->path, NULL };
	/* Debian's Python has python3-bt2, another on the path may not. */
	char *python[] = { access("/usr/bin/python3", X_OK) ? "python3" : "/usr/bin/python3",
			   "-c", (char *)overlap_py, trace->path, NULL };
	struct bench_cost dummy_cost = { 0 }, check_cost = { 0 }, python_cost = { 0 };
	uint64_t dummy_ns[ROUNDS], check_ns[ROUNDS];
	double events;

	bench_sibling("ioasis", ioasis, sizeof(ioasis));
	for (int i = 0; i < ROUNDS; i++) {
		if (!bench_trace_run(bench, dummy, NULL, &dummy_cost, &dummy_ns[i]) ||
		    !bench_trace_run(bench, check, trace->output, &check_cost, &check_ns[i]))
			return 0;
	}
	events = bench_number_behind(trace->output, "data: ");
	bench_figure(bench, "events in the trace", events, "events");
	bench_figure(bench, "babeltrace2 -o dummy", rate(events, &dummy_cost), "events/s");
	bench_figure(bench, "ioasis check", rate(events, &check_cost), "events/s");
	bench_ratio_at_least(bench, "ioasis check to dummy", dummy_ns, check_ns, ROUNDS, 4);
	bench_at_most(bench, "memory of ioasis check, peak",
		      (double)check_cost.peak_bytes / (1 << 20), 64, "MiB");
	if (!bench_trace_run(bench, python, trace->output, &python_cost, NULL))
		return 0;
	bench_figure(bench, "Python bt2, overlap alone", rate(events, &python_cost), "events/s");
	bench_at_least(bench, "ioasis check to Python",
		       (double)python_cost.cpu_ns / (double)check_cost.cpu_ns, 10, "");
	return 0;
}

int bench_analysis(struct bench *bench)
{
	struct bench_trace trace;
	int ret = bench_trace_record(bench, &trace, EVENTS);

	if (!ret)
		ret = compare(bench, &trace);
	bench_trace_remove(&trace);
	return ret == -EIO ? 0 : ret;
}
