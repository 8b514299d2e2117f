/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/bench_trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_PER_CALL 5u
#define THREADS 2u

double bench_number_behind(const char *path, const char *behind)
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

int bench_trace_record(struct bench *bench, struct bench_trace *trace, uint64_t events)
{
	char ioasis[PATH_MAX], vmm[PATH_MAX], ops[32], threads[16];
	char *argv[] = { ioasis, "record", "--lossless", "-o", trace->path, "--", vmm, "--inproc",
			 "--threads", threads, "--ops", ops, NULL };
	struct bench_cost cost;
	int status = bench_scratch(trace->scratch, sizeof(trace->scratch));

	if (status) {
		trace->scratch[0] = 0;
		return status;
	}
	snprintf(trace->path, sizeof(trace->path), "%s/trace", trace->scratch);
	snprintf(trace->output, sizeof(trace->output), "%s/output", trace->scratch);
	bench_sibling("ioasis", ioasis, sizeof(ioasis));
	bench_sibling("ioasis-vmm", vmm, sizeof(vmm));
	snprintf(threads, sizeof(threads), "%u", THREADS);
	snprintf(ops, sizeof(ops), "%llu",
		 (unsigned long long)(events / EVENTS_PER_CALL / THREADS));
	status = bench_command(argv, trace->output, &cost);
	if (status)
		bench_skip(bench, "no trace could be recorded (ioasis record: status %d)", status);
	return status ? -EIO : 0;
}

void bench_trace_remove(struct bench_trace *trace)
{
	if (trace->scratch[0])
		bench_scratch_remove(trace->scratch);
}

bool bench_trace_run(struct bench *bench, char *const argv[], const char *output,
		     struct bench_cost *best, uint64_t *cpu_ns)
{
	struct bench_cost cost;
	int status = bench_command(argv, output, &cost);

	if (status) {
		bench_skip(bench, "%s ended with status %d", argv[0], status);
		return false;
	}
	if (!best->cpu_ns || cost.cpu_ns < best->cpu_ns)
		*best = cost;
	if (cpu_ns)
		*cpu_ns = cost.cpu_ns;
	return true;
}
