/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A trace for benchmarks of the analysis, recorded from ioasis-vmm. */
#ifndef IOASIS_TESTS_BENCH_TRACE_H
#define IOASIS_TESTS_BENCH_TRACE_H

#include <limits.h>
#include <stdint.h>

#include "tests/bench/bench.h"
#include "tests/bench/bench_command.h"

struct bench_trace {
	char scratch[PATH_MAX];
	char path[PATH_MAX + 16];
	char output[PATH_MAX + 16]; /* for what a program prints about it */
};

/*
 * Records some `events` events. 0; -EIO after bench_skip(), another -errno. In each case
 * bench_trace_remove() is for the caller.
 */
int bench_trace_record(struct bench *bench, struct bench_trace *trace, uint64_t events);
void bench_trace_remove(struct bench_trace *trace);

/* The number behind a text in a file; 0: it is not there. */
double bench_number_behind(const char *path, const char *behind);

/*
 * Runs argv once and keeps the cheapest cost in *best, and all in cpu_ns[round] (may be NULL).
 * False after bench_skip(): it is not there or fails.
 */
bool bench_trace_run(struct bench *bench, char *const argv[], const char *output,
		     struct bench_cost *best, uint64_t *cpu_ns);

#endif
