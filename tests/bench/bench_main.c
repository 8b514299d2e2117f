/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioasis-bench, which `ioasis bench` runs: the benchmarks, as a table. A program of its own, since
 * what ioasis is compared with (the C++ library, GLib) is no part of the product.
 */
#include "cli/options.h"
#include "tests/bench/bench.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct benchmark {
	const char *name;
	const char *compares;
	int (*run)(struct bench *bench);
};

/* Sorted by name. */
static const struct benchmark benchmarks[] = {
	{ "analysis", "ioasis check with babeltrace2 -o dummy and a Python script",
	  bench_analysis },
	{ "des", "the event queue beside std::priority_queue", bench_des },
	{ "engine", "1,000 with 1,000,000 mappings; std::map and a GLib tree", bench_engine },
	{ "exec", "the start of a program, with a private device and without", bench_exec },
	{ "ioctl", "a MAP and an UNMAP through FUSE with an empty FUSE ioctl", bench_ioctl },
	{ "simulate", "a simulation of a thousand guests, and a replay", bench_simulate },
	{ "tracing", "the events of a call, off and on, with bare LTTng events", bench_tracing },
};
#define BENCHMARKS (sizeof(benchmarks) / sizeof(*benchmarks))

/* One run of one benchmark, printing as it goes. */
struct bench {
	bool json;
	unsigned int printed; /* figures so far, for the commas */
	unsigned int missed;  /* bars */
};

struct bench_options {
	bool json;
	bool list;
	bool strict;
};

static const struct cli_option bench_option_table[] = {
	{ "list", 0, NULL, NULL, "only say which there are", CLI_FLAG(struct bench_options, list) },
	{ "json", 0, NULL, NULL, "print JSON", CLI_FLAG(struct bench_options, json) },
	{ "strict", 0, NULL, NULL, "exit with 1 when a bar is missed",
	  CLI_FLAG(struct bench_options, strict) },
	{ 0 },
};

static const struct cli_command bench_command = {
	.name = "bench",
	.synopsis = "[OPTIONS] [NAME...]",
	.summary = "Runs the benchmarks (all, or those named) next to a baseline in the same run.",
	.options = bench_option_table,
	.error_status = 3,
};

/* ---- what benchmarks call -------------------------------------------------------- */

static void print_value(double value)
{
	/* Four significant digits, no exponent. */
	int digits = value > 0 ? 3 - (int)floor(log10(value)) : 0;

	printf("%.*f", digits < 0 ? 0 : digits > 6 ? 6 : digits, value);
}

static void report(struct bench *bench, const char *what, double value, const char *unit,
		   const char *relation, double bar)
{
	bool good = !relation || (!strcmp(relation, "at most") ? value <= bar : value >= bar);

	if (!good)
		bench->missed++;
	if (bench->json) {
		printf("%s{\"what\":\"%s\",\"value\":%.6g,\"unit\":\"%s\"",
		       bench->printed ? "," : "", what, value, unit);
		if (relation)
			printf(",\"bar\":%.6g,\"relation\":\"%s\",\"met\":%s", bar, relation,
			       good ? "true" : "false");
		printf("}");
	} else {
		printf("  %-52s ", what);
		print_value(value);
		printf("%s%s", *unit ? " " : "", unit);
		if (relation) {
			printf("  (%s ", relation);
			print_value(bar);
			printf(": %s)", good ? "met" : "MISSED");
		}
		printf("\n");
	}
	fflush(stdout);
	bench->printed++;
}

void bench_figure(struct bench *bench, const char *what, double value, const char *unit)
{
	report(bench, what, value, unit, NULL, 0);
}

void bench_at_most(struct bench *bench, const char *what, double value, double bar,
		   const char *unit)
{
	report(bench, what, value, unit, "at most", bar);
}

void bench_at_least(struct bench *bench, const char *what, double value, double bar,
		    const char *unit)
{
	report(bench, what, value, unit, "at least", bar);
}

void bench_skip(struct bench *bench, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf(bench->json ? "%s{\"skipped\":\"" : "%s  skipped: ",
	       bench->json && bench->printed ? "," : "");
	vprintf(fmt, ap);
	printf(bench->json ? "\"}" : "\n");
	va_end(ap);
	bench->printed++;
}

uint64_t bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

uint64_t bench_median(uint64_t *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare_u64);
	return count ? values[count / 2] : 0;
}

/* ---- the command ----------------------------------------------------------------- */

static void list_benchmarks(bool json)
{
	if (json)
		printf("[");
	for (size_t i = 0; i < BENCHMARKS; i++)
		printf(json ? "%s{\"name\":\"%s\",\"compares\":\"%s\"}" : "%s%-10s %s\n",
		       json && i ? "," : "", benchmarks[i].name, benchmarks[i].compares);
	if (json)
		printf("]\n");
}

/* Runs one; returns how many bars it missed, or -1 if it could not be run. */
static int run_benchmark(const struct benchmark *benchmark, bool json, bool first)
{
	struct bench bench = { .json = json };
	int err;

	if (json)
		printf("%s{\"name\":\"%s\",\"compares\":\"%s\",\"figures\":[", first ? "" : ",",
		       benchmark->name, benchmark->compares);
	else
		printf("%s: %s\n", benchmark->name, benchmark->compares);
	fflush(stdout);
	err = benchmark->run(&bench);
	if (json)
		printf("]}");
	if (err) {
		cli_fail(&bench_command, "%s: %s", benchmark->name, strerror(-err));
		return -1;
	}
	return (int)bench.missed;
}

static bool is_named(const char *name, int count, char **names)
{
	for (int i = 0; i < count; i++) {
		if (!strcmp(names[i], name))
			return true;
	}
	return !count;
}

int main(int argc, char **argv)
{
	struct bench_options options = { 0 };
	int first, status, missed = 0, failed = 0, ran = 0;

	first = cli_parse(&bench_command, argc, argv, &options, &status);
	if (first < 0)
		return status;
	for (int i = first; i < argc; i++) {
		size_t k = 0;

		while (k < BENCHMARKS && strcmp(benchmarks[k].name, argv[i]))
			k++;
		if (k == BENCHMARKS)
			return cli_fail(&bench_command,
					"no benchmark '%s'; 'ioasis bench --list' lists them",
					argv[i]);
	}
	if (options.list) {
		list_benchmarks(options.json);
		return 0;
	}
	if (options.json)
		printf("[");
	for (size_t i = 0; i < BENCHMARKS; i++) {
		int result;

		if (!is_named(benchmarks[i].name, argc - first, argv + first))
			continue;
		result = run_benchmark(&benchmarks[i], options.json, !ran++);
		if (result < 0)
			failed++;
		else
			missed += result;
	}
	if (options.json)
		printf("]\n");
	if (failed)
		return 3;
	return options.strict && missed ? 1 : 0;
}
