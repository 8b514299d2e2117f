/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that a run of the benchmarks found: a row for each figure, with a value for each repetition.
 */
#ifndef IOASIS_TESTS_BENCH_ROWS_H
#define IOASIS_TESTS_BENCH_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum bench_relation {
	BENCH_FIGURE,
	BENCH_AT_MOST,
	BENCH_AT_LEAST,
};

struct bench_row {
	const char *benchmark; /* borrowed */
	char *what;	       /* owned */
	const char *unit;      /* borrowed */
	enum bench_relation relation;
	double bar;
	double *values; /* one a repetition; owned */
	size_t values_count;
	unsigned int missed; /* repetitions that missed the bar */
	/* Of the last value alone, by bootstrap; low > high: not known. */
	double own_low, own_high;
};

struct bench_rows {
	struct bench_row *rows;
	size_t count;
};

/* An interval, and what lies in its middle. known is false for a single value. */
struct bench_estimate {
	double value, low, high;
	bool known;
};

/* A value of a row, which is made when it is new. Aborts when out of memory. */
struct bench_row *bench_rows_add(struct bench_rows *rows, const char *benchmark, const char *what,
				 const char *unit, enum bench_relation relation, double bar,
				 double value);
void bench_rows_fini(struct bench_rows *rows);

/* Whether a value keeps the row's bar. */
bool bench_row_is_met(const struct bench_row *row, double value);

/*
 * The mean of the repetitions and its 95 % interval by Student's t; of one repetition its value,
 * and the bootstrap interval where there is one.
 */
struct bench_estimate bench_row_estimate(const struct bench_row *row);

/* The 95 % interval of median(above) / median(below), by bootstrap; the arrays are sorted. */
struct bench_estimate bench_bootstrap_ratio(uint64_t *above, uint64_t *below, size_t count);

/* Four significant digits without an exponent, as printf's %s. */
struct bench_text {
	char text[32];
};
struct bench_text bench_format(double value);

/* The rows as a JSON array of benchmarks, each with its figures. */
void bench_rows_print_json(const struct bench_rows *rows, FILE *file);

/*
 * The rows that have a bar, as a table; old: NULL, or rows of an earlier run to compare with.
 */
void bench_rows_print_table(const struct bench_rows *rows, const struct bench_rows *old,
			    FILE *file);

/* Reads what bench_rows_print_json() wrote. 0, or -errno with one line in why. */
int bench_rows_read(struct bench_rows *rows, const char *path, char *why, size_t why_bytes);

#endif
