/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioasis-bench, which `ioasis bench` runs: the benchmarks, as a table. A program of its own, since
 * what ioasis is compared with (the C++ library, GLib) is no part of the product.
 */
#include "cli/options.h"
#include "tests/bench/bench.h"
#include "tests/bench/bench_rows.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct benchmark {
	const char *name;
	const char *compares;
	int (*run)(struct bench *bench);
};

/* Sorted by name. */
static const struct benchmark benchmarks[] = {
	{ "analysis", "ioasis check with babeltrace2 -o dummy and a Python script",
	  bench_analysis },
	{ "bar", "a device's register, read through VFIO and mapped", bench_bar },
	{ "call", "a MAP with its UNMAP under exec; with --against, in the other build", bench_call },
	{ "children", "a client's first call after thousands of another's children", bench_children },
	{ "des", "the event queue beside std::priority_queue", bench_des },
	{ "engine", "1,000 with 1,000,000 mappings; std::map and a GLib tree", bench_engine },
	{ "exec", "the start of a program, with a private device and without", bench_exec },
	{ "export", "export --to sqlite with check, and with SQLite alone", bench_export },
	{ "guests", "a thousand guests, with and without a trace, and its check", bench_guests },
	{ "ioctl", "a MAP and an UNMAP through FUSE with an empty FUSE ioctl", bench_ioctl },
	{ "nvme", "reads from the NVMe controller by a native driver", bench_nvme },
	{ "simulate", "what an event of a simulation costs, and a replay", bench_simulate },
	{ "tracing", "the events of a call, off and on, with bare LTTng events", bench_tracing },
};
#define BENCHMARKS (sizeof(benchmarks) / sizeof(*benchmarks))

/* One run of one benchmark, printing as it goes. */
struct bench {
	const struct benchmark *benchmark;
	const struct bench_options *options;
	struct bench_rows *rows;
};

struct bench_options {
	bool json;
	bool list;
	bool strict;
	const char *against;
	const char *compare;
	uint64_t repeat;
};

static bool set_repeat(void *opaque, const char *value)
{
	uint64_t *repeat = &((struct bench_options *)opaque)->repeat;

	return cli_parse_u64(value, repeat) && *repeat && *repeat <= 1000;
}

static const struct cli_option bench_option_table[] = {
	{ "list", 0, NULL, NULL, "only say which there are", CLI_FLAG(struct bench_options, list) },
	{ "json", 0, NULL, NULL, "print JSON", CLI_FLAG(struct bench_options, json) },
	{ "strict", 0, NULL, NULL, "exit with 1 when a bar is missed",
	  CLI_FLAG(struct bench_options, strict) },
	{ "repeat", 'n', "N", "a number from 1 to 1000",
	  "run each N times; a bar has to be met in every run", .set = set_repeat },
	{ "against", 0, "DIR", NULL, "run the build in DIR side by side",
	  CLI_TEXT(struct bench_options, against) },
	{ "compare", 0, "FILE", NULL, "compare with what --json printed before",
	  CLI_TEXT(struct bench_options, compare) },
	{ 0 },
};

static const struct cli_command bench_command = {
	.name = "bench",
	.synopsis = "[OPTIONS] [NAME...]",
	.summary = "Runs the benchmarks (all, or those named) next to a baseline in the same run.",
	.details = "At the end comes a table of the bars, with the 95 % interval of each value: by\n"
		   "Student's t over --repeat runs, by bootstrap where one run takes samples.\n",
	.options = bench_option_table,
	.error_status = 3,
};

/* ---- what benchmarks call -------------------------------------------------------- */

/* Where the figures go as they come: beside JSON, to standard error. */
static FILE *log_of(const struct bench *bench)
{
	return bench->options->json ? stderr : stdout;
}

static struct bench_row *report(struct bench *bench, const char *what, double value,
				const char *unit, enum bench_relation relation, double bar)
{
	struct bench_row *row = bench_rows_add(bench->rows, bench->benchmark->name, what, unit,
					       relation, bar, value);
	FILE *log = log_of(bench);

	fprintf(log, "  %-52s %s%s%s", what, bench_format(value).text, *unit ? " " : "", unit);
	if (relation != BENCH_FIGURE)
		fprintf(log, "  (%s %s: %s)", relation == BENCH_AT_MOST ? "at most" : "at least",
			bench_format(bar).text, bench_row_is_met(row, value) ? "met" : "MISSED");
	fprintf(log, "\n");
	fflush(log);
	return row;
}

void bench_figure(struct bench *bench, const char *what, double value, const char *unit)
{
	report(bench, what, value, unit, BENCH_FIGURE, 0);
}

void bench_at_most(struct bench *bench, const char *what, double value, double bar,
		   const char *unit)
{
	report(bench, what, value, unit, BENCH_AT_MOST, bar);
}

void bench_at_least(struct bench *bench, const char *what, double value, double bar,
		    const char *unit)
{
	report(bench, what, value, unit, BENCH_AT_LEAST, bar);
}

static void report_ratio(struct bench *bench, const char *what, uint64_t *above, uint64_t *below,
			 size_t count, enum bench_relation relation, double bar)
{
	struct bench_estimate ratio = bench_bootstrap_ratio(above, below, count);
	struct bench_row *row = report(bench, what, ratio.value, "", relation, bar);

	if (ratio.known) {
		row->own_low = ratio.low;
		row->own_high = ratio.high;
	}
}

void bench_ratio_at_most(struct bench *bench, const char *what, uint64_t *above, uint64_t *below,
			 size_t count, double bar)
{
	report_ratio(bench, what, above, below, count, BENCH_AT_MOST, bar);
}

void bench_ratio_at_least(struct bench *bench, const char *what, uint64_t *above,
			  uint64_t *below, size_t count, double bar)
{
	report_ratio(bench, what, above, below, count, BENCH_AT_LEAST, bar);
}

void bench_skip(struct bench *bench, const char *fmt, ...)
{
	FILE *log = log_of(bench);
	va_list ap;

	fprintf(log, "  skipped: ");
	va_start(ap, fmt);
	vfprintf(log, fmt, ap);
	va_end(ap);
	fprintf(log, "\n");
}

bool bench_other(const struct bench *bench, const char *name, char *path, size_t size)
{
	if (!bench->options->against)
		return false;
	snprintf(path, size, "%s/%s", bench->options->against, name);
	return !access(path, X_OK);
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

/* Runs one, as often as was asked; false if it could not be run. */
static bool run_benchmark(const struct benchmark *benchmark, const struct bench_options *options,
			  struct bench_rows *rows)
{
	struct bench bench = { benchmark, options, rows };

	for (uint64_t i = 0; i < options->repeat; i++) {
		int err;

		fprintf(log_of(&bench), "%s: %s\n", benchmark->name, benchmark->compares);
		fflush(log_of(&bench));
		err = benchmark->run(&bench);
		if (err) {
			cli_fail(&bench_command, "%s: %s", benchmark->name, strerror(-err));
			return false;
		}
	}
	return true;
}

static bool is_named(const char *name, int count, char **names)
{
	for (int i = 0; i < count; i++) {
		if (!strcmp(names[i], name))
			return true;
	}
	return !count;
}

/* What is wrong with the words of the command line: an exit status, or 0. */
static int check_arguments(const struct bench_options *options, int count, char **names)
{
	char path[PATH_MAX];

	for (int i = 0; i < count; i++) {
		size_t k = 0;

		while (k < BENCHMARKS && strcmp(benchmarks[k].name, names[i]))
			k++;
		if (k == BENCHMARKS)
			return cli_fail(&bench_command,
					"no benchmark '%s'; 'ioasis bench --list' lists them",
					names[i]);
	}
	if (!options->against)
		return 0;
	snprintf(path, sizeof(path), "%s/ioasis", options->against);
	if (access(path, X_OK))
		return cli_fail(&bench_command,
				"--against '%s' holds no program ioasis; name a build folder",
				options->against);
	return 0;
}

static unsigned int missed_count(const struct bench_rows *rows)
{
	unsigned int missed = 0;

	for (size_t i = 0; i < rows->count; i++)
		missed += rows->rows[i].missed > 0;
	return missed;
}

int main(int argc, char **argv)
{
	struct bench_options options = { .repeat = 1 };
	struct bench_rows rows = { 0 }, old = { 0 };
	char why[PATH_MAX + 64];
	int first, status;
	bool failed = false;

	first = cli_parse(&bench_command, argc, argv, &options, &status);
	if (first < 0)
		return status;
	status = check_arguments(&options, argc - first, argv + first);
	if (status)
		return status;
	if (options.list) {
		list_benchmarks(options.json);
		return 0;
	}
	if (options.compare && bench_rows_read(&old, options.compare, why, sizeof(why)))
		return cli_fail(&bench_command, "--compare: %s", why);
	for (size_t i = 0; i < BENCHMARKS; i++) {
		if (is_named(benchmarks[i].name, argc - first, argv + first) &&
		    !run_benchmark(&benchmarks[i], &options, &rows))
			failed = true;
	}
	bench_rows_print_table(&rows, options.compare ? &old : NULL,
			       options.json ? stderr : stdout);
	if (options.json)
		bench_rows_print_json(&rows, stdout);
	status = failed ? 3 : options.strict && missed_count(&rows) ? 1 : 0;
	bench_rows_fini(&rows);
	bench_rows_fini(&old);
	return status;
}
